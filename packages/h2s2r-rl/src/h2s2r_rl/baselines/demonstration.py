"""The whole path of the human's hand in a task, and what a robot's joints make of it.

In:  ``TaskSpec``, a robot.   Out: ``JointPath``: joint positions and palm poses at each policy step.
Not here: playing it back (replay).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.trajectory import retarget_path
from h2s2r_schemas.artifacts import HandTrajectory, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.script.grip import load_grip
from h2s2r_sim.demonstrate.script.manner import Manner
from h2s2r_sim.demonstrate.script.script import write_script
from h2s2r_sim.env.start.premanip import robot_pose
from h2s2r_sim.mdp.goal import GoalPath

#: Which of the script's hands is the one just before contact: after waiting and coming.
_READY = 2
#: [m] by which the object must have moved for the reference to have begun to move it.
_MOVED = 1e-3


@dataclass(frozen=True)
class JointPath:
    """A robot that does what the human's hand did, on the clock of the reference."""

    joint_pos: np.ndarray
    """(T, J) [rad; m] at policy steps 0, 1, …, the last one at the end of the reference."""
    Ts_world_palm: SE3
    """(T) the palm there."""
    ok: np.ndarray
    """(T) whether the robot reaches the human's palm, without a jump."""


def joint_path(task: TaskSpec, embodiment: Embodiment, path: GoalPath) -> JointPath:
    """The human's hand path of a task, retargeted to a robot that stands where its episodes begin.

    Args:
        task: with its hand path, or a bundled one, whose hand path is that of its scripted demonstration.
        embodiment: the robot.
        path: of the goal: gives the policy steps.

    Raises:
        SchemaError: nothing says how the human did the task.
    """
    hand = task.hand if task.hand is not None else scripted_hand(task)
    seen = ~hand.lost
    time = np.minimum(path.control_dt * np.arange(path.last + 1), path.duration)
    flat = hand.p_world_keypoints[seen].reshape(int(seen.sum()), -1)
    keypoints = np.stack([np.interp(time, hand.time[seen], column) for column in flat.T], -1)
    # From where episodes begin: an arm of seven joints has many configurations for one palm, and from another one it would
    # first swing over.
    start = robot_pose(task, embodiment).joint_pos
    found = retarget_path(Retargeter(embodiment), keypoints.reshape(len(time), -1, 3), hand.side, start=start)
    return JointPath(found.joint_pos, found.Ts_world_palm, found.ok)


def scripted_hand(task: TaskSpec) -> HandTrajectory:
    """The hand path of a bundled task's scripted demonstration, on the clock of the reference.

    It begins just before contact, has taken hold when the object begins to move, and keeps its hold to the end.

    Raises:
        SchemaError: the task is not bundled; a recorded one needs its hand path (``TaskSpec.hand``).
    """
    try:
        grip = load_grip(task.name)
    except SchemaError as error:
        raise SchemaError(
            f"Task {task.name!r} has no hand path, so there is nothing to replay: make it from a recording with its hand "
            f"(TaskSpec.hand). ({error})"
        ) from error
    script = write_script(task, grip, Manner(side=task.side))
    ready, held = script.keys[_READY][0], script.motion_start
    onset = motion_onset(task)
    time = task.reference.time
    # Until the object moves, the hand reaches and closes; afterwards it goes with the object.
    at = np.where(time < onset, ready + time / onset * (held - ready), held + time)
    points = np.stack([script.hand(float(instant)).keypoints() for instant in at])
    held_from = int(np.searchsorted(time, onset))
    T_world_object = task.reference.Ts_world_object[held_from]
    p_object_hand = T_world_object.inv().apply(script.hand(held).keypoints())
    points[held_from:] = task.reference.Ts_world_object[held_from:, None].apply(p_object_hand[None])
    return HandTrajectory(
        side=task.side,
        time=time,
        p_world_keypoints=points,
        confidence=np.ones(points.shape[:2]),
        lost=np.zeros(len(time), dtype=bool),
    )


def motion_onset(task: TaskSpec) -> float:
    """[s] on the clock of the reference when the object begins to move; at least one frame."""
    reference = task.reference
    anchors = SE3(reference.wxyz_xyz_world_object[:, None]).apply(task.anchor_points)
    moved = np.linalg.norm(anchors - anchors[0], axis=-1).max(-1) > _MOVED
    return float(reference.time[max(int(np.argmax(moved)), 1)])
