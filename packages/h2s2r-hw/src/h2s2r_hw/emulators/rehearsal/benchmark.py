"""What a tick costs, and what goes wrong: ``h2s2r bench hw``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the issue says).

``arm_tick_…_us`` and ``hand_tick_…_us`` are CPU time [µs] of one tick of a loop in a process of its own, while 23 joints follow
commands and a learned correction acts: from the wait for a datagram (or four frames) to the answer sent, slots and log record
written (tick_cost). Neighbours only add to it: each is the best of three runs. Counts are those of ``h2s2r-hw faults``,
``soak_…`` those of ``h2s2r-hw soak`` over ten minutes, ``soak_kept_…`` those of the longest one that was kept (``results/``);
``soak_kept_stale`` says whether sources have changed since. It says what it has done, and goes on from there when it was stopped.
``late_…_us`` are wall time [µs] by which sleeps ended late here, at the rates of the loops, without priority: of this machine,
as it was.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from h2s2r_hw.emulators.rehearsal.cases import CASES
from h2s2r_hw.emulators.rehearsal.faults import EVALUATIONS, TICKS, run_faults
from h2s2r_hw.emulators.rehearsal.pieces import default_file
from h2s2r_hw.emulators.rehearsal.soak import run_soak, sources_hash
from h2s2r_hw.emulators.rehearsal.tick_cost import tick_costs
from h2s2r_hw.selftest.jitter import RATES, measure

#: What ``h2s2r-hw soak --hours 24 --report`` wrote, in the sources of this package; wheels are without.
KEPT = Path(__file__).parents[4] / "results" / "soak.json"
#: Which requirement each figure shows.
SHOWS = {
    "faults_failed": ["H26", "H27"],
    "residual_violations": ["D26", "D48"],
    "limit_violations": ["D11"],
}


def run(slow: bool = False) -> dict[str, float]:
    """All figures of the server.

    Args:
        slow: costs are measured for longer, and an hour is soaked.
    """
    figures = tick_costs(20.0 if slow else 5.0)
    for rate in RATES:
        late = measure(rate, 2.0)
        figures |= {f"late_{rate}_p50_us": late.p50_us, f"late_{rate}_p999_us": late.p999_us}
    # One core is left for whatever else this machine does.
    workers = max(1, (os.cpu_count() or 1) - 1)
    figures |= run_faults(list(CASES), TICKS, EVALUATIONS, tell=_tell, workers=workers, keep=default_file())
    return figures | _soak(1.0 if slow else 1.0 / 6.0) | _kept(KEPT)


def _soak(hours: float) -> dict[str, float]:
    """Figures of so many hours of virtual time, as ``soak_…``."""
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        found = run_soak(Path(folder), hours, 0, Path(folder) / "soak.json", _tell)
    return {f"soak_{name}": value for name, value in found.items() if isinstance(value, (int, float))}


def _kept(file: Path) -> dict[str, float]:
    """Figures of a soak that was kept, as ``soak_kept_…``; nothing where there is none."""
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    figures: dict[str, float] = {
        f"soak_kept_{name}": value for name, value in found.items() if isinstance(value, (int, float))
    }
    figures["soak_kept_stale"] = found["sources"] != sources_hash()
    return figures


def _tell(text: str) -> None:
    """How far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
