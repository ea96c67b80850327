"""CPU time of solvers that take turns, and of importing.

In:  functions to time.   Out: seconds and what they returned.
Not here: what is compared (arm, hand).

Times are process CPU time of one thread, so neighbours on a shared machine do not count; every solver has its turn in
every round, and the best round counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

#: [s] a solver whose first round took longer has no second.
_LONG = 5.0
#: Reading the clock takes about 2 µs: a problem solved faster than ``_SHORT`` [s] is timed over so many calls.
_SHORT, _CALLS = 1e-3, 5
#: [s] a batch solved faster has so many calls in each round: a neighbour that empties the cache slows single ones.
_BRIEF, _BATCH_CALLS = 0.5, 5


@dataclass(frozen=True)
class Timed:
    """One solver's run over N problems."""

    seconds: np.ndarray
    """(N) CPU time of each problem, the best of the rounds."""
    joint_pos: np.ndarray
    """(N, J) what it found."""


def time_singles(solvers: Mapping[str, Callable[[int], np.ndarray]], num: int, rounds: int) -> dict[str, Timed]:
    """Solve ``num`` problems one by one with each solver."""
    results: dict[str, Timed] = {}
    calls = {name: _calls(solve) for name, solve in solvers.items()}
    for _ in range(rounds):
        for name, solve in solvers.items():
            if name in results and results[name].seconds.sum() > _LONG:
                continue
            seconds, found = np.empty(num), []
            for index in range(num):
                joint_pos = np.empty(0)
                start = time.process_time()
                for _ in range(calls[name]):
                    joint_pos = solve(index)
                seconds[index] = (time.process_time() - start) / calls[name]
                found.append(joint_pos)
            best = np.minimum(seconds, results[name].seconds) if name in results else seconds
            results[name] = Timed(best, np.array(found))
    return results


def _calls(solve: Callable[[int], np.ndarray]) -> int:
    """How many calls to time at once; the first one compiles and is not looked at."""
    solve(0)
    start = time.process_time()
    solve(0)
    return _CALLS if time.process_time() - start < _SHORT else 1


def time_batches(solvers: Mapping[str, Callable[[], np.ndarray]], rounds: int) -> dict[str, tuple[float, np.ndarray]]:
    """Best CPU seconds of one call of each, and what it returned (N, J)."""
    results: dict[str, tuple[float, np.ndarray]] = {}
    for _ in range(rounds):
        for name, solve in solvers.items():
            if name in results and results[name][0] > _LONG:
                continue
            for _ in range(_BATCH_CALLS if name in results and results[name][0] < _BRIEF else 1):
                start = time.process_time()
                joint_pos = solve()
                seconds = time.process_time() - start
                if name not in results or seconds < results[name][0]:
                    results[name] = seconds, joint_pos
    return results


def import_figures(rounds: int = 9) -> dict[str, float]:
    """CPU time to import this package over NumPy's: alone, and with all that retargeting needs.

    Every import runs in a fresh process, the best of ``rounds`` counts, and all are compiled to bytecode before, as pip
    leaves them. NumPy is imported first everywhere, so that a package that imports nothing does not beat it.
    """
    statements = {"numpy": "import numpy", "alone": "import numpy, h2s2r_retarget"}
    statements["whole"] = "import numpy, h2s2r_retarget.retarget, h2s2r_retarget.trajectory"
    code = (
        "import time; start = time.process_time(); {}; import sys; sys.stdout.write(str(time.process_time() - start))"
    )
    best = dict.fromkeys(statements, np.inf)
    with tempfile.TemporaryDirectory() as folder:
        env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = folder
        for turn in range(rounds + 1):
            for name, statement in statements.items():
                command = [sys.executable, "-c", code.format(statement)]
                done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
                # The first turn compiles.
                best[name] = min(best[name], float(done.stdout)) if turn else best[name]
    ratios = {"import_ratio": best["alone"] / best["numpy"], "import_ratio_whole": best["whole"] / best["numpy"]}
    return {**ratios, "import_ms_numpy": best["numpy"] * 1e3}
