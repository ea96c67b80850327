"""What a tick costs, and what goes wrong: ``h2s2r bench hw``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the issue says).

``arm_tick_…_us`` and ``hand_tick_…_us`` are CPU time [µs] of one tick while 23 joints follow commands and a learned correction
acts: from the datagram (or the four frames) in the socket (or on the bus) to the answer sent, slots and log record written.
Neighbours on the same core only add to it: the median is that of the best batch of 100 ticks, the other
the best of three runs. Counts are those of ``h2s2r-hw faults``.
``late_…_us`` are wall time [µs] by which sleeps ended late here, at the rates of the loops, without priority: of this machine,
as it was.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from h2s2r_hw.bus.records import NUM_JOINTS
from h2s2r_hw.emulators.rehearsal.cases import CASES
from h2s2r_hw.emulators.rehearsal.faults import EVALUATIONS, TICKS, run_faults
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings
from h2s2r_hw.emulators.rehearsal.whole import MS, Rehearsal
from h2s2r_hw.selftest.jitter import RATES, measure

#: Which requirement each figure shows.
SHOWS = {
    "faults_failed": ["H26", "H27"],
    "residual_violations": ["D26", "D48"],
    "limit_violations": ["D11"],
}


def run(slow: bool = False) -> dict[str, float]:
    """All figures of the server.

    Args:
        slow: a million random ticks and ten million evaluations of the clamp, instead of a tenth of them.
    """
    runs = [_ticks(6.0 if slow else 3.0) for _ in range(3)]
    figures = {name: min(each[name] for each in runs) for name in runs[0]}
    for rate in RATES:
        late = measure(rate, 2.0)
        figures |= {f"late_{rate}_p50_us": late.p50_us, f"late_{rate}_p999_us": late.p999_us}
    part = 1 if slow else 10
    return figures | run_faults(list(CASES), TICKS // part, EVALUATIONS // part)


_BATCH = 100


class _Stopwatch:
    """Takes the CPU time of each tick of a loop."""

    def __init__(self, whole: Rehearsal, part: str) -> None:
        self._loop, self._part = getattr(whole, part), part
        self.costs: list[int] = []
        self._hear, self._done = self._loop.hear, self._count()
        self._loop.hear = self.hear

    def _count(self) -> int:
        return self._loop.session.sent if self._part == "arm" else self._loop.link.cycles

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """In the loop's place."""
        began = time.thread_time_ns()
        sent = self._hear(channel, count, now_ns)
        cost = time.thread_time_ns() - began
        if self._count() == self._done + 1:
            self.costs.append(cost)
        self._done = self._count()
        return sent


class _Correction:
    """A process of corrections that wants something else every 2 ms."""

    def __init__(self, whole: Rehearsal) -> None:
        self._slot, self._due_ns = whole.residual, whole.now_ns
        record = self._slot.record
        record["residual_number"], record["gain"], record["clamp_fraction"] = 1, 1.0, 0.15

    def next_event_ns(self) -> int:
        """[ns]."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing is sent to it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Write."""
        self._due_ns = now_ns + 2 * MS
        record = self._slot.record
        record["number"] += 1
        record["time_ns"] = now_ns
        record["values"] = 0.005 * np.sin(1e-9 * now_ns + np.arange(NUM_JOINTS))
        self._slot.write()
        return {}


def _ticks(seconds: float) -> dict[str, float]:
    """Percentiles over so many seconds of virtual time."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        scene = Scene(Path(folder), settings())
        scene.tracking(1.0)
        scene.whole.group.stages.append(_Correction(scene.whole))
        watches = {part: _Stopwatch(scene.whole, part) for part in ("arm", "hand")}
        scene.follow(seconds, use_residual=True)
        scene.close()
    figures: dict[str, float] = {}
    for part, watch in watches.items():
        costs = np.array(watch.costs) * 1e-3
        batches = costs[: len(costs) // _BATCH * _BATCH].reshape(-1, _BATCH)
        figures[f"{part}_tick_p50_us"] = float(np.median(batches, axis=1).min())
        figures[f"{part}_tick_p999_us"] = float(np.percentile(costs, 99.9))
    return figures
