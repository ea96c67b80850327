"""How many messages of one client are read.

In:  the time [ns] of each message.   Out: whether it is read.
Not here: how large a message may be (gateway), how many connections (zap).
"""

from __future__ import annotations


class RateLimit:
    """A bucket that holds ``burst`` messages and is refilled at ``rate_hz``.

    Args:
        rate_hz: [Hz] messages in the long run.
        burst: messages at once.
        now_ns: [ns] when the first could come.
    """

    def __init__(self, rate_hz: float, burst: int, now_ns: int) -> None:
        self._rate_hz, self._burst, self._left, self._at_ns = rate_hz, float(burst), float(burst), now_ns

    def allow(self, now_ns: int) -> bool:
        """Whether one more message may be read now; it counts if so."""
        self._left = min(self._burst, self._left + (now_ns - self._at_ns) * 1e-9 * self._rate_hz)
        self._at_ns = now_ns
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class RateLimits:
    """One such bucket for each key.

    Args:
        rate_hz: [Hz] messages of one key in the long run.
        burst: messages of one key at once.
    """

    def __init__(self, rate_hz: float, burst: int) -> None:
        self._rate_hz, self._burst = rate_hz, burst
        self._buckets: dict[str, RateLimit] = {}

    def allow(self, user: str, now_ns: int) -> bool:
        """Whether one more message of this key may pass now; it counts if so."""
        if user not in self._buckets:
            self._buckets[user] = RateLimit(self._rate_hz, self._burst, now_ns)
        return self._buckets[user].allow(now_ns)
