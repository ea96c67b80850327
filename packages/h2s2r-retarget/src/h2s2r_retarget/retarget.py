"""One human hand pose to one robot configuration: the whole package in one call.

In:  keypoints (21, 3) or (T, 21, 3) [m] in the world (the robot's base), a robot.   Out: ``Retargeted``, or a ``RobotPose``.
Not here: its two steps (retargeter), paths without jumps (trajectory), getting out of collisions (clearance).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from h2s2r_retarget.clearance import moved_apart
from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_retarget.result import MAX_PENETRATION, CollisionError, PalmUnreachableError, Retargeted
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.solve import SolverCfg
from h2s2r_retarget.trajectory import retarget_path
from h2s2r_schemas.artifacts import HandPose, RobotPose, Scene


def retarget(
    keypoints: object,
    robot: str | Path | Embodiment = "iiwa14_allegro",
    side: str | None = None,
    cfg: SolverCfg | None = None,
    scene: Scene | None = None,
    avoid_collisions: bool = False,
) -> Retargeted:
    """One hand, or a path of a hand, to a robot: the whole package in one call.

    Args:
        keypoints: (21, 3) or (T, 21, 3) [m] in the robot's base, z up, in ``KEYPOINT_NAMES`` order. A path is followed
            without jumps (trajectory).
        robot: a name, a folder with ``robot.urdf`` and ``robot.toml``, or an ``Embodiment``.
        side: ``right`` or ``left``: whose hand. The robot is mirrored to it; None is the robot's own side.
        cfg: what the solver may spend.
        scene: what stands around the robot.
        avoid_collisions: trade accuracy for distance where the robot overlaps itself or the scene: the palm may then end
            further away than otherwise allowed, and the errors say how far. Of one hand only.

    Raises:
        PalmUnreachableError: one hand whose palm the arm cannot reach; names the distance. Of a path, ``ok`` says where.
        SchemaError: keypoints that are no hand of this side, or no such robot.
    """
    embodiment = robot if isinstance(robot, Embodiment) else load_embodiment(robot, side)
    retargeter = Retargeter(embodiment, cfg, scene)
    if np.ndim(keypoints) == 3:  # type: ignore[arg-type]
        return retarget_path(retargeter, keypoints, side)
    found = retargeter.retarget(keypoints, side)
    if not found.ok.all():
        raise PalmUnreachableError(embodiment.name, float(found.palm_position_error), float(found.palm_rotation_error))
    if avoid_collisions and found.penetration.max() > 0.0:
        return moved_apart(retargeter, found, *retargeter.targets(keypoints, side))
    return found


def retarget_hand(
    hand: HandPose,
    embodiment: Embodiment,
    cfg: SolverCfg | None = None,
    scene: Scene | None = None,
    avoid_collisions: bool = False,
) -> RobotPose:
    """The robot pose that imitates a human hand pose, fit to be a pre-manipulation pose.

    Raises:
        PalmUnreachableError: the arm cannot bring the palm there; names the distance.
        CollisionError: it would be more than 1 mm inside itself or the scene; names the pair.
        SchemaError: see ``Retargeter.targets``.
    """
    found = retarget(hand.p_world_keypoints, embodiment, hand.side, cfg, scene, avoid_collisions)
    if found.penetration > MAX_PENETRATION:
        pair = (str(found.colliding[0]), str(found.colliding[1]))
        raise CollisionError(embodiment.name, pair, float(found.penetration), avoid_collisions)
    return found.robot_pose()
