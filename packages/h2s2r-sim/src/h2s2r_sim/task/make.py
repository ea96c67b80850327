"""Make a task from what was seen of a demonstration.

In:  ``ObjectTrajectory``, ``HandPose``, ``Scene``, ``ObjectModel``.   Out: ``TaskSpec``.
Not here: reading tasks from files (files), seeing (perception), the environment (env).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_schemas.artifacts import (
    HandPose,
    HandTrajectory,
    ObjectModel,
    ObjectTrajectory,
    RobotPose,
    Scene,
    TaskSpec,
)
from h2s2r_schemas.codec import Message, encode
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.clearance import penetration
from h2s2r_sim.task.anchors import NUM_ANCHORS, anchor_points
from h2s2r_sim.task.checks import check_hand, check_object, check_path
from h2s2r_sim.task.reference import ReferenceCfg, make_reference


@dataclass(frozen=True)
class TaskCfg:
    """How a task is made. One default for all tasks."""

    reference: ReferenceCfg = field(default_factory=ReferenceCfg)
    """Smoothing, filling and trimming of the object's path."""
    num_anchors: int = NUM_ANCHORS
    """How many anchor points are taken from the object's surface."""
    max_penetration: float = 0.015
    """[m] the path may go into table or fixtures, as tracking has errors; out of the table it is lifted by as much."""


def make_task(
    trajectory: ObjectTrajectory,
    hand: HandPose,
    scene: Scene,
    model: ObjectModel,
    *,
    name: str,
    robot_pose: RobotPose | None = None,
    embodiment: Embodiment | None = None,
    hand_trajectory: HandTrajectory | None = None,
    cfg: TaskCfg | None = None,
) -> TaskSpec:
    """The task that this demonstration shows.

    Args:
        trajectory: the object's path, in the world, as tracked.
        hand: the human hand just before contact, in the world, by the same clock.
        scene: table and fixtures.
        model: the object.
        name: of the task.
        robot_pose: the configuration that imitates the hand, where it is known already.
        embodiment: a robot to find it for.
        hand_trajectory: the whole hand path by the same clock; only baselines need it.
        cfg: see ``TaskCfg``.

    Raises:
        SchemaError: an object, path or hand that cannot be right (``checks``), or both a robot_pose and an embodiment.
        PalmUnreachableError: the embodiment cannot bring its palm there; names the distance.
    """
    check_object(model)
    anchors, reference, start_time = _path(trajectory, scene, model, cfg or TaskCfg())
    T_object_world = reference.Ts_world_object[0].inv()
    robot_pose = _robot_pose(hand, robot_pose, embodiment)
    return TaskSpec(
        name=name,
        object=model,
        scene=scene,
        reference=reference,
        anchor_points=anchors,
        side=hand.side,
        p_object_keypoints=_checked(T_object_world.apply(hand.p_world_keypoints), model),
        wxyz_xyz_object_palm=None if robot_pose is None else (T_object_world @ robot_pose.T_world_palm).wxyz_xyz,
        robot_pose=robot_pose,
        hand=None if hand_trajectory is None else _on_clock(hand_trajectory, start_time, reference.duration),
        sources=_hashes(trajectory, hand, scene, model, robot_pose, hand_trajectory),
    )


def _checked(p_object_keypoints: np.ndarray, model: ObjectModel) -> np.ndarray:
    check_hand(p_object_keypoints, model)
    return p_object_keypoints


def _path(
    trajectory: ObjectTrajectory, scene: Scene, model: ObjectModel, cfg: TaskCfg
) -> tuple[np.ndarray, ObjectTrajectory, float]:
    """Anchor points (K, 3) [m], the reference, and when [s] of the recording it starts."""
    anchors = anchor_points(model, cfg.num_anchors)
    reference, start_time = make_reference(trajectory, anchors, cfg.reference)
    check_path(reference, scene, model)
    return anchors, _out_of_table(reference, scene, model, cfg.max_penetration), start_time


def _robot_pose(hand: HandPose, robot_pose: RobotPose | None, embodiment: Embodiment | None) -> RobotPose | None:
    if robot_pose is not None and embodiment is not None:
        raise SchemaError("Give a robot_pose, or an embodiment to find it for: not both.")
    return robot_pose if embodiment is None else retarget_hand(hand, embodiment)


def _hashes(*inputs: Message | None) -> dict[str, str]:
    """Content hash of each input that was given, by its class."""
    given = [each for each in inputs if each is not None]
    return {type(each).__name__: hashlib.sha256(encode(each)).hexdigest()[:16] for each in given}


def _out_of_table(reference: ObjectTrajectory, scene: Scene, model: ObjectModel, allowed: float) -> ObjectTrajectory:
    """The reference, lifted where it is in the table by no more than tracking errors explain.

    Raises:
        SchemaError: it goes deeper than ``allowed`` [m] into anything.
    """
    depth = penetration(model, scene, reference.Ts_world_object)
    for name, depths in depth.items():
        worst = int(np.argmax(depths))
        if depths[worst] > allowed:
            raise SchemaError(
                f"The path of {model.name} goes {depths[worst] * 1e3:.0f} mm into '{name}' at {reference.time[worst]:.2f} s; at "
                f"most {allowed * 1e3:.0f} mm can be tracking error. Check where '{name}' stands, the camera's calibration, and "
                "the size of the object's mesh."
            )
    up = scene.T_world_table.rotate(np.array([0.0, 0.0, 1.0]))
    wxyz_xyz = reference.wxyz_xyz_world_object.copy()
    wxyz_xyz[:, 4:] += depth["table"][:, None] * up
    return reference.replace(wxyz_xyz_world_object=wxyz_xyz)


def _on_clock(hand: HandTrajectory, start_time: float, duration: float) -> HandTrajectory:
    """The hand path during the reference, on its clock."""
    kept = (hand.time >= start_time - 1e-9) & (hand.time <= start_time + duration + 1e-9)
    if not kept.any():
        raise SchemaError(
            f"The hand path spans {hand.time[0]:.2f}-{hand.time[-1]:.2f} s, the motion starts at {start_time:.2f} s: "
            "give both by one clock."
        )
    return hand.replace(
        time=hand.time[kept] - start_time,
        p_world_keypoints=hand.p_world_keypoints[kept],
        confidence=hand.confidence[kept],
        lost=hand.lost[kept],
    )


def reexpressed(task: TaskSpec, T_new_world: SE3) -> TaskSpec:
    """The same task in another world frame, e.g. that of a robot calibrated later; the start, in the object frame, stays.

    A robot pose is dropped: it held for the old world.
    """
    bodies = tuple(
        body.replace(wxyz_xyz_world_body=(T_new_world @ body.T_world_body).wxyz_xyz) for body in task.scene.bodies
    )
    scene = task.scene.replace(wxyz_xyz_world_table=(T_new_world @ task.scene.T_world_table).wxyz_xyz, bodies=bodies)
    path = task.reference.replace(wxyz_xyz_world_object=(T_new_world @ task.reference.Ts_world_object).wxyz_xyz)
    hand = task.hand and task.hand.replace(p_world_keypoints=T_new_world.apply(task.hand.p_world_keypoints))
    return task.replace(scene=scene, reference=path, hand=hand, robot_pose=None, wxyz_xyz_object_palm=None)
