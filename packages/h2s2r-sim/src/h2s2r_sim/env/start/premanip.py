"""The configuration an episode starts from, relative to the object.

In:  ``TaskSpec``, embodiment.   Out: ``Premanip``: joint positions, and the palm in the object's frame.
Not here: displaced starts (starts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.result import CollisionError
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_retarget.solve import Solution, Solver
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandPose, RobotPose, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.task.anchors import surface_points

#: [degrees] by which the fingers of an ``overhead`` hand may point down.
_TILTS_DEG = (0.0, 30.0, 60.0, 90.0)


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
        distance: [m] how far back the hand is for ``far``, how high above the object for ``overhead``.

    Raises:
        SchemaError: the hand's pose is out of the robot's reach; the message says by how much.
    """
    if kind == "default":
        return Premanip(embodiment.home, None)
    T_world_object = task.reference.Ts_world_object[0]
    if kind == "overhead":
        T_world_palm, joint_pos = _overhead(task, embodiment, distance)
    else:
        found = robot_pose(task, embodiment)
        if kind == "unmoved":
            return Premanip(found.joint_pos, None)
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
    try:
        return retarget_hand(hand, embodiment)
    except CollisionError:
        # Robot fingers are thicker than human ones: where theirs would overlap, some accuracy is given for room.
        return retarget_hand(hand, embodiment, avoid_collisions=True)


def _overhead(task: TaskSpec, embodiment: Embodiment, distance: float) -> tuple[SE3, np.ndarray]:
    """The open hand with its fingertips ``distance`` above the object, and the joint positions (J) that do it.

    Palm down and fingers pointing away from the robot; where the arm cannot do that, the fingers point down as much as is
    needed.
    """
    points = np.concatenate([surface_points(shape) for shape in task.object.collision])
    T_world_object = task.reference.Ts_world_object[0]
    above = T_world_object.translation.copy()
    above[2] = T_world_object.apply(points)[:, 2].max() + distance
    Ts_world_frame = embodiment.chain.forward(embodiment.home)
    p_palm_fingertips = Ts_world_frame[0].inv().apply(Ts_world_frame.translation[1:]).mean(0)
    ahead = above * (1.0, 1.0, 0.0) / np.linalg.norm(above[:2])
    missed = np.inf
    for tilt in np.deg2rad(_TILTS_DEG):
        fingers = np.cos(tilt) * ahead - np.sin(tilt) * np.array([0.0, 0.0, 1.0])
        palm = -np.sin(tilt) * ahead - np.cos(tilt) * np.array([0.0, 0.0, 1.0])
        rotation = np.stack([palm, np.cross(fingers, palm), fingers], -1)
        T_world_palm = SE3.from_rotation_matrix(rotation, above - rotation @ p_palm_fingertips)
        solution = _solution(embodiment, T_world_palm, embodiment.home)
        if solution.reached.all():
            return T_world_palm, np.asarray(solution.joint_pos)
        missed = min(missed, float(solution.position_error.max()))
    raise _unreachable(embodiment, above, missed)


def _drawn_back(T_world_palm: SE3, T_world_object: SE3, distance: float) -> SE3:
    """The palm moved away from the object, horizontally and up in equal parts."""
    away = (T_world_palm.translation - T_world_object.translation) * (1.0, 1.0, 0.0)
    length = np.linalg.norm(away)
    away = np.array([-1.0, 0.0, 0.0]) if length < 1e-6 else away / length
    moved = T_world_palm.translation + distance * np.sqrt(0.5) * (away + np.array([0.0, 0.0, 1.0]))
    return SE3.from_parts(T_world_palm.wxyz, moved)


def _solved(embodiment: Embodiment, T_world_palm: SE3, joint_pos: np.ndarray) -> np.ndarray:
    solution = _solution(embodiment, T_world_palm, joint_pos)
    if not solution.reached.all():
        raise _unreachable(embodiment, T_world_palm.translation, float(solution.position_error.max()))
    return np.asarray(solution.joint_pos)


def _solution(embodiment: Embodiment, T_world_palm: SE3, joint_pos: np.ndarray) -> Solution:
    solver = Solver(embodiment.chain, poses=(embodiment.palm_frame,))
    return solver.solve(SE3(T_world_palm.wxyz_xyz[None]), guess=joint_pos)


def _unreachable(embodiment: Embodiment, p_world_hand: np.ndarray, missed: float) -> SchemaError:
    return SchemaError(
        f"{embodiment.name} cannot bring its hand to {np.round(p_world_hand, 3).tolist()} m: it stays {missed * 1e3:.0f} mm "
        "away. Choose another start, or move the object."
    )
