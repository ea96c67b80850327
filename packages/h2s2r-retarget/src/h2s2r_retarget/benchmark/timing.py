"""CPU time of solvers that take turns, and of importing.

In:  functions to time.   Out: seconds and what they returned.
Not here: what is compared (arm, hand).

Times are process CPU time of one thread, so neighbours on a shared machine do not count; every solver has its turn in
every round, and the best round counts.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

#: [s] a solver whose first round took longer has no second.
_LONG = 5.0


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
    for solve in solvers.values():
        solve(0)
    for _ in range(rounds):
        for name, solve in solvers.items():
            if name in results and results[name].seconds.sum() > _LONG:
                continue
            seconds, found = np.empty(num), []
            for index in range(num):
                start = time.process_time()
                joint_pos = solve(index)
                seconds[index] = time.process_time() - start
                found.append(joint_pos)
            best = np.minimum(seconds, results[name].seconds) if name in results else seconds
            results[name] = Timed(best, np.array(found))
    return results


def time_batches(solvers: Mapping[str, Callable[[], np.ndarray]], rounds: int) -> dict[str, tuple[float, np.ndarray]]:
    """Best CPU seconds of one call of each, and what it returned (N, J)."""
    results: dict[str, tuple[float, np.ndarray]] = {}
    for _ in range(rounds):
        for name, solve in solvers.items():
            if name in results and results[name][0] > _LONG:
                continue
            start = time.process_time()
            joint_pos = solve()
            seconds = time.process_time() - start
            if name not in results or seconds < results[name][0]:
                results[name] = seconds, joint_pos
    return results


def import_ratio(rounds: int = 9) -> float:
    """CPU time to import this package and all it exports, over NumPy's; each in a fresh process, best of ``rounds``."""
    code = (
        "import time; start = time.process_time()\n{}\nimport sys; sys.stdout.write(str(time.process_time() - start))"
    )
    export_all = "import h2s2r_retarget as m\nfor n in getattr(m, '__all__', ()): getattr(m, n)"
    best = {"import numpy": np.inf, export_all: np.inf}
    for _ in range(rounds):
        for statement, seconds in best.items():
            command = [sys.executable, "-c", code.format(statement)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            best[statement] = min(seconds, float(done.stdout))
    return best[export_all] / best["import numpy"]
