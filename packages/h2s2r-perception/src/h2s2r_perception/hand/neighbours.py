"""Fit frames again, each from the hand in frames near it that fit better.

In:  ``Evidence`` and ``Fit`` of T frames, which of them to fit again.   Out: ``Fit``.
Not here: a single fit (fit), which frames are worth it (side).

A fit ends in the valley it begins in. The network's own idea of a hand that is seen along its palm is often of another one: in
a recording of a plate that is tilted (``plate_pivot_lift_rack`` 2042) 20 frames ended 21 to 31 mm off at a cost of 145 to 201
so, and 6 to 13 mm off at 36 to 92 when they began from the truth. A hand moves little from frame to frame.
"""

from __future__ import annotations

import numpy as np

from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.evidence import Evidence
from h2s2r_perception.hand.fit import Fit, fit_singly
from h2s2r_perception.hand.skeleton import Posture

#: What one round finds, the next begins from: a good fit comes further with each.
_ROUNDS = 6


def fit_from_neighbours(evidence: Evidence, fit: Fit, time: np.ndarray, again: np.ndarray, cfg: HandCfg) -> Fit:
    """Fit frames again, and keep what costs less.

    Args:
        evidence: of T frames.
        fit: of them, each on its own; infinite cost where it is not worth to be kept.
        time: (T) [s] of them, ascending.
        again: (T) bool, those to fit again.
        cfg: settings.
    """
    rows = np.flatnonzero(again)
    # What the neighbour before, and the one after, cost when a frame last began from it: another cost is another start.
    tried = np.full((2, len(time)), np.nan)
    for _ in range(_ROUNDS):
        before = fit
        for ahead in (0, 1):
            start = _neighbours(fit.cost, time, rows, bool(ahead), cfg)
            new = (start >= 0) & (fit.cost[start] != tried[ahead, rows])
            if new.any():
                tried[ahead, rows[new]] = fit.cost[start[new]]
                fit = _fitted_again(evidence, fit, rows[new], start[new], cfg)
        if fit is before or (fit.cost == before.cost).all():
            break
    return fit


def _neighbours(cost: np.ndarray, time: np.ndarray, rows: np.ndarray, ahead: bool, cfg: HandCfg) -> np.ndarray:
    """For each of the rows the nearest frame, later ones if ``ahead``, that costs so much less; -1 where there is none."""
    every = np.arange(len(time))
    there = (every > rows[:, None]) if ahead else (every < rows[:, None])
    there &= np.abs(time - time[rows, None]) < cfg.neighbour_time
    there &= cost < cfg.neighbour_factor * cost[rows, None]
    far = np.abs(every - rows[:, None])
    return np.where(there.any(axis=1), np.where(there, far, len(time)).argmin(axis=1), -1)


def _fitted_again(evidence: Evidence, fit: Fit, rows: np.ndarray, start: np.ndarray, cfg: HandCfg) -> Fit:
    """The fit with rows that begin from the hand in frames ``start``, shifted to where it is seen; where they cost less."""
    there = fit.posture[start]
    shift = evidence.middle[rows] - evidence.middle[start]
    moved = Posture(there.wrist + shift, there.turn, there.joint_pos)
    found = fit_singly(evidence[rows], moved, fit.shape, cfg, from_scratch=False)
    better = np.zeros(len(fit.cost), bool)
    better[rows] = found.cost < fit.cost[rows]
    # As many frames as there are; those not fitted again are not chosen.
    place = np.zeros(len(fit.cost), int)
    place[rows] = np.arange(len(rows))
    return found[place].where(better, fit)
