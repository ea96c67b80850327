"""How good the emulated cabinet finds the connection.

In:  for each cycle, whether its answer came in time.   Out: ``Quality``.
Not here: what it does about it (session).

KUKA publishes the four levels, but no threshold: the numbers here are ours.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from h2s2r_hw.drivers.fri import Quality


@dataclass(frozen=True)
class QualityCfg:
    """Thresholds, all of them ours."""

    window: int = 100
    """Cycles that are looked back upon."""
    hysteresis: int = 100
    """Cycles for which a better level must have been earned before it is granted; a worse one counts at once."""
    excellent: float = 0.01
    """Largest share of late or lost answers in the window."""
    good: float = 0.05
    """The same for GOOD."""
    fair: float = 0.20
    """The same for FAIR; beyond it is POOR."""
    poor_windows: int = 2
    """After this many windows of POOR in a row the session ends."""


#: For tests that must not hang on our numbers: one that forgives nothing, and one that forgives much.
STRICT = QualityCfg(window=200, hysteresis=200, excellent=0.0, good=0.01, fair=0.05, poor_windows=1)
LAX = QualityCfg(window=20, hysteresis=10, excellent=0.05, good=0.25, fair=0.5, poor_windows=10)


class QualityMonitor:
    """Counts. Cycles before the first count as lost, so that quality has to be earned."""

    def __init__(self, cfg: QualityCfg) -> None:
        self._cfg = cfg
        self._bad: deque[bool] = deque([True] * cfg.window, cfg.window)
        self._count = cfg.window
        self._earned = 0
        self._since_poor = 0
        self.quality = Quality.POOR

    def update(self, in_time: bool) -> Quality:
        """One more cycle has ended."""
        self._count += (not in_time) - self._bad[0]
        self._bad.append(not in_time)
        level = self._level()
        self._earned = self._earned + 1 if level > self.quality else 0
        if level < self.quality or self._earned > self._cfg.hysteresis:
            self.quality, self._earned = level, 0
        self._since_poor = self._since_poor + 1 if self.quality == Quality.POOR else 0
        return self.quality

    @property
    def given_up(self) -> bool:
        """Whether it has been POOR for so long that a session ends."""
        return self._since_poor > self._cfg.poor_windows * self._cfg.window

    def _level(self) -> Quality:
        share = self._count / self._cfg.window
        if share <= self._cfg.excellent:
            return Quality.EXCELLENT
        if share <= self._cfg.good:
            return Quality.GOOD
        return Quality.FAIR if share <= self._cfg.fair else Quality.POOR
