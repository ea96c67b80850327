"""A start for a hand as it was seen: as near to the human's as leaves the robot room.

In:  ``TaskSpec``, embodiment.   Out: ``ClearStart``: the task with a ``RobotPose``, and how far it is drawn back.
Not here: the starts around it (pool), retargeting (h2s2r-retarget).

Robot fingers are thicker than human ones, hands are seen to a centimetre or two, and starts are displaced: at the pose of the
human's hand the robot often touches the object already, or the table, or itself. It is drawn back from the object, lifted, and
its fingers are opened, by as little as leaves it free, and enough of the displaced starts too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.result import CollisionError, PalmUnreachableError
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandPose, RobotPose, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.engines.mujoco.overlap import overlaps
from h2s2r_sim.env.start.pool import StartCfg, StartError, build_pool
from h2s2r_sim.perturbation import NONE, STANDARD, Perturbation
from h2s2r_sim.scene.model import build_model
from h2s2r_sim.scene.options import SceneOptions

#: [m] by which a hand may be drawn back, [m] by which it may be lifted, and coordinates of the synergy ``open`` (or ``close``,
#: the other way) by which its fingers may be opened. All combinations are tried, those first that change least; a step of
#: opening counts as much as 1 cm.
GAPS = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05)
LIFTS = (0.0, 0.01, 0.02, 0.03)
OPENINGS = (0.0, 0.15, 0.3, 0.45)
#: Share of the starts with which the search ends, and how many are tried to find out: being near is worth more than one that is
#: larger, as starts are drawn until enough are free.
_ENOUGH, _TRIED = 0.3, 128
#: Whether a start is free where nothing is displaced.
_ONE = StartCfg(pool=1)
#: The smallest share that is taken where there is none better. Starts are drawn until enough are free, so it costs time alone.
LEAST_FREE = 0.05


@dataclass(frozen=True)
class ClearStart:
    """A start."""

    task: TaskSpec
    """The task with ``robot_pose``: what imitates the hand, with room around it."""
    gap: float
    """[m] by which it is drawn back from the human hand's place."""
    lift: float
    """[m] by which it is higher."""
    opening: float
    """Coordinate of the synergy by which its fingers are opened."""
    share_free: float
    """Of displaced starts, how many touch nothing."""


def clear_start(task: TaskSpec, embodiment: Embodiment, noise: Perturbation = STANDARD, seed: int = 0) -> ClearStart:
    """The free start nearest to the human's around which enough displaced starts touch nothing; else that with most of them.

    Args:
        task: with the human hand.
        embodiment: the robot.
        noise: by how much starts are displaced.
        seed: of the displaced starts.

    Raises:
        SchemaError: there is none; the message of the nearest says why.
    """
    scene = build_model(task, embodiment, SceneOptions(visuals=False))
    cfg = StartCfg(pool=_TRIED, min_valid=LEAST_FREE)

    def overlap(joint_pos: np.ndarray, wxyz_xyz: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return overlaps(scene, joint_pos, wxyz_xyz, size)

    found: list[ClearStart] = []
    refused: Exception | None = None
    for gap, lift, opening in _nearest_first(embodiment):
        try:
            started = _started(task, _opened(_retargeted(task, embodiment, gap, lift), embodiment, opening))
            # Where nothing is displaced, then where everything is.
            build_pool(started, embodiment, _ONE, NONE, overlap, np.random.default_rng(seed))
            pool = build_pool(started, embodiment, cfg, noise, overlap, np.random.default_rng(seed))
        except (CollisionError, PalmUnreachableError, StartError) as error:
            refused = refused or error
            continue
        found.append(ClearStart(started, gap, lift, opening, pool.share_valid))
        if pool.share_valid >= _ENOUGH:
            return found[-1]
    if not found:
        raise SchemaError(
            f"{embodiment.name} has no free start for {task.name!r}, even {100 * GAPS[-1]:.0f} cm further from the object and "
            f"{100 * LIFTS[-1]:.0f} cm higher than the human's hand was: {refused}"
        ) from refused
    return max(found, key=lambda each: each.share_free)


def _nearest_first(embodiment: Embodiment) -> list[tuple[float, float, float]]:
    """All gaps, lifts and openings that are tried."""
    openings = OPENINGS if _opening(embodiment).any() else OPENINGS[:1]
    return sorted(product(GAPS, LIFTS, openings), key=lambda each: each[0] + each[1] + 0.01 * each[2] / OPENINGS[1])


def _started(task: TaskSpec, robot_pose: RobotPose) -> TaskSpec:
    T_object_palm = task.reference.Ts_world_object[0].inv() @ robot_pose.T_world_palm
    return task.replace(robot_pose=robot_pose, wxyz_xyz_object_palm=T_object_palm.wxyz_xyz)


def _opening(embodiment: Embodiment) -> np.ndarray:
    """(J) how the joints go as the hand opens; zeros for a hand without such a synergy."""
    way = np.zeros(len(embodiment.joint_names))
    for name, sign in (("open", 1.0), ("close", -1.0)):
        if name in embodiment.synergy_names:
            way[embodiment.num_arm_joints :] += sign * embodiment.synergies[embodiment.synergy_names.index(name)]
    return way


def _opened(robot_pose: RobotPose, embodiment: Embodiment, opening: float) -> RobotPose:
    """The same pose with the hand more open, and what that costs at its fingertips."""
    if not opening:
        return robot_pose
    lower, upper = embodiment.position_lower, embodiment.position_upper
    joint_pos = np.clip(robot_pose.joint_pos + opening * _opening(embodiment), lower, upper)
    tips = embodiment.chain.forward(joint_pos).translation[1:]
    moved = np.linalg.norm(tips - robot_pose.p_world_fingertips, axis=-1)
    return robot_pose.replace(
        joint_pos=joint_pos,
        at_limit=(joint_pos <= lower) | (joint_pos >= upper),
        p_world_fingertips=tips,
        fingertip_error=robot_pose.fingertip_error + moved,
    )


def _retargeted(task: TaskSpec, embodiment: Embodiment, gap: float, lift: float) -> RobotPose:
    T_world_object = task.reference.Ts_world_object[0]
    keypoints = T_world_object.apply(task.p_object_keypoints)
    away = (keypoints.mean(0) - T_world_object.translation) * (1.0, 1.0, 0.0)
    away = away / max(float(np.linalg.norm(away)), 1e-9)
    hand = HandPose(
        side=task.side,
        p_world_keypoints=keypoints + gap * away + (0.0, 0.0, lift),
        confidence=np.ones(len(KEYPOINT_NAMES)),
    )
    try:
        return retarget_hand(hand, embodiment)
    except CollisionError:
        return retarget_hand(hand, embodiment, avoid_collisions=True)
