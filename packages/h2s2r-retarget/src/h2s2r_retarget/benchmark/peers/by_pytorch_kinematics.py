"""pytorch-kinematics: its batched pseudo-inverse solver on CPU tensors.

In:  ``PoseProblems``.   Out: functions that solve one pose, or all of them at once.
Not here: our own kinematics on tensors (kinematics).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from h2s2r_retarget.benchmark.peers.attempts import POSITION_TOLERANCE, ROTATION_TOLERANCE
from h2s2r_retarget.benchmark.problems import PoseProblems

_ITERATIONS = 100
#: Its default, 1e-9, lets single precision end in a singular matrix.
_REGULARISATION = {"float32": 1e-6, "float64": 1e-9}


@dataclass(frozen=True)
class Setting:
    """How the solver is set up."""

    retries: int
    """Starts tried side by side."""
    dtype: str
    """``float32`` or ``float64``."""
    clamp: bool = False
    """Whether every step is clamped to the limits, not only the end."""


#: What its users choose between: quick, thorough, and thorough inside the limits.
SETTINGS = (
    Setting(1, "float64"),
    Setting(10, "float32"),
    Setting(20, "float32"),
    Setting(20, "float32", clamp=True),
    Setting(20, "float64", clamp=True),
)


def pose_solver(problems: PoseProblems, setting: Setting = SETTINGS[-1]) -> Callable[[int], np.ndarray]:
    """A function from the number of a pose to joint positions (J)."""
    solve = _solver(problems, setting)
    return lambda index: solve(problems.matrices[index : index + 1])[0]


def pose_batch(problems: PoseProblems, setting: Setting) -> Callable[[], np.ndarray]:
    """A function that solves all poses at once: joint positions (N, J)."""
    solve = _solver(problems, setting)
    return lambda: solve(problems.matrices)


def _solver(problems: PoseProblems, setting: Setting) -> Callable[[np.ndarray], np.ndarray]:
    import pytorch_kinematics as pk  # noqa: PLC0415
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(0)
    dtype = getattr(torch, setting.dtype)
    chain = pk.build_serial_chain_from_urdf(problems.urdf.encode(), problems.frame).to(dtype=dtype)
    names = chain.get_joint_parameter_names(exclude_fixed=True)
    order = [names.index(name) for name in problems.joint_names]
    limits = torch.tensor(np.array(chain.get_joint_limits()), dtype=dtype).T
    starts = limits[:, 0] + torch.rand(setting.retries, len(names), dtype=dtype) * (limits[:, 1] - limits[:, 0])
    starts[0, order] = torch.tensor(problems.home, dtype=dtype)
    ik = pk.PseudoInverseIK(
        chain, retry_configs=starts, max_iterations=_ITERATIONS, early_stopping_any_converged=True,
        early_stopping_no_improvement=None, regularlization=_REGULARISATION[setting.dtype],
        pos_tolerance=POSITION_TOLERANCE, rot_tolerance=ROTATION_TOLERANCE, clamp_to_limits=setting.clamp,
    )  # fmt: skip

    def solve(matrices: np.ndarray) -> np.ndarray:
        found = ik.solve(pk.Transform3d(matrix=torch.as_tensor(matrices, dtype=dtype)))
        return _best(found)[:, order]

    return solve


def _best(found: Any) -> np.ndarray:
    """Of each pose, the start that converged, or came closest: joint positions (N, J) in its own order."""
    score = (found.err_pos + 0.1 * found.err_rot + 1e3 * ~found.converged).numpy()
    return found.solutions.numpy().astype(np.float64)[np.arange(len(score)), score.argmin(1)]
