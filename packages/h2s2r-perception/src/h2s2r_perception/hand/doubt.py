"""Which frames of a fitted hand are not to be believed, and how sure each keypoint is.

In:  ``Fit``, ``Evidence``.   Out: flags (T), confidence (T, 21).
Not here: which side (side).

A hand seen by its landmarks alone has a twin, turned over about the picture's plane; the wrong one does not fit depth. What
does not fit is flagged: a cost far above the recording's usual one, measured points that are not on the hand, a leap.
"""

from __future__ import annotations

import numpy as np

from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.evidence import PALM_OUTLINE, Evidence
from h2s2r_perception.hand.fit import Fit
from h2s2r_perception.hand.skeleton import posed, rotation_vector
from h2s2r_perception.hand.terms import measured_at

#: [m] behind what was measured at its place, beyond which a keypoint is hidden: deeper than any flesh over it.
_HIDDEN = 0.03
_HIDDEN_CONFIDENCE = 0.3


def doubtful(fit: Fit, time: np.ndarray, cfg: HandCfg) -> np.ndarray:
    """(T) bool: frames that are not to be believed.

    Args:
        fit: of T frames.
        time: (T) [s] of them.
        cfg: settings.
    """
    usual = float(np.median(fit.cost))
    bad = fit.cost > max(cfg.doubt_factor * usual, cfg.doubt_cost)
    bad |= fit.on_flesh < cfg.least_on_flesh
    return bad | leaps(fit, time, cfg)


def leaps(fit: Fit, time: np.ndarray, cfg: HandCfg) -> np.ndarray:
    """(T) bool: frames whose palm is turned away from what the frames around it say."""
    bad = np.zeros(len(time), bool)
    for t in range(len(time)):
        around = np.flatnonzero((np.abs(time - time[t]) < cfg.leap_time) & (np.arange(len(time)) != t))
        if len(around) >= 3:
            apart = rotation_vector(fit.posture.turn[around] @ fit.posture.turn[t].T)
            bad[t] = np.median(np.linalg.norm(apart, axis=-1)) > cfg.leap
    return bad


def outvoted(doubted: np.ndarray, time: np.ndarray, cfg: HandCfg) -> np.ndarray:
    """(T) bool: frames that are doubted, or have more doubted frames around them than others.

    A hand that is turned over for half a second is so in all of its frames, though some of them fit by chance: of 14,628
    frames of 59 rendered recordings that nothing else flagged, this flags 1 % (frames without a hand counted as doubted there),
    among them all 8 that were turned over; a tenth of what it flags is more than 25 mm off, where one in 200 of all is.

    Args:
        doubted: (T) bool, of all frames with a hand; those that look like the other hand, or were left out, are.
        time: (T) [s] of them.
        cfg: settings.
    """
    around = np.abs(time[:, None] - time) < cfg.doubt_time
    return doubted | (around @ np.where(doubted, 1, -1) > 0)


def confidence(fit: Fit, evidence: Evidence, cfg: HandCfg) -> np.ndarray:
    """(T, 21) how sure each keypoint is, 0 to 1: less off its landmark, where hidden, and in frames that fit badly."""
    now = posed(fit.posture, fit.shape)
    agrees = 1.0 / (1.0 + (fit.off / (2 * cfg.pixel_huber)) ** 2)
    behind = now.points[:, :21, 2] - measured_at(now, evidence)
    hidden = np.isfinite(behind) & (behind > _HIDDEN)
    whole = np.clip(1.2 - fit.cost / max(cfg.doubt_factor * float(np.median(fit.cost)), cfg.doubt_cost), 0.2, 1.0)
    return np.clip(agrees * np.where(hidden, _HIDDEN_CONFIDENCE, 1.0) * whole[:, None], 0.0, 1.0)


def palm_normal(points: np.ndarray, side: str) -> np.ndarray:
    """(…, 3) unit vectors out of the palm of keypoints (…, 21, 3)."""
    wrist, index, little = (points[..., PALM_OUTLINE[k], :] for k in (0, 2, 5))
    normal = np.cross(index - wrist, little - wrist) * (-1.0 if side == "right" else 1.0)
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
