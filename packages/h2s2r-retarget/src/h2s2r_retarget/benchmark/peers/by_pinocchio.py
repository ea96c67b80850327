"""pinocchio: damped least squares on its Jacobians, step limited, clamped to the limits (its inverse-kinematics example).

In:  ``PoseProblems``, ``TipProblems``.   Out: functions from the number of a problem to joint positions.
Not here: restarts (attempts).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from h2s2r_retarget.benchmark.peers.attempts import POSITION_TOLERANCE, ROTATION_TOLERANCE, first_success
from h2s2r_retarget.benchmark.problems import PoseProblems, TipProblems

_DAMPING, _STEP_LIMIT, _ITERATIONS, _TIP_ITERATIONS = 1e-4, 0.5, 100, 200


def pose_solver(problems: PoseProblems) -> Callable[[int], np.ndarray]:
    """A function from the number of a pose to joint positions (J)."""
    pin = _pinocchio()
    model, data, order = _model(pin, problems.urdf, problems.joint_names)
    frame = model.getFrameId(problems.frame)
    lower, upper = model.lowerPositionLimit, model.upperPositionLimit
    targets = [pin.SE3(matrix) for matrix in problems.matrices]
    eye, home = np.eye(6) * _DAMPING, np.empty(model.nq)
    home[order] = problems.home

    def attempt(target: Any, q: np.ndarray) -> tuple[np.ndarray, bool]:
        q = q.copy()
        for _ in range(_ITERATIONS):
            pin.computeJointJacobians(model, data, q)
            between = pin.updateFramePlacement(model, data, frame).actInv(target)
            error = pin.log6(between)
            if (
                np.linalg.norm(between.translation) < POSITION_TOLERANCE
                and np.linalg.norm(error.angular) < ROTATION_TOLERANCE
            ):
                return q, True
            jacobian = pin.getFrameJacobian(model, data, frame, pin.LOCAL)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + eye, error.vector)
            q = np.clip(q + step * min(1.0, _STEP_LIMIT / np.abs(step).max()), lower, upper)
        return q, False

    def solve(index: int) -> np.ndarray:
        return first_success(lambda q: attempt(targets[index], q), home, lower, upper, index)[order]

    return solve


def tip_solver(problems: TipProblems) -> Callable[[int], np.ndarray]:
    """A function from the number of a hand to joint positions (J), from the middle of the limits."""
    pin = _pinocchio()
    model, data, order = _model(pin, problems.urdf, problems.joint_names)
    frames = [model.getFrameId(frame) for frame in problems.frames]
    lower, upper = model.lowerPositionLimit, model.upperPositionLimit
    eye, middle = np.eye(3 * len(frames)) * _DAMPING, 0.5 * (lower + upper)

    def solve(index: int) -> np.ndarray:
        q, target = middle.copy(), problems.points[index]
        for _ in range(_TIP_ITERATIONS):
            pin.computeJointJacobians(model, data, q)
            places = [pin.updateFramePlacement(model, data, frame).translation for frame in frames]
            error = (target - np.array(places)).ravel()
            rows = [pin.getFrameJacobian(model, data, frame, pin.LOCAL_WORLD_ALIGNED)[:3] for frame in frames]
            jacobian = np.vstack(rows)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + eye, error)
            longest = np.abs(step).max()
            if longest < 1e-7:
                break
            q = np.clip(q + step * min(1.0, _STEP_LIMIT / longest), lower, upper)
        return q[order]

    return solve


def _pinocchio() -> Any:
    """The library, whose distribution has another name: pin."""
    return import_module("pinocchio")


def _model(pin: Any, urdf: str, joint_names: tuple[str, ...]) -> tuple[Any, Any, np.ndarray]:
    """Model, data, and where each of our joints stands in its configuration."""
    model = pin.buildModelFromXML(urdf)
    order = np.array([model.joints[model.getJointId(name)].idx_q for name in joint_names])
    return model, model.createData(), order
