"""The five states of an FRI session on the emulated cabinet, and what leads from one to the next.

In:  per cycle: whether the answer came in time, whether the arm may move.   Out: the session's state, and events.
Not here: datagrams, commands (cabinet).
"""

from __future__ import annotations

from collections.abc import Callable

from h2s2r_hw.drivers.fri import Quality, SessionState
from h2s2r_hw.emulators.cabinet.checks import Refusal
from h2s2r_hw.emulators.cabinet.config import CabinetCfg
from h2s2r_hw.emulators.cabinet.quality import QualityMonitor

COMMANDING = (SessionState.COMMANDING_WAIT, SessionState.COMMANDING_ACTIVE)
_SECOND = 1_000_000_000
#: Tells a code and a text of what happened.
Report = Callable[[str, str], None]


class Session:
    """One application that opens a session, waits for GOOD, and starts its motion, with the client's on top."""

    def __init__(self, cfg: CabinetCfg, report: Report) -> None:
        self._cfg, self._report = cfg, report
        self._monitor = QualityMonitor(cfg.quality)
        self.state = SessionState.MONITORING_WAIT
        self.quality = Quality.POOR
        self._opened_ns = self._since_ns = 0
        self._closed_ns: int | None = None
        self._was_good = False
        self._motion_from_ns: int | None = 0
        self._confirmed = 0
        self._idle_left = 0

    @property
    def commanding(self) -> bool:
        """Whether the client's commands matter."""
        return self.state in COMMANDING

    @property
    def silent(self) -> bool:
        """Whether the session is closed and that has been said."""
        return self.state == SessionState.IDLE and self._idle_left == 0

    def cycle(self, now_ns: int, in_time: bool, forced: Quality | None, objection: Refusal | None) -> None:
        """One more cycle has ended."""
        if self.state == SessionState.IDLE:
            self._rest(now_ns)
            return
        measured = self._monitor.update(in_time)
        self.quality = measured if forced is None else forced
        good = self.quality >= Quality.GOOD
        self._was_good |= good
        if self.commanding and not good:
            self.cancel(now_ns, "quality", f"quality fell to {self.quality.name}.")
        if self.commanding and objection is not None:
            self.cancel(now_ns, *objection)
        if self.commanding:
            self._advance(now_ns)
        else:
            self._set(SessionState.MONITORING_READY if good else SessionState.MONITORING_WAIT, now_ns)
            self._start_or_give_up(now_ns, good and objection is None)

    def confirm(self, mirrors: bool) -> None:
        """In COMMANDING_WAIT an answer came that does, or does not, mirror the motion."""
        self._confirmed = self._confirmed + 1 if mirrors else 0

    def cancel(self, now_ns: int, code: str, text: str) -> None:
        """The motion ends early; the session goes on in monitoring."""
        self._report(code, text)
        self._set(SessionState.MONITORING_READY, now_ns)
        after = self._cfg.restart_after
        self._motion_from_ns = None if after is None else now_ns + round(after * _SECOND)

    def close(self, now_ns: int, code: str, text: str) -> None:
        """The session ends."""
        self._report(code, text)
        self._set(SessionState.IDLE, now_ns)
        self._idle_left, self._closed_ns = self._cfg.idle_messages, now_ns

    def _advance(self, now_ns: int) -> None:
        if self.state == SessionState.COMMANDING_WAIT:
            if self._confirmed >= self._cfg.wait_answers:
                self._set(SessionState.COMMANDING_ACTIVE, now_ns)
        elif self._cfg.active_time is not None and now_ns - self._since_ns >= self._cfg.active_time * _SECOND:
            self.close(now_ns, "motion_done", "the application's motion is over.")

    def _start_or_give_up(self, now_ns: int, may_move: bool) -> None:
        ready = (
            self.state == SessionState.MONITORING_READY and now_ns - self._since_ns >= self._cfg.ready_time * _SECOND
        )
        if ready and may_move and self._motion_from_ns is not None and now_ns >= self._motion_from_ns:
            self._confirmed = 0
            self._set(SessionState.COMMANDING_WAIT, now_ns)
        elif not self._was_good and now_ns - self._opened_ns > self._cfg.good_timeout * _SECOND:
            self.close(now_ns, "quality_timeout", f"quality did not reach GOOD within {self._cfg.good_timeout} s.")
        elif self._was_good and self._monitor.given_up:
            self.close(now_ns, "connection_lost", "quality was POOR for too long.")

    def _rest(self, now_ns: int) -> None:
        self._idle_left = max(0, self._idle_left - 1)
        after, closed_ns = self._cfg.reopen_after, self._closed_ns
        if after is not None and closed_ns is not None and now_ns - closed_ns >= after * _SECOND:
            self._monitor, self._was_good = QualityMonitor(self._cfg.quality), False
            self.quality, self._opened_ns, self._motion_from_ns = Quality.POOR, now_ns, now_ns
            self._set(SessionState.MONITORING_WAIT, now_ns)

    def _set(self, state: SessionState, now_ns: int) -> None:
        if state != self.state:
            self._report("state", f"{self.state.name} -> {state.name}.")
            self.state, self._since_ns = state, now_ns
