"""mink: differential inverse kinematics by quadratic programs on MuJoCo, iterated to convergence.

In:  ``PoseProblems``.   Out: a function from the number of a pose to joint positions.
Not here: restarts (attempts).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from h2s2r_retarget.benchmark.peers.attempts import POSITION_TOLERANCE, ROTATION_TOLERANCE, first_success
from h2s2r_retarget.benchmark.problems import PoseProblems

_ITERATIONS, _STEP_LIMIT, _SOLVER = 100, 0.8, "daqp"
#: So that links without mass, and links that a fixed joint carries, stay.
_COMPILER = '<mujoco><compiler fusestatic="false" boundmass="1e-3" boundinertia="1e-6" balanceinertia="true"/></mujoco>'


def pose_solver(problems: PoseProblems) -> Callable[[int], np.ndarray]:
    """A function from the number of a pose to joint positions (J)."""
    import mink  # noqa: PLC0415 # pyright: ignore[reportMissingImports, reportMissingModuleSource]
    import mujoco  # noqa: PLC0415

    model = mujoco.MjModel.from_xml_string(problems.urdf.replace("</robot>", _COMPILER + "</robot>"))
    order = np.array([model.joint(name).qposadr[0] for name in problems.joint_names])
    lower, upper = model.jnt_range.T
    configuration = mink.Configuration(model)
    task = mink.FrameTask(problems.frame, "body", position_cost=1.0, orientation_cost=1.0, lm_damping=1e-3)
    limits = [mink.ConfigurationLimit(model)]
    targets = [mink.SE3.from_matrix(matrix) for matrix in problems.matrices]
    home = np.empty(model.nq)
    home[order] = problems.home

    def attempt(q: np.ndarray) -> tuple[np.ndarray, bool]:
        configuration.update(q)
        for _ in range(_ITERATIONS):
            error = task.compute_error(configuration)
            if np.linalg.norm(error[:3]) < POSITION_TOLERANCE and np.linalg.norm(error[3:]) < ROTATION_TOLERANCE:
                return configuration.q.copy(), True
            try:
                velocity = mink.solve_ik(configuration, [task], 1.0, _SOLVER, limits=limits)
            except mink.NoSolutionFound:
                break
            step = velocity * min(1.0, _STEP_LIMIT / np.abs(velocity).max())
            configuration.update(np.clip(configuration.q + step, lower, upper))
        return configuration.q.copy(), False

    def solve(index: int) -> np.ndarray:
        task.set_target(targets[index])
        return first_success(attempt, home, lower, upper, index)[order]

    return solve
