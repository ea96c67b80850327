"""How late a loop wakes up on this machine.

In:  rates.   Out: percentiles of lateness, a verdict per rate.
Not here: asking for priority (processes.realtime), which is to be done before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from h2s2r_hw.selftest.check import Check

#: [Hz] and who needs them: FRI at 5 ms, the hand at 3 ms, FRI at 1 ms.
RATES = (200, 333, 1000)
#: Part of a period by which one wake-up in a thousand may be late: the answer still leaves in time.
_LATE = 0.25
#: Part of a period by which the latest one may be: beyond it, an answer is missing.
_LATEST = 0.8


@dataclass(frozen=True)
class Lateness:
    """Of one rate."""

    rate_hz: int
    """[Hz]."""
    wakes: int
    """How many were measured."""
    p50_us: float
    """[µs] median."""
    p99_us: float
    """[µs]."""
    p999_us: float
    """[µs]."""
    max_us: float
    """[µs]."""
    skipped: int
    """Periods that were slept through."""

    @property
    def fit(self) -> bool:
        """Whether a loop of this rate would be on time here."""
        period_us = 1e6 / self.rate_hz
        return self.p999_us <= _LATE * period_us and self.max_us <= _LATEST * period_us

    def check(self) -> Check:
        """As a line."""
        found = (
            f"late by p50 {self.p50_us:.0f}, p99 {self.p99_us:.0f}, p99.9 {self.p999_us:.0f}, max {self.max_us:.0f} µs of "
            f"{1e6 / self.rate_hz:.0f} µs; {self.skipped} of {self.wakes} periods slept through"
        )
        return Check(
            f"{self.rate_hz} Hz",
            self.fit,
            found,
            f"p99.9 must be within {_LATE:.0%} of a period, max within {_LATEST:.0%}. Stop other programs, isolate a core "
            "(isolcpus), use a PREEMPT_RT kernel and the performance governor; or choose a slower rate.",
        )


def measure(rate_hz: int, seconds: float) -> Lateness:
    """Sleep to the next period again and again; periods that are over already are skipped, not caught up."""
    period_ns = round(1e9 / rate_hz)
    late = np.zeros(max(1, round(seconds * rate_hz)))
    count = skipped = 0
    due_ns = time.monotonic_ns() + period_ns
    end_ns = due_ns + round(seconds * 1e9)
    while due_ns < end_ns and count < len(late):
        remaining = due_ns - time.monotonic_ns()
        if remaining > 0:
            time.sleep(remaining * 1e-9)
        late_ns = time.monotonic_ns() - due_ns
        late[count] = late_ns
        count += 1
        missed = late_ns // period_ns
        skipped += missed
        due_ns += (missed + 1) * period_ns
    p50, p99, p999, most = np.percentile(late[:count], (50.0, 99.0, 99.9, 100.0)) * 1e-3
    return Lateness(rate_hz, count, float(p50), float(p99), float(p999), float(most), skipped)
