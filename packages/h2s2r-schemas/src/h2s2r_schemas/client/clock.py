"""Where a client takes its time from.

In:  until when to wait for a message.   Out: ``ClientClock``, and the one on the wall.
Not here: virtual time (h2s2r-hw's clocks, which satisfy this protocol).
"""

from __future__ import annotations

import time
from typing import Any, Callable, Optional, Protocol

#: Reads one message from a socket: waits at most so many seconds; None if none came.
Read = Callable[[float], Optional[Any]]


class ClientClock(Protocol):
    """Time [ns] since any start, and waiting for messages."""

    def now_ns(self) -> int:
        """The time."""
        ...

    def receive(self, channel: str, read: Read, until_ns: int) -> Any:
        """The next message of a channel, or None if none came until then."""
        ...

    def sent(self, channel: str, count: int = 1) -> None:
        """Say that so many messages were just sent on a channel."""
        ...


class WallClock:
    """The monotonic clock of this machine."""

    def now_ns(self) -> int:
        """[ns] since some start."""
        return time.monotonic_ns()

    def receive(self, channel: str, read: Read, until_ns: int) -> Any:
        """What ``read`` gives until then."""
        return read(max(0.0, (until_ns - self.now_ns()) * 1e-9))

    def sent(self, channel: str, count: int = 1) -> None:
        """Nothing to do: the wall clock does not wait for messages."""
