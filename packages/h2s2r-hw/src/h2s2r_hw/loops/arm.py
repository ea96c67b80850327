"""The arm's loop: the cabinet's datagrams clock it, and each gets one answer.

In:  datagrams, slots.   Out: answers, slots, a log record per tick.
Not here: decoding (drivers.fri), motion (motion), states (part).

A tick either has a datagram, or notices that one is missing. It is the same in real time and in lock-step: ``run`` waits for
a clock, ``act`` and ``hear`` are for a group whose time somebody else lets pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import Struct

from h2s2r_hw.bus.records import ARM_COUNTERS, ARM_LOG, ARM_STATUS, NUM_ARM
from h2s2r_hw.clock import Clock
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.drivers.fri import JOINT_NAMES, DriveState, FriVersion, MonitoringMessage, SessionState
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.drivers.fri.session import ArmSession
from h2s2r_hw.loops.arm_checks import ArmChecks
from h2s2r_hw.loops.bus import Ears, LoopSlots
from h2s2r_hw.loops.part import Part
from h2s2r_hw.loops.report import Report, offset
from h2s2r_hw.motion.limits import joint_limits
from h2s2r_hw.states import MOVING, Action, State, fault_number
from h2s2r_schemas.robots import RobotSpec

CHANNEL = "fri"
#: What only the arm has: in its status before the counters of motion, and at the end of its log record.
_STATUS, _STATUS_AT = Struct(f"<{NUM_ARM}d8qd{len(ARM_COUNTERS)}q"), offset(ARM_STATUS, "external_torque")
_LOG, _LOG_AT = Struct("<qqq"), offset(ARM_LOG, "quality")
_ZEROS, _DRIVES_ON = (0.0,) * NUM_ARM, (DriveState.ACTIVE,) * NUM_ARM
_IDLE, _WAIT, _ACTIVE = SessionState.IDLE, SessionState.COMMANDING_WAIT, SessionState.COMMANDING_ACTIVE
_SILENT = fault_number("fri_silent")
#: [ns] between two records while nothing comes.
_QUIET_NS = 10_000_000


class ArmLoop:
    """One arm.

    Args:
        cfg: of the server.
        robot: whose limits hold.
        link: the cable.
        slots: what it reads and writes.
    """

    def __init__(self, cfg: ServerCfg, robot: RobotSpec, link: ArmLink, slots: LoopSlots) -> None:
        self.cfg, self._link = cfg.arm, link
        limits = joint_limits(robot, JOINT_NAMES)
        period = cfg.arm.send_period_ms * 1e-3
        self._torque_mode = cfg.arm.mode == "torque"
        self._overlay = [cfg.arm.overlay_torque_fraction * each for each in limits.torque]
        self.session = ArmSession(FriVersion(cfg.arm.version), self._torque_mode, period)
        self.part = Part(
            limits,
            cfg.motion,
            cfg.residual,
            Ears(slots, hand=False),
            period,
            cfg.motion.start_tolerance,
            limits.torque,
            slots.peer is not None,
        )
        self.checks = ArmChecks(cfg.arm, limits, self.part)
        self._report = Report(self.part, slots)
        self._timeout_ns = round(cfg.arm.timeout_periods * period * 1e9)
        self._late_ns = round(0.5 * period * 1e9)
        self._heard_ns = self._due_ns = 0
        self._sending = self._waited = self._begins = False
        self._torque_sent: tuple[float, ...] = _ZEROS
        self._external: tuple[float, ...] = _ZEROS
        self._measured_torque: tuple[float, ...] = _ZEROS
        self._seen = (0, -1, -1, -1, -1, -1, 0, 0, 0.0)
        self.timeouts = self.late = 0

    # ── its turns ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, clock: Clock, stop: Callable[[], bool]) -> None:
        """Answer datagrams until ``stop()``."""
        self._heard_ns = clock.now_ns()
        self._due_ns = self._heard_ns + self._timeout_ns
        while not stop():
            datagram = clock.receive(CHANNEL, self._link.read, self._due_ns)
            came_ns = clock.now_ns()
            if datagram is None:
                self.act(came_ns)
            elif self._take(datagram, came_ns):
                clock.sent(CHANNEL)
                self.late += clock.now_ns() - came_ns > self._late_ns

    def next_event_ns(self) -> int:
        """[ns] when a datagram would be missing."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Read so many datagrams and answer them; returns how many answers there were."""
        sent = 0
        for _ in range(count if channel == CHANNEL else 0):
            datagram = self._link.read(10.0)
            sent += self._take(datagram, now_ns) if datagram is not None else False
        return {CHANNEL: sent} if sent else {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """A datagram is missing."""
        self._due_ns = now_ns + _QUIET_NS
        part = self.part
        if part.link:
            self.timeouts += 1
            part.link = part.good = part.follows = self._sending = self._waited = False
            self.session.forget()
        part.listen(now_ns)
        if part.state in MOVING:
            part.fault(_SILENT, (now_ns - self._heard_ns) * 1e-6)
        part.step()
        self._tell(now_ns)
        return {}

    def _take(self, datagram: bytes, now_ns: int) -> bool:
        """One datagram; whether it was answered."""
        message = self.session.hear(datagram)
        if message is None:
            self.checks.cannot_decode(self.session.undecodable_in_a_row)
            if now_ns >= self._due_ns:
                self.act(now_ns)
            return False
        self._heard_ns, self._due_ns = now_ns, now_ns + self._timeout_ns
        part = self.part
        if len(message.measured_joint_pos) == NUM_ARM:
            part.measured = list(message.measured_joint_pos)
        part.listen(now_ns)
        self._enter_or_leave(message)
        self.checks.look(message)
        action = part.step()
        if action == Action.BEGIN and not self._sending:
            part.begin(part.measured)
        answered = message.session_state != _IDLE and self._link.send(self._answer())
        self._remember(message)
        self._tell(now_ns)
        return answered

    def _enter_or_leave(self, message: MonitoringMessage) -> None:
        """Setpoints count from the first COMMANDING_ACTIVE message on."""
        waited, self._waited = self._waited, message.session_state == _WAIT
        if message.session_state != _ACTIVE:
            self._sending = False
        elif not self._sending:
            moving = self.session.ipo_vel if waited and any(self.session.ipo_vel) else None
            begin = self._begin_at(message, waited)
            if len(begin) == NUM_ARM:
                self.part.begin(begin, moving)
                self._sending = self._begins = True

    def _begin_at(self, message: MonitoringMessage, waited: bool) -> Sequence[float]:
        """(7) [rad] where setpoints begin: at the cabinet's own motion, on which ours is laid.

        Where COMMANDING_WAIT was not seen, as datagrams were lost or this loop began anew, ours may have moved away from that
        already: then at what the cabinet was commanded last.
        """
        if waited and len(message.ipo_joint_pos) == NUM_ARM:
            return message.ipo_joint_pos
        if message.commanded_joint_pos:
            return message.commanded_joint_pos
        measured, sent = message.measured_joint_pos, self.part.guard.joint_pos
        if (
            len(measured) == NUM_ARM
            and max(abs(a - b) for a, b in zip(measured, sent, strict=True)) < self.cfg.off_target
        ):
            return sent
        return measured

    def _answer(self) -> bytes:
        part = self.part
        on_target, on_torque = part.correct()
        if not self._sending:
            self._torque_sent = _ZEROS
            return self.session.answer(None)
        # Where it begins is sent as it is, and only then left: a cabinet that moves would else see two ticks' way in one.
        sent = tuple(part.guard.joint_pos if self._begins else part.move(on_target))
        self._begins = False
        if not self._torque_mode:
            return self.session.answer(sent)
        self._torque_sent = self._overlay_torque(on_torque)
        return self.session.answer(sent, self._torque_sent)

    def _overlay_torque(self, correction: list[float] | None) -> tuple[float, ...]:
        """(7) [N·m] feed-forward and correction, within the overlay's limit; nothing unless it tracks."""
        part = self.part
        if part.state != State.TRACK:
            return _ZEROS if correction is None else tuple(correction)
        asked = part.ears.joint_torque
        if correction is not None:
            asked = tuple(a + b for a, b in zip(asked, correction, strict=True))
        limited = tuple(min(max(a, -most), most) for a, most in zip(asked, self._overlay, strict=True))
        part.residual_total += correction is not None and limited != asked
        return limited

    # ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────

    def _remember(self, message: MonitoringMessage) -> None:
        self._seen = (
            message.time_ns,
            message.session_state,
            message.quality,
            message.safety_state,
            message.operation_mode,
            message.control_mode,
            message.drive_states == _DRIVES_ON,
            message.send_period_ms,
            message.tracking_performance,
        )
        self._external = message.external_torque if len(message.external_torque) == NUM_ARM else _ZEROS
        self._measured_torque = message.measured_torque if len(message.measured_torque) == NUM_ARM else _ZEROS

    def _tell(self, now_ns: int) -> None:
        """Status and log record of this tick."""
        report, session, seen = self._report, self.session, self._seen
        target = self.part.guard.joint_pos if self._sending else self.part.measured
        report.write(now_ns, session.joint_vel, self._measured_torque, self._torque_sent, target)
        _STATUS.pack_into(
            report.status,
            _STATUS_AT,
            *self._external,
            *seen,
            session.received,
            session.sent,
            session.undecodable,
            session.lost,
            session.repeated,
            self.timeouts,
            self.late,
            session.clock_jumps,
            session.sessions,
            session.activations,
        )
        _LOG.pack_into(report.log, _LOG_AT, seen[2], seen[1], seen[0])
        report.publish()
