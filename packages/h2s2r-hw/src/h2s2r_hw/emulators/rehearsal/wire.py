"""A CAN bus within one thread: frames are handed over as they are.

In:  frames.   Out: the same frames at every other end.
Not here: real buses and python-can (drivers.can_port).
"""

from __future__ import annotations

from collections import deque

import can

from h2s2r_hw.drivers.allegro import Frame
from h2s2r_hw.drivers.can_port import CanPort

#: Frames that an end keeps which nobody reads, as a controller does.
_KEPT = 256


class Wire:
    """One bus."""

    def __init__(self) -> None:
        self._ends: list[WirePort] = []
        self.frames = 0
        """That were on it."""

    def port(self) -> WirePort:
        """A new end."""
        made = WirePort(self)
        for end in self._ends:
            end.others.append(made.inbox)
            made.others.append(end.inbox)
        self._ends.append(made)
        return made

    def carry(self, frame: Frame, sender: WirePort) -> None:
        """To all others."""
        self.frames += 1
        for inbox in sender.others:
            inbox.append(frame)


class WirePort(CanPort):
    """One end."""

    def __init__(self, wire: Wire) -> None:  # pyright: ignore[reportMissingSuperCall] - there is no python-can bus below
        self._wire = wire
        self.inbox: deque[Frame] = deque(maxlen=_KEPT)
        """What came and was not read."""
        self.others: list[deque[Frame]] = []
        """What came at the other ends."""
        self.broken = False
        """Whether nothing can be sent from here, as with a controller that is off the bus."""

    def send(self, frame: Frame) -> None:
        """Onto the bus."""
        if self.broken:
            raise can.CanOperationError("the controller is off the bus")
        self._wire.carry(frame, self)

    def read(self, seconds: float) -> Frame | None:
        """The next frame of anybody else. Nothing ever comes later by itself."""
        return self.inbox.popleft() if self.inbox else None

    def close(self) -> None:
        """Nothing to do."""
