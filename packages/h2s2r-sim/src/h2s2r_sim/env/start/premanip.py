"""The configuration an episode starts from, relative to the object.

In:  ``TaskSpec``, embodiment.   Out: ``Premanip``: joint positions, and the palm in the object's frame.
Not here: displaced starts (starts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_retarget.solve import Solver
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandPose, RobotPose, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class Premanip:
    """Where a robot starts."""

    joint_pos: np.ndarray
    """(J) [rad; m] with the object at the start of the reference."""
    T_object_palm: SE3 | None
    """Palm in the object's frame, to be kept as the object is displaced; none for a start that does not follow it."""


def find_start(task: TaskSpec, embodiment: Embodiment, kind: str, distance: float) -> Premanip:
    """The start of one kind.

    Args:
        task: gives the human hand, or a robot pose already found.
        embodiment: the robot.
        kind: as in ``StartCfg``.
        distance: [m] how far back, or how high, ``far`` and ``overhead`` are.

    Raises:
        SchemaError: the hand's pose is out of the robot's reach; the message says by how much.
    """
    if kind == "default":
        return Premanip(embodiment.home, None)
    T_world_object = task.reference.Ts_world_object[0]
    if kind == "overhead":
        T_world_palm = _above(T_world_object, embodiment, distance)
        joint_pos = _solved(embodiment, T_world_palm, embodiment.home)
    else:
        found = robot_pose(task, embodiment)
        T_world_palm, joint_pos = found.T_world_palm, found.joint_pos
        if kind == "far":
            T_world_palm = _drawn_back(T_world_palm, T_world_object, distance)
            joint_pos = _solved(embodiment, T_world_palm, joint_pos)
    return Premanip(joint_pos, T_world_object.inv() @ T_world_palm)


def robot_pose(task: TaskSpec, embodiment: Embodiment) -> RobotPose:
    """The pre-manipulation pose: the task's own if it was made for this robot, else retargeted from the human hand."""
    if task.robot_pose is not None and task.robot_pose.robot_hash == embodiment.spec().hash():
        return task.robot_pose
    p_world_keypoints = task.reference.Ts_world_object[0].apply(task.p_object_keypoints)
    hand = HandPose(side=task.side, p_world_keypoints=p_world_keypoints, confidence=np.ones(len(KEYPOINT_NAMES)))
    return retarget_hand(hand, embodiment)


def _above(T_world_object: SE3, embodiment: Embodiment, distance: float) -> SE3:
    """Palm facing down ``distance`` above the object, fingers pointing away from the robot."""
    position = T_world_object.translation + np.array([0.0, 0.0, distance])
    ahead = position * (1.0, 1.0, 0.0) / np.linalg.norm(position[:2])
    down = np.array([0.0, 0.0, -1.0])
    rotation = np.stack([down, np.cross(ahead, down), ahead], -1)
    # The fingers' roots, not the palm's middle, are at the palm frame: half a finger back brings the hand over the object.
    return SE3.from_rotation_matrix(rotation, position - 0.05 * ahead)


def _drawn_back(T_world_palm: SE3, T_world_object: SE3, distance: float) -> SE3:
    """The palm moved away from the object, horizontally and up in equal parts."""
    away = (T_world_palm.translation - T_world_object.translation) * (1.0, 1.0, 0.0)
    length = np.linalg.norm(away)
    away = np.array([-1.0, 0.0, 0.0]) if length < 1e-6 else away / length
    moved = T_world_palm.translation + distance * np.sqrt(0.5) * (away + np.array([0.0, 0.0, 1.0]))
    return SE3.from_parts(T_world_palm.wxyz, moved)


def _solved(embodiment: Embodiment, T_world_palm: SE3, joint_pos: np.ndarray) -> np.ndarray:
    solution = Solver(embodiment.chain, poses=(embodiment.palm_frame,)).solve(
        SE3(T_world_palm.wxyz_xyz[None]), guess=joint_pos
    )
    if not solution.reached.all():
        raise SchemaError(
            f"{embodiment.name} cannot bring its palm to {np.round(T_world_palm.translation, 3).tolist()} m: it stays "
            f"{float(solution.position_error.max()) * 1e3:.0f} mm away. Choose another start, or move the object."
        )
    return solution.joint_pos
