"""Levenberg–Marquardt with restarts, one problem after the other, compiled by numba (extra ``fast``).

In:  ``Robot`` and ``Options`` of plain arrays and numbers, targets, guesses, starts.   Out: arrays filled in place.
Not here: packing them (fast), the model and the kinematics of one configuration (kernel_model).

The same algorithm as in descent and restarts, line by line: tests hold the two to each other. Imported only where it is
used, because importing numba takes a second; what numba compiles is kept on disk beside this file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from h2s2r_retarget.solve.descent import ACCEPTED, LEAST, MOST, REJECTED
from h2s2r_retarget.solve.kernel_model import Robot, linearise, place, quaternion_matrix, turn_left

_JIT = {"cache": True, "error_model": "numpy"}


class Options(NamedTuple):
    """``SolverCfg`` as numbers; see there."""

    tolerance: float
    rotation_weight: float
    step_limit: float
    initial_damping: float
    curvature_after: int
    stationarity: float
    max_iterations: int
    agreement: int


class Work(NamedTuple):
    """Memory for one problem: row 0 and 1 take turns as the current and the tried configuration."""

    q: np.ndarray
    """(2, J) [rad or m]."""
    gradient: np.ndarray
    """(2, J) [m²/rad]."""
    hessian: np.ndarray
    """(2, J, J) [m²/rad²]."""
    free: np.ndarray
    """(J) places of the joints that may move."""
    factor: np.ndarray
    """(J, J) the factored matrix of a step."""
    step: np.ndarray
    """(J) [rad or m]."""
    rotations: np.ndarray
    """(P, 3, 3) wanted orientations."""


@njit(**_JIT)
def solve_each(
    robot: Robot, options: Options, ends: np.ndarray, starts: np.ndarray, points: np.ndarray, wxyz: np.ndarray,
    joint_pos: np.ndarray, position_error: np.ndarray, rotation_error: np.ndarray, reached: np.ndarray,
    iterations: np.ndarray,
) -> None:  # fmt: skip
    """Solve N problems. ``joint_pos`` (N, J) holds the guesses and receives the solutions; the last four are results.

    ``ends``: attempts after which each round ends; ``starts`` (S, J); ``points`` (N, F, 3) [m]; ``wxyz`` (N, P, 4).
    """
    num, joints, poses = joint_pos.shape[0], joint_pos.shape[1], wxyz.shape[1]
    work = Work(
        np.empty((2, joints)), np.empty((2, joints)), np.empty((2, joints, joints)), np.empty(joints, np.int64),
        np.empty((joints, joints)), np.empty(joints), np.empty((poses, 3, 3)),
    )  # fmt: skip
    rotation, position = np.empty((robot.parent.shape[0], 3, 3)), np.empty((robot.parent.shape[0], 3))
    frame_rotation, frame_position = np.empty((points.shape[1], 3, 3)), np.empty((points.shape[1], 3))
    left = np.empty(3)
    for n in range(num):
        for p in range(poses):
            quaternion_matrix(wxyz[n, p], work.rotations[p])
        reached[n], iterations[n] = _attempts(robot, options, ends, starts, points[n], joint_pos[n], work)
        place(robot, joint_pos[n], rotation, position, frame_rotation, frame_position)
        for f in range(points.shape[1]):
            for i in range(3):
                left[i] = points[n, f, i] - frame_position[f, i]
            position_error[n, f] = np.sqrt(left[0] ** 2 + left[1] ** 2 + left[2] ** 2)
        for p in range(poses):
            turn_left(work.rotations[p], frame_rotation[p], left)
            rotation_error[n, p] = np.sqrt(left[0] ** 2 + left[1] ** 2 + left[2] ** 2)


@njit(**_JIT)
def _attempts(
    robot: Robot, options: Options, ends: np.ndarray, starts: np.ndarray, points: np.ndarray, best: np.ndarray, work: Work
) -> tuple[bool, int]:  # fmt: skip
    """Try starts until one reaches, or enough of them agree; ``best`` (J) holds the guess and receives the result."""
    error, worst, done, attempt = np.inf, 0.0, False, 0
    steps = 0
    for end in ends:
        if done or (attempt >= options.agreement and worst - error <= options.tolerance):
            break
        while attempt < end and not done:
            for j in range(best.shape[0]):
                work.q[0, j] = best[j] if attempt == 0 else starts[attempt - 1, j]
            end_error, done, used, row = _descend(robot, options, points, work)
            steps += used
            worst = max(worst, end_error)
            if done or end_error < error - options.tolerance:
                error = end_error
                for j in range(best.shape[0]):
                    best[j] = work.q[row, j]
            attempt += 1
    return done, steps


@njit(**_JIT)
def _descend(robot: Robot, options: Options, points: np.ndarray, work: Work) -> tuple[float, bool, int, int]:
    """Walk from ``work.q[0]``; returns error [m], whether it reached, steps tried, and the row of the result."""
    now, iteration = 0, 0
    cost, largest = _linearise_row(robot, options, points, work, 0, False)
    lever = 0.0
    for j in range(work.q.shape[1]):
        lever = max(lever, work.hessian[0, j, j])
    damping = options.initial_damping * np.sqrt(2.0 * cost * lever)
    while True:
        error = np.sqrt(2.0 * cost)
        num_free, slope = _free_joints(robot, work, now)
        reached = largest <= options.tolerance
        stuck = slope <= options.stationarity * error or damping > MOST
        if reached or stuck or iteration == options.max_iterations:
            return error, reached, iteration, now
        _step(work, now, num_free, damping, options.step_limit)
        tried = 1 - now
        for j in range(work.q.shape[1]):
            work.q[tried, j] = min(max(work.q[now, j] + work.step[j], robot.lower[j]), robot.upper[j])
        iteration += 1
        exact = iteration >= options.curvature_after
        tried_cost, tried_largest = _linearise_row(robot, options, points, work, tried, exact)
        if tried_cost < cost:
            now, cost, largest = tried, tried_cost, tried_largest
            damping = max(damping * ACCEPTED, LEAST)
        else:
            damping *= REJECTED


@njit(**_JIT)
def _linearise_row(
    robot: Robot, options: Options, points: np.ndarray, work: Work, row: int, curvature: bool
) -> tuple[float, float]:
    """Linearise at ``work.q[row]``; returns cost [m²] and largest residual [m]."""
    return linearise(
        robot,
        options.rotation_weight,
        points,
        work.rotations,
        work.q[row],
        curvature,
        work.gradient[row],
        work.hessian[row],
    )


@njit(**_JIT)
def _free_joints(robot: Robot, work: Work, now: int) -> tuple[int, float]:
    """Fill ``work.free``: joints not at a limit that the cost pulls further out. Returns their number and the slope."""
    num, slope = 0, 0.0
    for j in range(work.q.shape[1]):
        q, gradient = work.q[now, j], work.gradient[now, j]
        if not ((q <= robot.lower[j] and gradient > 0.0) or (q >= robot.upper[j] and gradient < 0.0)):
            work.free[num] = j
            num += 1
            slope = max(slope, abs(gradient))
    return num, slope


@njit(**_JIT)
def _step(work: Work, now: int, num: int, damping: float, limit: float) -> None:
    """Fill ``work.step``: minimum of the damped quadratic model over the free joints, by an LDLᵀ factorisation."""
    factor, step, free = work.factor, work.step, work.free
    for j in range(step.shape[0]):
        step[j] = 0.0
    for i in range(num):
        for j in range(i + 1):
            factor[i, j] = work.hessian[now, free[i], free[j]]
        factor[i, i] += damping
    # In place: below the diagonal L, on it D. Without pivots, which the damping makes unnecessary.
    for i in range(num):
        pivot, right = factor[i, i], -work.gradient[now, free[i]]
        for j in range(i):
            value = factor[i, j]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            factor[i, j] = value
        for j in range(i):
            value = factor[i, j]
            factor[i, j] = value / factor[j, j]
            pivot -= value * factor[i, j]
            right -= factor[i, j] * step[free[j]]
        factor[i, i], step[free[i]] = pivot, right
    for i in range(num - 1, -1, -1):
        value = step[free[i]] / factor[i, i]
        for k in range(i + 1, num):
            value -= factor[k, i] * step[free[k]]
        step[free[i]] = value
    longest = 1e-12
    for i in range(num):
        longest = max(longest, abs(step[free[i]]))
    for i in range(num):
        step[free[i]] *= min(limit / longest, 1.0)
