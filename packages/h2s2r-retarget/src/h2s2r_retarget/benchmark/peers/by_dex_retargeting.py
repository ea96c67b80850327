"""dex-retargeting: its position optimiser on single frames, as it comes and tuned for accuracy.

In:  ``TipProblems``.   Out: a function from the number of a hand to joint positions.
Not here: its filters and warm starts for video.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from h2s2r_retarget.benchmark.problems import TipProblems


def tip_solver(problems: TipProblems, tuned: bool) -> Callable[[int], np.ndarray]:
    """A function from the number of a hand to joint positions (J), from the middle of the limits.

    Args:
        problems: hands to solve.
        tuned: no regularisation, and a tolerance of 1e-9 instead of 1e-5.
    """
    import torch  # noqa: PLC0415
    from dex_retargeting.optimizer import (  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
        PositionOptimizer,
    )
    from dex_retargeting.robot_wrapper import (  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
        RobotWrapper,
    )

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hand.urdf"
        path.write_text(problems.urdf, encoding="utf-8")
        robot = RobotWrapper(str(path))
    names = robot.dof_joint_names
    options = {"norm_delta": 0.0} if tuned else {}
    indices = np.arange(len(problems.frames))
    optimizer = PositionOptimizer(robot, names, list(problems.frames), indices, **options)
    if tuned:
        optimizer.opt.set_ftol_abs(1e-9)
    optimizer.set_joint_limit(robot.joint_limits)
    middle = robot.joint_limits.mean(1).astype(np.float32)
    order = [names.index(name) for name in problems.joint_names]
    points = problems.points.astype(np.float32)

    def solve(index: int) -> np.ndarray:
        return optimizer.retarget(points[index], np.zeros(0), middle)[order].astype(np.float64)

    return solve
