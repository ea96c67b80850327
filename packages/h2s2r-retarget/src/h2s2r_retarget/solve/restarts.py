"""Several starts for the problems that need them: the first that reaches its targets wins, else the closest.

In:  ``Part``, wanted positions and orientations, first guesses (N, J), further starts (S, J).   Out: ``Outcome``.
Not here: one walk from one start (descent).

A problem's result depends on its own targets and guess only, never on its neighbours in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.solve.config import SolverCfg
from h2s2r_retarget.solve.descent import Descent, descend, effective_tolerance
from h2s2r_retarget.solve.objective import Objective, Penalty, Targets
from h2s2r_retarget.solve.parts import Outcome, Part
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.se3 import quaternions


@dataclass
class _Best:
    """The best end found so far for each of N problems."""

    joint_pos: Array
    """(N, J) [rad or m]."""
    error: Array
    """(N) [m] length of the residual there."""
    worst: Array
    """(N) [m] the same at the worst end."""
    reached: Array
    """(N) whether every target was reached."""
    iterations: Array
    """(N) steps tried, over all attempts."""
    attempts: Array
    """(N) starts used."""


def spread_starts(lower: np.ndarray, upper: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Starts (count, J) [rad or m] that fill the limits evenly from the first on.

    The additive sequence of Roberts (2018, "The unreasonable effectiveness of quasirandom sequences"), shifted by the
    seed. A joint without limits gets one turn, from -π to π.
    """
    bounded = np.isfinite(lower) & np.isfinite(upper)
    low, high = np.where(bounded, lower, -np.pi), np.where(bounded, upper, np.pi)
    # The generalised golden ratio: the positive root of x**(J + 1) = x + 1.
    ratio = 2.0
    for _ in range(60):
        ratio = (1.0 + ratio) ** (1.0 / (len(lower) + 1))
    strides = ratio ** -np.arange(1.0, len(lower) + 1)
    shift = np.random.default_rng(seed).random(len(lower))
    return low + (high - low) * ((shift + np.arange(1, count + 1)[:, None] * strides) % 1.0)


class BatchedPart:
    """One part, solved for many problems at once, on NumPy arrays or torch tensors.

    Args:
        part: frames and joints.
        starts: (S, J) [rad or m] further starts.
        cfg: tolerances and budget.
        penalty: extra residual.
    """

    def __init__(self, part: Part, starts: np.ndarray, cfg: SolverCfg, penalty: Penalty | None = None) -> None:
        self.part, self.starts, self.cfg, self.penalty = part, starts, cfg, penalty
        self._rounds = cfg.rounds

    def solve(self, points: Array, wxyz: Array, guess: Array) -> Outcome:
        """Solve N problems: ``points`` (N, F, 3) [m], ``wxyz`` (N, P, 4), ``guess`` (N, J)."""
        chain, cfg, width = self.part.chain, self.cfg, guess.shape[-1]
        lower, upper = chain.limits(guess)
        starts = arrays.like(self.starts, guess)
        objective = Objective(chain.tables(guess), cfg.rotation_weight, arrays.eye(width, guess), self.penalty)
        targets = Targets(points, quaternions.to_matrix(wxyz))
        tolerance = effective_tolerance(cfg.tolerance, guess)
        zero = guess[:, 0] * 0.0
        best = _Best(guess * 1.0, zero + np.inf, zero * 1.0, zero > 0, zero * 1.0, zero * 1.0)
        for first, stop in self._rounds:
            open_ = arrays.nonzero(~best.reached & ~_agreed(best, tolerance, cfg.agreement))
            if len(open_) == 0:
                break
            count = stop - first
            if first == 0:
                begin, wanted = guess[open_], targets.take(open_)
            else:
                begin = arrays.broadcast_to(starts[first - 1 : stop - 1], (len(open_), count, width)).reshape(-1, width)
                wanted = targets.take(arrays.broadcast_to(open_[:, None], (len(open_), count)).reshape(-1))
            ends = descend(objective, begin, wanted, lower, upper, cfg)
            for k in range(count):
                _keep_better(best, open_, _every(ends, k, count), tolerance)
        distance, angle = objective.errors(best.joint_pos, targets)
        return Outcome(best.joint_pos, distance, angle, best.reached, best.iterations)


def _agreed(best: _Best, tolerance: float, agreement: int) -> Array:
    """Problems (N) that enough attempts all left at the same error: a floor, not a local minimum."""
    return (best.attempts >= agreement) & (best.worst - best.error <= tolerance)


def _every(ends: Descent, k: int, width: int) -> Descent:
    """The k-th attempt of each problem."""
    return Descent(ends.joint_pos[k::width], ends.error[k::width], ends.reached[k::width], ends.iterations[k::width])


def _keep_better(best: _Best, at: Array, ends: Descent, tolerance: float) -> None:
    """Take an attempt that is the first to reach, or closer by more than the tolerance; count it unless one reached."""
    counts = ~best.reached[at]
    better = counts & (ends.reached | (ends.error < best.error[at] - tolerance))
    counted = at[counts]
    best.iterations[counted] = best.iterations[counted] + ends.iterations[counts]
    best.attempts[counted] = best.attempts[counted] + 1
    best.worst[counted] = arrays.maximum(best.worst[counted], ends.error[counts])
    taken = at[better]
    best.joint_pos[taken] = ends.joint_pos[better]
    best.error[taken] = ends.error[better]
    best.reached[taken] = ends.reached[better]
