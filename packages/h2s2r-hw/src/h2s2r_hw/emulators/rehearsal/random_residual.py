"""Ten million evaluations of the clamp of learned corrections, with anything at its input.

In:  how many, a seed.   Out: violations of its bounds.
Not here: what a loop does with corrections (cases.residual).
"""

from __future__ import annotations

import numpy as np

from h2s2r_hw.config import ResidualCfg
from h2s2r_hw.motion.residual import Correction, bounded

_JOINTS, _ROWS = 23, 20_000
#: Part by which a sum may be off.
_ROUNDING = 1e-9
_ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e308, -1e308, 1e-308, 1.0, -1.0])


def random_residual(evaluations: int, seed: int) -> dict[str, int]:
    """Figures of so many evaluations of the clamp (joints times ticks), and of as many ticks of whole corrections as fit."""
    rng = np.random.default_rng(seed)
    violations = done = 0
    bound = 10.0 ** rng.uniform(-4.0, 2.0, _JOINTS)
    rate = bound * 10.0 ** rng.uniform(-3.0, 0.0, _JOINTS)
    before = np.zeros((_ROWS, _JOINTS))
    while done < evaluations:
        wanted = _anything(rng, before.shape, bound)
        applied = bounded(wanted, before, bound, rate)[0]
        violations += _violations(applied, before, bound, rate)
        before = applied
        done += wanted.size
    ticks, more = _ticks(rng, max(1000, evaluations // 200))
    return {"residual_evaluations": done, "residual_ticks": ticks, "residual_violations": violations + more}


def _anything(rng: np.random.Generator, shape: tuple[int, ...], bound: np.ndarray) -> np.ndarray:
    wanted = rng.normal(size=shape) * bound * 10.0 ** rng.uniform(-3.0, 3.0, shape)
    odd = rng.random(shape) < 0.1
    wanted[odd] = rng.choice(_ODD, int(odd.sum()))
    return wanted


def _violations(applied: np.ndarray, before: np.ndarray, bound: np.ndarray, rate: np.ndarray) -> int:
    """Written so that what is not a number is a violation."""
    most = np.maximum(bound, np.abs(before)) * (1.0 + _ROUNDING)
    within = np.abs(applied) <= most
    slow = np.abs(applied - before) <= rate * (1.0 + _ROUNDING) + _ROUNDING * np.abs(before)
    return int((~(within & slow)).sum())


def _ticks(rng: np.random.Generator, ticks: int) -> tuple[int, int]:
    """Whole corrections, tick by tick, with models that come, go, age and fail."""
    cfg, period = ResidualCfg(), 0.003
    limit = 10.0 ** rng.uniform(-1.0, 2.0, _JOINTS)
    correction = Correction(limit, cfg, period)
    largest = cfg.refuse_fraction * limit
    violations, number, before = 0, 1, np.zeros(_JOINTS)
    for _ in range(ticks):
        number += rng.random() < 0.01
        wanted = None if rng.random() < 0.02 else _anything(rng, (_JOINTS,), limit)
        if wanted is not None and rng.random() < 0.97:
            # Mostly numbers, or nothing would ever act.
            wanted = np.nan_to_num(wanted, posinf=1.0, neginf=-1.0)
        fraction, gain = rng.uniform(0.0, cfg.refuse_fraction), rng.uniform(0.0, 1.0)
        applied = correction.step(wanted, int(number), float(fraction), float(gain), bool(rng.random() < 0.995))
        rate = 0.15 * limit * max(period / cfg.ramp_time, period / cfg.fallback_time)
        violations += _violations(applied, before, largest, rate)
        before = applied.copy()
    return ticks, violations
