"""The hand whose keypoints are nearest to given ones.

In:  keypoints (21, 3) [m] in the world, side, size.   Out: ``Hand``.
Not here: hands in pictures (perception).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.anatomy import JOINT_NAMES, LIMITS, rest_keypoints
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.hand.skeleton import MIRROR, clamped, keypoints

#: Wrist and knuckles: they move as one piece.
_PALM_POINTS = [0, 5, 9, 13, 17]
#: The wrist joints move the forearm, which has no keypoint.
_FREE = np.array([not name.startswith("wrist") for name in JOINT_NAMES])
_STEPS = 25
#: [m] per [rad] from rest: where keypoints do not tell, as for a twist along a bone, the joint stays at rest.
_REST_WEIGHT = 5e-4


def fit_hand(p_world_keypoints: np.ndarray, side: str = "right", scale: float = 1.0) -> Hand:
    """The nearest hand, in the sense of least squares, within its joint limits.

    Args:
        p_world_keypoints: (21, 3) [m] in ``KEYPOINT_NAMES`` order.
        side: ``left`` or ``right``.
        scale: size of the hand; keypoints of another size are met as well as possible.
    """
    mirror = MIRROR if side == "left" else np.ones(3)
    T_world_palm = _aligned(scale * mirror * rest_keypoints()[_PALM_POINTS], p_world_keypoints[_PALM_POINTS])
    target = T_world_palm.inv().apply(p_world_keypoints) * mirror / scale
    joint_pos, damping = np.zeros(len(JOINT_NAMES)), 1e-6
    error = _residual(joint_pos, target)
    for _ in range(_STEPS):
        turned = joint_pos + 1e-6 * np.eye(len(joint_pos))[_FREE]
        jacobian = (_residual(turned, target) - error).T / 1e-6
        step = np.linalg.solve(jacobian.T @ jacobian + damping * np.eye(_FREE.sum()), jacobian.T @ error)
        tried = joint_pos.copy()
        tried[_FREE] -= step
        tried = clamped(tried)
        tried_error = _residual(tried, target)
        if tried_error @ tried_error < error @ error:
            joint_pos, error, damping = tried, tried_error, damping / 3
        else:
            damping *= 10
    return Hand(T_world_palm, joint_pos, scale, side)


def _residual(joint_pos: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(…, 63 + J) [m] for angles (…, J)."""
    misses = (keypoints(joint_pos) - target).reshape(*joint_pos.shape[:-1], -1)
    return np.concatenate([misses, _REST_WEIGHT * joint_pos / np.ptp(LIMITS, axis=1)], axis=-1)


def _aligned(points: np.ndarray, targets: np.ndarray) -> SE3:
    """The pose that brings points (N, 3) nearest to targets (N, 3); Kabsch, Acta Cryst. A32, 1976."""
    middle, goal = points.mean(axis=0), targets.mean(axis=0)
    u, _, vt = np.linalg.svd((targets - goal).T @ (points - middle))
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return SE3.from_rotation_matrix(rotation, goal - rotation @ middle)
