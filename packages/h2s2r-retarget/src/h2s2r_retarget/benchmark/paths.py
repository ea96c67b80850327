"""Hands that move over a table: whether their whole path is followed without a jump.

In:  an ``Embodiment``, a seed.   Out: figures.
Not here: single poses (arm, hand).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from h2s2r_retarget.benchmark.human import random_shapes, shaped_hands
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.trajectory import retarget_path
from h2s2r_schemas.se3 import SE3

PATHS, FRAMES = 30, 200
#: Every path goes through so many poses, at rest in each.
_VIA = 4
#: [m] where the middle knuckle of those poses may be, in front of the robot.
_LOW, _HIGH = np.array([0.55, -0.28, 0.12]), np.array([0.72, 0.28, 0.35])
#: [rad] how far the palm may be turned from facing down with its fingers ahead: tilt, and turn about the vertical.
_TILT, _TURN = np.deg2rad(25.0), np.deg2rad(30.0)
#: Whether a path is reachable is asked at every so many frames, by solves from many starts.
_EVERY = 5


def path_figures(robot: Embodiment, seed: int, paths: int = PATHS) -> dict[str, Any]:
    """How many of the paths that are reachable at each frame were followed to the end, and the largest step there."""
    rng = np.random.default_rng(seed)
    retargeter = Retargeter(robot)
    reachable = completed = flagged = 0
    excess, steps, seconds = [np.zeros(1)], [np.zeros(len(robot.joint_names))], 0.0
    for _ in range(paths):
        keypoints = hand_path(rng)
        single_ok = retargeter.retarget(keypoints[::_EVERY]).ok
        start = time.process_time()
        followed = retarget_path(retargeter, keypoints)
        seconds += time.process_time() - start
        if not single_ok.all():
            flagged += not followed.ok[::_EVERY][~single_ok].any()
            continue
        reachable += 1
        if followed.ok.all():
            completed += 1
            excess.append((followed.fingertip_error - followed.fingertip_floor).ravel())
            steps.append(np.abs(np.diff(followed.joint_pos, axis=0)).max(axis=0))
    largest = np.rad2deg(np.max(steps, axis=0))
    return {
        "paths": paths,
        "paths_reachable": reachable,
        "paths_completed": completed,
        "paths_unreachable_flagged": flagged,
        "path_max_step_deg": float(largest.max()),
        "path_max_step_deg_arm": float(largest[: robot.num_arm_joints].max()),
        "path_max_step_deg_hand": float(largest[robot.num_arm_joints :].max()),
        "path_tip_excess_mm_mean": float(np.concatenate(excess).mean()) * 1e3,
        "path_tip_excess_mm_p99": float(np.percentile(np.concatenate(excess), 99)) * 1e3,
        "path_tip_excess_mm_max": float(np.concatenate(excess).max()) * 1e3,
        "path_ms_per_frame": seconds / (paths * FRAMES) * 1e3,
    }


def hand_path(rng: np.random.Generator) -> np.ndarray:
    """Keypoints (FRAMES, 21, 3) [m] of a hand that moves between random poses and opens and closes."""
    Ts_world_via = SE3.from_parts(_palm_turns(rng).wxyz, rng.uniform(_LOW, _HIGH, (_VIA, 3)))
    progress = np.linspace(0.0, _VIA - 1.0, FRAMES)
    leg = np.minimum(progress.astype(int), _VIA - 2)
    eased = _minimum_jerk(progress - leg)
    Ts_world_palm = Ts_world_via[leg].interpolate(Ts_world_via[leg + 1], eased)
    shapes = random_shapes(_VIA, rng)
    shapes[:, -1] = shapes[0, -1]  # one hand, of one size
    p_palm_keypoints = shaped_hands(shapes[leg] + (shapes[leg + 1] - shapes[leg]) * eased[:, None])
    return Ts_world_palm[:, None].apply(p_palm_keypoints)


def _palm_turns(rng: np.random.Generator) -> SE3:
    """(VIA) palms that face down, fingers ahead, turned about the vertical and tilted by chance."""
    T_world_down = SE3.from_rotation_matrix(np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]))
    turn = rng.uniform(-_TURN, _TURN, _VIA)
    direction = rng.uniform(0.0, 2.0 * np.pi, _VIA)
    tilt = rng.uniform(0.0, _TILT, _VIA)[:, None] * np.stack([np.cos(direction), np.sin(direction), 0 * direction], -1)
    vertical = turn[:, None] * np.array([0.0, 0.0, 1.0])
    no_move = np.zeros((_VIA, 3))
    Ts_world_turned = SE3.exp(np.concatenate([no_move, vertical], -1)) @ T_world_down
    return SE3.exp(np.concatenate([no_move, tilt], -1)) @ Ts_world_turned


def _minimum_jerk(fraction: np.ndarray) -> np.ndarray:
    """From 0 to 1 and at rest at both (Flash and Hogan, 1985)."""
    return fraction**3 * (10.0 - 15.0 * fraction + 6.0 * fraction**2)
