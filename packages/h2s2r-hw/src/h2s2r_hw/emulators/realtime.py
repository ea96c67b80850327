"""Let the emulated cell act by the wall clock.

In:  a cell and its ports.   Out: datagrams and frames at their times, as far as this machine allows.
Not here: lock-step (lockstep), in which nothing depends on how busy the machine is.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from dataclasses import dataclass

from h2s2r_hw.clock import Clock
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.emulators.cell import Cell
from h2s2r_hw.emulators.ports import UdpPort

#: [ns] of lateness up to which the cell catches up; beyond it, it acts as if time had stood still.
_FORGIVEN_NS = 20_000_000
#: [s] between looks at a bus on which one cannot wait (python-can's ``virtual``).
_LOOK = 0.0005


@dataclass
class Punctuality:
    """How well the wall clock was kept. A shared machine stalls for 100 ms now and then: this is reported, not judged."""

    moments: int = 0
    """At which the cell acted."""
    stalls: int = 0
    """Times at which it was so late that it let time stand still instead of catching up."""
    latest_ns: int = 0
    """[ns] it was late at most."""


class _CellClock:
    """Wall time less the stalls."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.lost_ns = clock, 0

    def now_ns(self) -> int:
        return self._clock.now_ns() - self.lost_ns


def run_realtime(
    cell: Cell, fri: UdpPort, bus: CanPort, clock: Clock, until_ns: int, stop: Callable[[], bool] = lambda: False
) -> Punctuality:
    """Act up to a moment, or until ``stop()``.

    Args:
        cell: what acts.
        fri: its socket.
        bus: its bus.
        clock: whose 0 is the cell's.
        until_ns: when to end.
        stop: asked after every moment.
    """
    kept, time = Punctuality(), _CellClock(clock)
    while not stop() and cell.next_event_ns() <= until_ns:
        due = cell.next_event_ns()
        _listen_until(cell, fri, bus, time, due)
        late = time.now_ns() - due
        kept.moments, kept.latest_ns = kept.moments + 1, max(kept.latest_ns, late)
        if late > _FORGIVEN_NS:
            time.lost_ns += late
            kept.stalls += 1
        cell.act(due)
    return kept


def _listen_until(cell: Cell, fri: UdpPort, bus: CanPort, time: _CellClock, due: int) -> None:
    """Take what comes until the cell has to act."""
    bus_fileno = _fileno(bus)
    waited = [fri.fileno()] if bus_fileno is None else [fri.fileno(), bus_fileno]
    while True:
        remaining = (due - time.now_ns()) * 1e-9
        seconds = max(0.0, remaining if bus_fileno is not None else min(remaining, _LOOK))
        ready, _, _ = select.select(waited, [], [], seconds)
        now_ns = min(time.now_ns(), due)
        if fri.fileno() in ready:
            cell.hear_fri(0.0, now_ns)
        if bus_fileno is None or bus_fileno in ready:
            # At most as many as one cycle of a controller has, so that a flood cannot keep the cell from acting.
            for _ in range(16):
                if not cell.hear_can(0.0, now_ns):
                    break
        if time.now_ns() >= due:
            return


def _fileno(bus: CanPort) -> int | None:
    """What one can wait on, if anything."""
    try:
        number = bus.bus.fileno()
    except NotImplementedError:
        return None
    return number if number >= 0 else None
