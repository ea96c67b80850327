"""Bounds of a learned correction: finite, magnitude, rate; and when it is switched off.

In:  what a model wants (J).   Out: (J) what may be added to a command; a count per stage.
Not here: the model (network), the limits of the sum (loops), limits of motion (upsample, guard).

However wrong the model is, what comes out lies within its bound and changes by no more than its rate. Any fault of it (not
finite, too old, at its bound too often, far from its training for long) lets the correction go to zero from the same tick on.
This is no safety function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import le, sub

import numpy as np

from h2s2r_hw.config import ResidualCfg

Array = np.ndarray
#: Part of a joint's limit by whose ramp the rate is set, whatever a model asks for.
USUAL_FRACTION = 0.15
#: [s] with no gain at all after which a correction is switched off.
FAR_TIME = 2.0


def bounded(wanted: Array, before: Array, bound: Array, rate: Array) -> tuple[Array, Array, Array, Array]:
    """What may be applied, and which stage changed it.

    Args:
        wanted: (…, J) correction; anything, also not a number.
        before: (…, J) applied in the tick before.
        bound: (J) largest correction, either way.
        rate: (J) largest change in a tick.

    Returns:
        (…, J) within ``bound`` (where ``before`` was beyond it, on the way back), and not further than ``rate`` from ``before``;
        and three times (…, J) whether it was not finite, beyond the bound, too fast.
    """
    finite = np.isfinite(wanted)
    asked = np.where(finite, wanted, 0.0)
    within = np.minimum(np.maximum(asked, -bound), bound)
    change = within - before
    slow = np.minimum(np.maximum(change, -rate), rate)
    # The sum is rounded: never beyond the bound for that.
    most = np.maximum(bound, np.abs(before))
    applied = np.minimum(np.maximum(before + slow, -most), most)
    return applied, ~finite, within != asked, slow != change


@dataclass
class Counts:
    """How often each stage acted."""

    active: int = 0
    """Ticks with a correction that is not zero."""
    not_finite: int = 0
    """Joint-ticks."""
    magnitude: int = 0
    """Joint-ticks."""
    rate: int = 0
    """Joint-ticks."""
    stale: int = 0
    """Ticks."""
    fallbacks: int = 0
    """Times that it was switched off."""


class Correction:
    """The correction of one part, tick after tick.

    Args:
        limit: (J) [N·m, or rad where positions are corrected] that fractions are of.
        cfg: bounds.
        period: [s] of a tick.
    """

    def __init__(self, limit: Array, cfg: ResidualCfg, period: float) -> None:
        self._cfg, self._limit, self._period = cfg, limit, period
        self._rate = USUAL_FRACTION * limit * min(1.0, period / cfg.ramp_time)
        self._fall = USUAL_FRACTION * limit * min(1.0, period / cfg.fallback_time)
        self._rates: list[float] = self._rate.tolist()
        self.values: list[float] = [0.0] * len(limit)
        """(J) applied in this tick."""
        self.idle = True
        """Whether that is nothing."""
        self.counts = Counts()
        """Since the start."""
        self._fraction, self._bounds = -1.0, self.values
        self._number, self._off_until = 0, 0.0
        self._saturated = self._far = self._time = 0.0

    def step(self, wanted: Array | None, number: int, fraction: float, gain: float, fresh: bool) -> Array:
        """As ``advance``, with arrays."""
        return np.array(
            self.advance(None if wanted is None else wanted.tolist(), number, float(fraction), float(gain), fresh)
        )

    def advance(
        self, wanted: Sequence[float] | None, number: int, fraction: float, gain: float, fresh: bool
    ) -> list[float]:
        """(J) to add in this tick.

        Args:
            wanted: (J) what the model wants; none where no correction is asked for.
            number: of the model: another one may act although the one before was switched off.
            fraction: of the limits, its bound.
            gain: 0 … 1, how far the inputs are inside its training.
            fresh: whether ``wanted`` is new enough.
        """
        if wanted is None:
            return self.end()
        self._time += self._period
        if number != self._number:
            self._number, self._off_until = number, 0.0
            self._saturated = self._far = 0.0
        if self._time < self._off_until:
            return self._fade(self._fall)
        if not fresh:
            self.counts.stale += 1
            return self._switch_off(self._cfg.retry_after)
        if not (0.0 <= gain <= 1.0 and 0.0 <= fraction <= 1.0):
            self.counts.not_finite += len(self.values)
            return self._switch_off(np.inf)
        if fraction != self._fraction:
            self._fraction, self._bounds = fraction, (fraction * self._limit).tolist()
        if gain < 1.0:
            # Nothing times not a number stays none.
            wanted = [gain * each for each in wanted]
        return self._act(wanted, gain)

    def end(self) -> list[float]:
        """(J) to add in this tick, in which no correction is asked for: what there is fades."""
        self._time += self._period
        return self.values if self.idle else self._fade(self._rate)

    def _act(self, wanted: Sequence[float], gain: float) -> list[float]:
        self._far = self._far + self._period if gain == 0.0 else 0.0
        change = map(sub, wanted, self.values)
        if all(map(le, map(abs, wanted), self._bounds)) and all(map(le, map(abs, change), self._rates)):
            # Nothing to bound, as in most ticks: that much is known without NumPy, which costs ten times as much here.
            saturated, applied = False, list(wanted)
        else:
            arrays = bounded(np.array(wanted), np.array(self.values), np.array(self._bounds), self._rate)
            wrong, large, fast = (int(each.sum()) for each in arrays[1:])
            if wrong:
                self.counts.not_finite += wrong
                return self._switch_off(np.inf)
            self.counts.magnitude += large
            self.counts.rate += fast
            saturated, applied = large > 0, arrays[0].tolist()
        # Share of the last second, fading.
        self._saturated += (saturated - self._saturated) * self._period
        if self._saturated > self._cfg.saturated_share or self._far > FAR_TIME:
            return self._switch_off(self._cfg.retry_after)
        return self._apply(applied)

    def _switch_off(self, seconds: float) -> list[float]:
        """For so long, or until another model comes; the way to zero begins in this tick."""
        self.counts.fallbacks += 1
        self._off_until = self._time + seconds
        self._saturated = self._far = 0.0
        return self._fade(self._fall)

    def _fade(self, rate: Array) -> list[float]:
        if self.idle:
            return self.values
        none = np.zeros(len(self.values))
        return self._apply(bounded(none, np.array(self.values), none, rate)[0].tolist())

    def _apply(self, applied: list[float]) -> list[float]:
        self.values, self.idle = applied, not any(applied)
        self.counts.active += not self.idle
        return applied
