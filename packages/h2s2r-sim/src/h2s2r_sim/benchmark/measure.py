"""All figures of the benchmark, into a file.

In:  whether to run the long version.   Out: a JSON file of figures.
Not here: the measurements (speed, solidity, resets).
"""

from __future__ import annotations

import json
from pathlib import Path

from h2s2r_sim.benchmark import resets, solidity, speed

#: Of what is drawn here; no other code uses it.
SEED = 20_240


def write_figures(path: str, slow: bool) -> None:
    """Measure everything and write it to ``path``."""
    steps, starts = (1_000_000, 10_000) if slow else (50_000, 100)
    figures = {**speed.measure(SEED), **solidity.measure(steps, SEED), **resets.measure(starts, SEED)}
    figures["resets_per_task_and_robot"] = starts
    Path(path).write_text(json.dumps(figures), encoding="utf-8")
