"""How fast targets come, and when the newest is too old to follow.

In:  when targets were made.   Out: whether motion may go on.
Not here: which commands are accepted at all (server).
"""

from __future__ import annotations

from h2s2r_hw.config import MotionCfg


class Stream:
    """Of targets.

    Args:
        cfg: how old a target may be.
    """

    def __init__(self, cfg: MotionCfg) -> None:
        self._cfg = cfg
        self._made_ns = 0
        self._ceiling_ns = round(cfg.stale_ceiling * 1e9)
        self._allowed_ns = self._ceiling_ns
        self.period = 0.0
        """[s] from target to target, smoothed; 0 before the second."""

    def hear(self, made_ns: int) -> None:
        """A target that was made then has come."""
        apart, cfg = (made_ns - self._made_ns) * 1e-9, self._cfg
        self._made_ns = made_ns
        if 0.0 < apart < cfg.stale_ceiling:
            self.period = apart if not self.period else self.period + 0.2 * (apart - self.period)
            allowed = min(max(cfg.stale_periods * self.period, cfg.stale_floor), cfg.stale_ceiling)
            self._allowed_ns = round(allowed * 1e9)

    def fresh(self, now_ns: int) -> bool:
        """Whether the newest target is new enough."""
        return now_ns - self._made_ns <= self._allowed_ns
