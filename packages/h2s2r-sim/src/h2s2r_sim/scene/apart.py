"""Which links of a robot never touch, whatever its joints do.

In:  a scene with a robot.   Out: pairs of links, as robot.toml lists them.
Not here: what is done with them (robot, pairs), pairs that may overlap (the robot's folder).

As planners do it: by very many random postures, in half of which joints are at their limits, where robots come closest to
themselves. Planners stop there. From the posture in which a pair came nearest we go on downhill, so that one that merely was
not drawn in contact is not taken for one that cannot touch.
"""

from __future__ import annotations

import mujoco
import numpy as np

from h2s2r_sim.scene.model import SceneModel
from h2s2r_sim.scene.robot import PREFIX

#: [m] links that come this near might touch in a posture that was not found.
MARGIN = 0.001
#: Of the joints of every second posture, how many are at a limit.
_AT_LIMIT = 0.4
#: Downhill: attempts, of which each changes about every fourth joint, by less and less of its range.
_ATTEMPTS, _CHANGED, _FIRST, _LAST = 400, 0.25, 0.1, 0.003


def links_apart(scene: SceneModel, samples: int, seed: int, margin: float = MARGIN) -> tuple[tuple[str, str], ...]:
    """Pairs of links, sorted, that are tested for contact but that no posture found brings nearer than ``margin`` [m]."""
    model, robot, rng = scene.model, np.concatenate([scene.arm_geoms, scene.hand_geoms]), np.random.default_rng(seed)
    pairs = np.stack([model.pair_geom1, model.pair_geom2], -1)
    pairs = pairs[np.isin(pairs, robot).all(-1)]
    nearest, where = nearest_drawn(scene, pairs, postures(scene, samples, rng), margin)
    touching: dict[tuple[str, str], bool] = {}
    for geoms, drawn, joint_pos in zip(pairs, nearest, where, strict=True):
        first, second = sorted(model.body(model.geom_bodyid[geom]).name.removeprefix(PREFIX) for geom in geoms)
        touches = touching.get((first, second), False) or drawn < margin
        touching[first, second] = touches or nearest_downhill(scene, geoms, joint_pos, rng, margin) < margin
    return tuple(sorted(links for links, touches in touching.items() if not touches))


def postures(scene: SceneModel, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Random joint positions (S, J), within the limits."""
    lower, upper = scene.robot.position_lower, scene.robot.position_upper
    joint_pos = rng.uniform(lower, upper, (samples, len(lower)))
    at_limit = rng.random(joint_pos.shape) < _AT_LIMIT
    at_limit[::2] = False
    return np.where(at_limit, np.where(rng.random(joint_pos.shape) < 0.5, lower, upper), joint_pos)


def nearest_drawn(
    scene: SceneModel, pairs: np.ndarray, joint_pos: np.ndarray, enough: float
) -> tuple[np.ndarray, np.ndarray]:
    """How near pairs of geoms come in some postures.

    Args:
        scene: with the robot.
        pairs: (P, 2) geoms.
        joint_pos: (S, J) [rad; m].
        enough: [m] once a pair has come nearer than this, it is not looked at any more.

    Returns:
        Smallest distances (P) [m], below 0 for an overlap, and the postures (P, J) of them.
    """
    model, (first, second) = scene.model, pairs.T
    data = mujoco.MjData(model)
    reach = model.geom_rbound[first] + model.geom_rbound[second]
    nearest, where = np.full(len(pairs), np.inf), np.zeros((len(pairs), joint_pos.shape[1]))
    for posture, positions in zip(joint_pos, scene.all_joint_pos(joint_pos), strict=True):
        data.qpos[scene.robot_qpos] = positions
        mujoco.mj_kinematics(model, data)
        offset = data.geom_xpos[first] - data.geom_xpos[second]
        bound = np.sqrt((offset * offset).sum(-1)) - reach
        for index in np.flatnonzero((bound < nearest) & (nearest >= enough)):
            distance = mujoco.mj_geomDistance(model, data, int(first[index]), int(second[index]), 1.0, None)
            if distance < nearest[index]:
                nearest[index], where[index] = distance, posture
    return nearest, where


def nearest_downhill(
    scene: SceneModel, geoms: np.ndarray, joint_pos: np.ndarray, rng: np.random.Generator, enough: float
) -> float:
    """How near [m] two geoms come when joints are moved downhill from a posture (J), until nearer than ``enough``."""
    model, robot = scene.model, scene.robot
    data = mujoco.MjData(model)
    span, nearest = robot.position_upper - robot.position_lower, np.inf
    for size in np.geomspace(_FIRST, _LAST, _ATTEMPTS):
        moved = size * span * rng.standard_normal(len(span)) * (rng.random(len(span)) < _CHANGED)
        tried = np.clip(joint_pos + moved, robot.position_lower, robot.position_upper)
        data.qpos[scene.robot_qpos] = scene.all_joint_pos(tried)
        mujoco.mj_kinematics(model, data)
        distance = mujoco.mj_geomDistance(model, data, int(geoms[0]), int(geoms[1]), 1.0, None)
        if distance < nearest:
            nearest, joint_pos = distance, tried
        if nearest < enough:
            break
    return nearest
