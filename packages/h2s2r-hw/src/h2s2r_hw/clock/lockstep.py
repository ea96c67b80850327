"""Virtual time of one process among several that run in lock-step.

In:  the address of whoever lets time pass (``emulators.lockstep``).   Out: ``LockstepClock``.
Not here: deciding whose turn it is.

On the line: JSON texts, one a line. A process says who it is and which channels it reads, then, whenever it has nothing more
to do, until when: ``{"until": ns, "sent": {channel: count}}``. It is answered when it is its turn again:
``{"now": ns, "arrived": {channel: count}}``.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any, TypeVar

from h2s2r_hw.clock.real import Read
from h2s2r_schemas.errors import H2S2RError

T = TypeVar("T")

#: No time at all: a process that only waits for messages.
NEVER = 2**62


class LockstepError(H2S2RError):
    """Lock-step cannot go on: whoever lets time pass is gone, or a message that was sent did not arrive."""


class LockstepClock:
    """A ``Clock`` whose time passes only when every process of the group rests.

    Args:
        address: ``"host:port"`` that the emulated cell shows.
        name: of this process in the group, as the cell was told to expect it.
        channels: whose messages it reads, e.g. ``("fri",)`` or ``("can",)``.
        patience: [s] of wall time after which a message that was announced counts as lost, and the group as gone.

    Raises:
        LockstepError: nobody answers at the address, or does not know this name.
    """

    def __init__(self, address: str, name: str, channels: Iterable[str], patience: float = 30.0) -> None:
        host, _, port = address.rpartition(":")
        self._patience = patience
        try:
            self._socket = socket.create_connection((host, int(port)), patience)
        except (OSError, ValueError) as error:
            raise LockstepError(f"No clock answers at {address!r} ({error}): start the emulated cell first.") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._now_ns = 0
        self._sent: dict[str, int] = {}
        self._arrived: dict[str, int] = {}
        self._exchange({"join": name, "channels": list(channels)})

    def now_ns(self) -> int:
        """[ns] of virtual time."""
        return self._now_ns

    def wait_until(self, time_ns: int) -> None:
        """Rest until then, whatever arrives."""
        while self._now_ns < time_ns:
            self.wait(time_ns)

    def wait(self, time_ns: int = NEVER) -> None:
        """Rest until then, or until something more arrives on a channel; look at ``arrived`` first."""
        self._exchange({"until": time_ns, "sent": self._sent})

    def arrived(self, channel: str) -> int:
        """How many messages of a channel wait to be received."""
        return self._arrived.get(channel, 0)

    def receive(self, channel: str, read: Read[T], until_ns: int) -> T | None:
        """The next message of a channel, or None if none came until then.

        Raises:
            LockstepError: a message was announced and does not arrive.
        """
        while not self.arrived(channel):
            if self._now_ns >= until_ns:
                return None
            self.wait(until_ns)
        self._arrived[channel] -= 1
        message = read(self._patience)
        if message is None:
            raise LockstepError(
                f"A message was sent on channel {channel!r} but did not arrive within {self._patience} s."
            )
        return message

    def sent(self, channel: str, count: int = 1) -> None:
        """Announce messages just sent; whoever reads the channel gets its turn before time passes."""
        self._sent[channel] = self._sent.get(channel, 0) + count

    def close(self) -> None:
        """Leave the group: time passes without this process."""
        self._socket.close()

    def _exchange(self, said: dict[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(said).encode() + b"\n")
            self._sent = {}
            while b"\n" not in self._buffer:
                received = self._socket.recv(65536)
                if not received:
                    raise LockstepError("The group of lock-step has ended.")
                self._buffer += received
        except OSError as error:
            raise LockstepError(f"The group of lock-step is gone: {error}.") from None
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise LockstepError(str(answer["refused"]))
        self._now_ns = int(answer["now"])
        for channel, count in answer.get("arrived", {}).items():
            self._arrived[channel] = self.arrived(channel) + int(count)
