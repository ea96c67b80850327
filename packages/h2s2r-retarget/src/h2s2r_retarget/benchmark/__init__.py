"""How exact and how fast, beside other libraries on the same targets: ``h2s2r bench retarget``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the tests and the issue say).

The peers are the dependency group ``bench`` of the workspace: ``uv run --group bench h2s2r bench retarget --json``. Those
that are not installed are named in ``peers_missing``, and the figures that need them are left out.

Keys: ``arm_*`` are palm poses at random joints of the arm (1,000), ``tip_*`` and ``hand_*`` fingertips of reachable (1,000)
and human-like (200) hands. ``…_ms_…`` is the median CPU time of one problem [ms], restarts included. Peers that need them
are given restarts; a peer counts in a ratio if it solves as many targets as we do, to within half a percent. ``numpy`` is the
base install, ``fast`` the extra of that name.
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
SHOWS = {"arm_success": ["H11"], "limit_violations": ["H11"], "tip_excess_um": ["H12"]}

#: Numerical libraries read these when they are loaded.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def run(slow: bool = False) -> dict[str, Any]:
    """All figures of this package, measured in a process of one thread.

    Args:
        slow: five rounds instead of two, and a floor from four times as many starts.

    Raises:
        H2S2RError: the measuring process failed; the message ends with what it said.
    """
    code = "import sys; from h2s2r_retarget.benchmark.measure import write_figures; write_figures(sys.argv[1], {})"
    with tempfile.TemporaryDirectory(prefix="h2s2r-bench-") as folder:
        path = Path(folder) / "figures.json"
        command = [sys.executable, "-c", code.format(slow), str(path)]
        done = subprocess.run(command, env={**os.environ, **_ONE_THREAD}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise H2S2RError(f"The benchmark failed:\n{done.stderr[-3000:]}")
        return json.loads(path.read_text(encoding="utf-8"))
