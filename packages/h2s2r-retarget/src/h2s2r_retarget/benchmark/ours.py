"""Our solver on the benchmark's targets.

In:  ``PoseProblems``, ``TipProblems``, a backend.   Out: functions that solve one problem, or all at once.
Not here: the solver itself (solve).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from h2s2r_retarget.benchmark.problems import PoseProblems, TipProblems
from h2s2r_retarget.solve import Solver, SolverCfg
from h2s2r_schemas.se3 import SE3


def has_fast() -> bool:
    """Whether the extra ``fast`` is installed."""
    return find_spec("numba") is not None


def pose_solver(problems: PoseProblems, backend: str) -> Callable[[int], np.ndarray]:
    """A function from the number of a pose to joint positions (J)."""
    solver = Solver(problems.chain, poses=[problems.frame], cfg=SolverCfg(backend=backend))
    Ts_root_target = SE3.from_matrix(problems.matrices)
    targets = [Ts_root_target[index : index + 1] for index in range(len(problems.matrices))]
    return lambda index: solver.solve(targets[index], guess=problems.home).joint_pos


def pose_batch(problems: PoseProblems, backend: str) -> Callable[[], np.ndarray]:
    """A function that solves all poses at once: joint positions (N, J)."""
    solver = Solver(problems.chain, poses=[problems.frame], cfg=SolverCfg(backend=backend))
    Ts_root_target = SE3.from_matrix(problems.matrices[:, None])
    return lambda: solver.solve(Ts_root_target, guess=problems.home).joint_pos


def tip_solver(problems: TipProblems, backend: str) -> Callable[[int], np.ndarray]:
    """A function from the number of a hand to joint positions (J)."""
    solver = Solver(problems.chain, points=problems.frames, cfg=SolverCfg(backend=backend))
    return lambda index: solver.solve(p_root_points=problems.points[index]).joint_pos


def tip_batch(problems: TipProblems, backend: str) -> Callable[[], np.ndarray]:
    """A function that solves all hands at once: joint positions (N, J)."""
    solver = Solver(problems.chain, points=problems.frames, cfg=SolverCfg(backend=backend))
    return lambda: solver.solve(p_root_points=problems.points).joint_pos
