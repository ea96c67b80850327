"""Our end of the cable to the cabinet: a UDP socket that hears nobody else.

In:  addresses.   Out: ``ArmLink``: datagrams of the cabinet, answers to it.
Not here: what they say (session), when to answer (loops.arm).
"""

from __future__ import annotations

import select
import socket

from h2s2r_hw.drivers.fri.messages import MAX_DATAGRAM
from h2s2r_schemas.errors import H2S2RError


class ArmLink:
    """A socket connected to the cabinet: the kernel drops what others send, and answers go nowhere else.

    Args:
        own: address and port that the cabinet sends to.
        cabinet: address and port that it sends from.

    Raises:
        H2S2RError: the port is taken, or the address is none of this machine.
    """

    def __init__(self, own: tuple[str, int], cabinet: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(own)
            self._socket.connect(cabinet)
        except OSError as error:
            self._socket.close()
            raise H2S2RError(
                f"The FRI socket cannot be at {own[0]}:{own[1]} for a cabinet at {cabinet[0]}:{cabinet[1]} ({error.strerror}). "
                "Is another server running? Is this PC's address on the KONI network as configured?"
            ) from error
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self.unsent = 0
        """Answers that the kernel did not take."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def connect(self, cabinet: tuple[str, int]) -> None:
        """Listen to another cabinet from now on."""
        self._socket.connect(cabinet)

    def read(self, seconds: float) -> bytes | None:
        """The next datagram; None if none comes within so many seconds. Longer than any is one byte too long."""
        # In whole milliseconds and never for ever. What came before is there at once.
        milliseconds = min(1e9, 1e3 * max(0.0, seconds))
        for _ in range(2):
            if not self._poll.poll(milliseconds):
                return None
            try:
                return self._socket.recv(MAX_DATAGRAM + 1)
            except (BlockingIOError, ConnectionError):
                # Nobody listened at the cabinet's port when we sent last. That was told now; a datagram may still come.
                continue
        return None

    def send(self, datagram: bytes) -> bool:
        """To the cabinet; whether the kernel took it."""
        try:
            self._socket.send(datagram)
        except OSError:
            self.unsent += 1
            return False
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
