"""Kinematics, residual and its derivatives of one configuration, compiled by numba (extra ``fast``).

In:  ``Robot`` of plain arrays, one ``q`` (J).   Out: frames; cost, gradient and Hessian.
Not here: what to do with them (kernel); the batched NumPy and torch form (motion, objective).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

_JIT = {"cache": True, "error_model": "numpy"}


class Robot(NamedTuple):
    """A chain of M moving joints, J chain joints, F frames; every moving joint's frame has its z along the axis."""

    parent: np.ndarray
    """(M) moving joint before each, -1 for the root."""
    slides: np.ndarray
    """(M) whether it slides."""
    rotation: np.ndarray
    """(M, 3, 3) its frame in the parent's at position zero."""
    position: np.ndarray
    """(M, 3) [m] the same."""
    driver: np.ndarray
    """(M) chain joint that drives it, -1 for none."""
    multiplier: np.ndarray
    """(M) of that joint's position."""
    offset: np.ndarray
    """(M) [rad or m]."""
    carrier: np.ndarray
    """(F) moving joint that carries each frame, -1 for the root."""
    frame_rotation: np.ndarray
    """(F, 3, 3) each frame in its carrier."""
    frame_position: np.ndarray
    """(F, 3) [m] the same."""
    moves: np.ndarray
    """(F, M) whether the joint moves the frame."""
    lower: np.ndarray
    """(J) [rad or m]."""
    upper: np.ndarray
    """(J) [rad or m]."""


@njit(**_JIT)
def place(
    robot: Robot, q: np.ndarray, rotation: np.ndarray, position: np.ndarray, frame_rotation: np.ndarray,
    frame_position: np.ndarray,
) -> None:  # fmt: skip
    """Forward kinematics: fill the frames of the moving joints and of the frames, in the root."""
    local, shift = np.empty((3, 3)), np.empty(3)
    for m in range(robot.parent.shape[0]):
        x = robot.offset[m]
        if robot.driver[m] >= 0:
            x += robot.multiplier[m] * q[robot.driver[m]]
        fixed = robot.rotation[m]
        sine, cosine = (0.0, 1.0) if robot.slides[m] else (np.sin(x), np.cos(x))
        slide = x if robot.slides[m] else 0.0
        for i in range(3):
            local[i, 0] = cosine * fixed[i, 0] + sine * fixed[i, 1]
            local[i, 1] = cosine * fixed[i, 1] - sine * fixed[i, 0]
            local[i, 2] = fixed[i, 2]
            shift[i] = robot.position[m, i] + slide * fixed[i, 2]
        _compose(robot.parent[m], rotation, position, local, shift, rotation[m], position[m])
    for f in range(robot.carrier.shape[0]):
        _compose(
            robot.carrier[f], rotation, position, robot.frame_rotation[f], robot.frame_position[f], frame_rotation[f],
            frame_position[f],
        )  # fmt: skip


@njit(**_JIT)
def _compose(
    parent: int, rotation: np.ndarray, position: np.ndarray, local: np.ndarray, shift: np.ndarray,
    out_rotation: np.ndarray, out_position: np.ndarray,
) -> None:  # fmt: skip
    """The frame (``local``, ``shift``) seen from the root, where frame ``parent`` (-1: the root itself) carries it."""
    if parent < 0:
        for i in range(3):
            out_position[i] = shift[i]
            for k in range(3):
                out_rotation[i, k] = local[i, k]
        return
    carrier = rotation[parent]
    for i in range(3):
        x, y, z = carrier[i, 0], carrier[i, 1], carrier[i, 2]
        out_position[i] = position[parent, i] + x * shift[0] + y * shift[1] + z * shift[2]
        for k in range(3):
            out_rotation[i, k] = x * local[0, k] + y * local[1, k] + z * local[2, k]


@njit(**_JIT)
def linearise(
    robot: Robot, rotation_weight: float, points: np.ndarray, rotations: np.ndarray, q: np.ndarray, curvature: bool,
    gradient: np.ndarray, hessian: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Fill ``gradient`` (J) and ``hessian`` (J, J) at ``q``; returns the cost [m²] and the largest residual [m]."""
    moving, frames, poses, joints = robot.parent.shape[0], points.shape[0], rotations.shape[0], q.shape[0]
    rotation, position = np.empty((moving, 3, 3)), np.empty((moving, 3))
    frame_rotation, frame_position = np.empty((frames, 3, 3)), np.empty((frames, 3))
    place(robot, q, rotation, position, frame_rotation, frame_position)
    for a in range(joints):
        gradient[a] = 0.0
        for b in range(joints):
            hessian[a, b] = 0.0
    cost, largest = 0.0, 0.0
    point_rows, turn_rows, moved = np.empty((joints, 3)), np.empty((joints, 3)), np.empty((moving, 3))
    ahead, left = np.empty(3), np.zeros(3)
    for f in range(frames):
        if f < poses:
            turn_left(rotations[f], frame_rotation[f], left)
        for i in range(3):
            ahead[i] = points[f, i] - frame_position[f, i]
            left[i] = rotation_weight * left[i] if f < poses else 0.0
        _frame_rows(robot, f, frame_position[f], rotation, position, rotation_weight, point_rows, turn_rows, moved)
        for i in range(3):
            cost += 0.5 * (ahead[i] ** 2 + left[i] ** 2)
            largest = max(largest, abs(ahead[i]), abs(left[i]))
        for a in range(joints):
            x, y, z = point_rows[a, 0], point_rows[a, 1], point_rows[a, 2]
            gradient[a] -= x * ahead[0] + y * ahead[1] + z * ahead[2]
            for b in range(a + 1):
                hessian[a, b] += x * point_rows[b, 0] + y * point_rows[b, 1] + z * point_rows[b, 2]
            if f < poses:
                x, y, z = turn_rows[a, 0], turn_rows[a, 1], turn_rows[a, 2]
                gradient[a] -= x * left[0] + y * left[1] + z * left[2]
                for b in range(a + 1):
                    hessian[a, b] += x * turn_rows[b, 0] + y * turn_rows[b, 1] + z * turn_rows[b, 2]
        if curvature and poses == 0:
            _subtract_curvature(robot, f, ahead, rotation, moved, hessian)
    for a in range(joints):
        for b in range(a):
            hessian[b, a] = hessian[a, b]
    return cost, largest


@njit(**_JIT)
def _frame_rows(
    robot: Robot, f: int, point: np.ndarray, rotation: np.ndarray, position: np.ndarray, rotation_weight: float,
    point_rows: np.ndarray, turn_rows: np.ndarray, moved: np.ndarray,
) -> None:  # fmt: skip
    """How frame ``f`` moves with the chain's joints (J, 3) [m/rad], turns (weighted), and moves with the moving ones."""
    for j in range(point_rows.shape[0]):
        for i in range(3):
            point_rows[j, i], turn_rows[j, i] = 0.0, 0.0
    for m in range(robot.parent.shape[0]):
        if not robot.moves[f, m]:
            continue
        x, y, z = rotation[m, 0, 2], rotation[m, 1, 2], rotation[m, 2, 2]
        turns = 0.0 if robot.slides[m] else 1.0
        if robot.slides[m]:
            moved[m, 0], moved[m, 1], moved[m, 2] = x, y, z
        else:
            u, v, w = point[0] - position[m, 0], point[1] - position[m, 1], point[2] - position[m, 2]
            moved[m, 0], moved[m, 1], moved[m, 2] = y * w - z * v, z * u - x * w, x * v - y * u
        j = robot.driver[m]
        if j >= 0:
            for i in range(3):
                point_rows[j, i] += robot.multiplier[m] * moved[m, i]
                turn_rows[j, i] += robot.multiplier[m] * turns * rotation_weight * rotation[m, i, 2]


@njit(**_JIT)
def _subtract_curvature(
    robot: Robot, f: int, ahead: np.ndarray, rotation: np.ndarray, moved: np.ndarray, hessian: np.ndarray
) -> None:
    """Take the second derivative of the position, weighted with what is left to go, off the lower half of ``hessian``."""
    for m in range(robot.parent.shape[0]):
        j = robot.driver[m]
        if robot.slides[m] or j < 0 or not robot.moves[f, m]:
            continue
        x, y, z = rotation[m, 0, 2], rotation[m, 1, 2], rotation[m, 2, 2]
        u, v, w = ahead[1] * z - ahead[2] * y, ahead[2] * x - ahead[0] * z, ahead[0] * y - ahead[1] * x
        for n in range(m, robot.parent.shape[0]):
            k = robot.driver[n]
            if k < 0 or not robot.moves[f, n]:
                continue
            value = robot.multiplier[m] * robot.multiplier[n] * (u * moved[n, 0] + v * moved[n, 1] + w * moved[n, 2])
            # One joint may drive both: then the pair counts twice, once in each order.
            hessian[max(j, k), min(j, k)] -= value if (j != k or m == n) else 2.0 * value


@njit(**_JIT)
def quaternion_matrix(wxyz: np.ndarray, matrix: np.ndarray) -> None:
    """Fill ``matrix`` (3, 3) with the rotation of a unit quaternion."""
    w, x, y, z = wxyz[0], wxyz[1], wxyz[2], wxyz[3]
    matrix[0, 0], matrix[0, 1], matrix[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    matrix[1, 0], matrix[1, 1], matrix[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    matrix[2, 0], matrix[2, 1], matrix[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


@njit(**_JIT)
def turn_left(target: np.ndarray, at: np.ndarray, out: np.ndarray) -> None:
    """Fill ``out`` (3) with the rotation vector [rad], in root axes, that takes orientation ``at`` to ``target``."""
    left = np.empty((3, 3))
    for i in range(3):
        for k in range(3):
            left[i, k] = target[i, 0] * at[k, 0] + target[i, 1] * at[k, 1] + target[i, 2] * at[k, 2]
    # The quaternion by the largest of its four entries, each up to the same factor (Shepperd 1978).
    d0, d1, d2 = left[0, 0], left[1, 1], left[2, 2]
    squares = (1 + d0 + d1 + d2, 1 + d0 - d1 - d2, 1 - d0 + d1 - d2, 1 - d0 - d1 + d2)
    wx, wy, wz = left[2, 1] - left[1, 2], left[0, 2] - left[2, 0], left[1, 0] - left[0, 1]
    xy, xz, yz = left[0, 1] + left[1, 0], left[0, 2] + left[2, 0], left[1, 2] + left[2, 1]
    largest = max(squares)
    if largest == squares[0]:
        w, x, y, z = squares[0], wx, wy, wz
    elif largest == squares[1]:
        w, x, y, z = wx, squares[1], xy, xz
    elif largest == squares[2]:
        w, x, y, z = wy, xy, squares[2], yz
    else:
        w, x, y, z = wz, xz, yz, squares[3]
    sign = -1.0 if w < 0.0 else 1.0
    length = np.sqrt(x * x + y * y + z * z)
    factor = 0.0 if length == 0.0 else sign * 2.0 * np.arctan2(length, sign * w) / length
    out[0], out[1], out[2] = factor * x, factor * y, factor * z
