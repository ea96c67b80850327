"""What a clock is, and the one on the wall.

In:  times [ns] to wait for.   Out: ``Clock``, ``RealClock``.
Not here: virtual time (lockstep).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

#: Reads one message from a real socket: waits at most so many seconds; None if none came.
Read = Callable[[float], "T | None"]


class Clock(Protocol):
    """Time [ns] since a common start, and waiting. One thread uses one clock."""

    def now_ns(self) -> int:
        """The time."""
        ...

    def wait_until(self, time_ns: int) -> None:
        """Rest until then."""
        ...

    def receive(self, channel: str, read: Read[T], until_ns: int) -> T | None:
        """The next message of a channel, or None if none came until then.

        Args:
            channel: its name.
            read: reads one message from its socket.
            until_ns: when to give up.
        """
        ...

    def sent(self, channel: str, count: int = 1) -> None:
        """Say that so many messages were just sent on a channel."""
        ...


class RealClock:
    """The monotonic clock of this machine.

    Args:
        start_ns: what ``time.monotonic_ns()`` was at time 0; now if not given.
    """

    def __init__(self, start_ns: int | None = None) -> None:
        self._start_ns = time.monotonic_ns() if start_ns is None else start_ns

    def now_ns(self) -> int:
        """[ns] since the start."""
        return time.monotonic_ns() - self._start_ns

    def wait_until(self, time_ns: int) -> None:
        """Sleep; not at all if it is later already."""
        remaining = time_ns - self.now_ns()
        if remaining > 0:
            time.sleep(remaining * 1e-9)

    def receive(self, channel: str, read: Read[T], until_ns: int) -> T | None:
        """What ``read`` gives until then."""
        return read(max(0.0, (until_ns - self.now_ns()) * 1e-9))

    def sent(self, channel: str, count: int = 1) -> None:
        """Nothing to do: the wall clock does not wait for messages."""
