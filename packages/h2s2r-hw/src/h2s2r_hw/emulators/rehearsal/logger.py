"""The logger's process as a part of a rehearsal.

In:  a ``Logger``.   Out: ``LoggerStage``.
Not here: what it writes (bus.log).
"""

from __future__ import annotations

from collections.abc import Mapping

from h2s2r_hw.bus.log import Logger

_LOG_NS = 100_000_000


class LoggerStage:
    """The logger's process in lock-step: ten times a second."""

    def __init__(self, logger: Logger) -> None:
        self.logger, self._due_ns = logger, 0
        self.paused = False
        """Whether the disk hangs."""

    def next_event_ns(self) -> int:
        """[ns]."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing is sent to it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Write what waits."""
        self._due_ns = now_ns + _LOG_NS
        if not self.paused:
            self.logger.step(now_ns)
        return {}
