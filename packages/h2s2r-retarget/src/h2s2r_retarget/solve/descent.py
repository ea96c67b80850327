"""Levenberg–Marquardt from one start per problem, inside joint limits, for a whole batch at once.

In:  ``Objective``, starts (N, J), ``Targets``.   Out: ``Descent``: where each problem ended.
Not here: further starts for problems that failed (restarts), the same for single problems in numba (kernel).

Every problem has its own damping and stops by itself; those still running are packed together, so that a batch costs
what its problems cost, not its slowest one times its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.kinematics.damped import limit_step
from h2s2r_retarget.solve.config import SolverCfg
from h2s2r_retarget.solve.objective import Linearised, Objective, Targets
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array

#: Damping after an accepted and after a rejected step, relative to before; and where it starts and stops making sense.
ACCEPTED, REJECTED, LEAST, MOST = 0.2, 6.0, 1e-12, 1e8


@dataclass(frozen=True)
class Descent:
    """Where N problems ended."""

    joint_pos: Array
    """(N, J) [rad or m], inside the limits."""
    error: Array
    """(N) [m] length of the residual."""
    reached: Array
    """(N) whether every target was reached to the tolerance."""
    iterations: Array
    """(N) steps tried."""


@dataclass(frozen=True)
class _Running:
    """The problems that have not stopped."""

    index: Array
    """(n) their places in the batch."""
    joint_pos: Array
    """(n, J)."""
    targets: Targets
    """Theirs."""
    linearised: Linearised
    """Around ``joint_pos``."""
    damping: Array
    """(n) [m²/rad²]."""

    def take(self, keep: Array) -> _Running:
        return _Running(
            self.index[keep],
            self.joint_pos[keep],
            self.targets.take(keep),
            self.linearised.take(keep),
            self.damping[keep],
        )


def descend(
    objective: Objective, start: Array, targets: Targets, lower: Array, upper: Array, cfg: SolverCfg
) -> Descent:
    """Walk each problem from its start (N, J) to a minimum inside ``lower`` and ``upper`` (J)."""
    tolerance = effective_tolerance(cfg.tolerance, start)
    # Steps must not write into the caller's array.
    ended = start * 1.0
    zero = start[:, 0] * 0.0
    error, reached, iterations = zero * 1.0, zero > 0, zero * 1.0
    everything = arrays.nonzero(zero == 0)
    linearised = objective.linearise(start, targets, False)
    now = _Running(everything, start, targets, linearised, cfg.initial_damping * _scale(linearised))
    for iteration in range(cfg.max_iterations + 1):
        blocked = _blocked(now, lower, upper)
        there = now.linearised.largest <= tolerance
        stop = there | _stuck(now, blocked, cfg.stationarity)
        if iteration == cfg.max_iterations or bool(stop.any()):
            stop = stop | (iteration == cfg.max_iterations)
            at = now.index[stop]
            ended[at] = now.joint_pos[stop]
            error[at] = arrays.sqrt(2.0 * now.linearised.cost[stop])
            reached[at] = there[stop]
            iterations[at] = iteration
            if bool(stop.all()):
                break
            keep = ~stop
            now, blocked = now.take(keep), blocked[keep]
        now = _advance(objective, now, blocked, lower, upper, cfg, curvature=iteration + 1 >= cfg.curvature_after)
    return Descent(ended, error, reached, iterations)


def _advance(
    objective: Objective, now: _Running, blocked: Array, lower: Array, upper: Array, cfg: SolverCfg, curvature: bool
) -> _Running:
    """Try one step; keep it where it lowers the cost."""
    step = limit_step(_damped_newton_step(now, blocked, objective.identity), cfg.step_limit)
    tried = arrays.clip(now.joint_pos + step, lower, upper)
    linearised = objective.linearise(tried, now.targets, curvature)
    better = linearised.cost < now.linearised.cost
    damping = arrays.where(better, arrays.maximum(now.damping * ACCEPTED, LEAST), now.damping * REJECTED)
    if not bool(better.all()):
        tried = arrays.where(better[:, None], tried, now.joint_pos)
        linearised = linearised.where(better, now.linearised)
    return _Running(now.index, tried, now.targets, linearised, damping)


def _scale(linearised: Linearised) -> Array:
    """Error times the longest lever (n) [m²/rad]: what makes damping independent of the size of the robot."""
    levers = arrays.amax(arrays.einsum("njj->nj", linearised.hessian))
    return arrays.sqrt(2.0 * linearised.cost * levers)


def _blocked(now: _Running, lower: Array, upper: Array) -> Array:
    """Joints (n, J) at a limit that the cost pulls further out: the active set, which a step leaves where it is."""
    gradient = now.linearised.gradient
    return ((now.joint_pos <= lower) & (gradient > 0)) | ((now.joint_pos >= upper) & (gradient < 0))


def _stuck(now: _Running, blocked: Array, stationarity: float) -> Array:
    """Problems (n) at a minimum, or where no step of any length helps."""
    free = now.linearised.gradient * ~blocked
    error = arrays.sqrt(2.0 * now.linearised.cost)
    return (arrays.amax(arrays.absolute(free)) <= stationarity * error) | (now.damping > MOST)


def _damped_newton_step(now: _Running, blocked: Array, identity: Array) -> Array:
    """The step (n, J) to the minimum of the damped quadratic model, with blocked joints held."""
    free = arrays.like(~blocked, now.joint_pos)
    hessian = now.linearised.hessian * (free[:, :, None] * free[:, None, :])
    diagonal = now.damping[:, None] + (1.0 - free)
    matrix = hessian + identity * diagonal[:, None, :]
    return -arrays.solve(matrix, now.linearised.gradient * free)


def effective_tolerance(tolerance: float, reference: Array) -> float:
    """``tolerance`` [m], or what the dtype of ``reference`` can resolve if that is more."""
    dtype = arrays.to_numpy(reference[:0]).dtype
    return max(tolerance, 32.0 * float(np.finfo(dtype).eps))
