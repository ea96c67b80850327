"""How fast the environment is, how solid its worlds, how safe its starts: ``h2s2r bench sim``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the issue says), how well anything is learned (rl).

Everything runs with arm and Allegro hand, ``standard`` perturbations, 15 Hz policy, 8 substeps of 1/120 s, self-collision on.
Keys without a task: ``sim_seconds_per_cpu_s``, ``engine_fraction`` and ``cost_flatness`` are of ``snackbox_push`` (speed),
``penetration_p99_mm`` and ``nan_escapes`` of all tasks (solidity), ``reset_valid`` of all tasks and robots (resets).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from h2s2r_schemas.errors import H2S2RError

#: Which requirement each figure shows.
SHOWS = {"sim_seconds_per_cpu_s": ["H15"], "reset_valid": ["H13"]}

#: Numerical libraries read these when they are loaded.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(slow: bool = False) -> dict[str, Any]:
    """All figures of this package, measured in a process of one thread.

    Args:
        slow: a million steps of random actions instead of ``nan_steps`` as told, and 10,000 resets per task and robot.

    Raises:
        H2S2RError: the measuring process failed; the message ends with what it said.
    """
    code = "import sys; from h2s2r_sim.benchmark.measure import write_figures; write_figures(sys.argv[1], {})"
    with tempfile.TemporaryDirectory(prefix="h2s2r-bench-") as folder:
        path = Path(folder) / "figures.json"
        command = [sys.executable, "-c", code.format(slow), str(path)]
        done = subprocess.run(
            command, env={**os.environ, **_ONE_THREAD}, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise H2S2RError(f"The benchmark failed:\n{done.stderr[-3000:]}")
        return json.loads(path.read_text(encoding="utf-8"))
