"""The hand's loop: the hand's own position frames clock it, and each complete set of four gets torques.

In:  frames, slots.   Out: frames, slots, a log record per tick.
Not here: frames themselves (drivers.allegro), motion (motion), states (part).

Where sets stop coming, currents are set to zero, then the servo is switched off: the hand would hold its last currents for
ever. Where this whole loop stops, the guardian (processes) does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct

from h2s2r_hw.bus.records import HAND_COUNTERS, HAND_LOG, HAND_STATUS, NUM_HAND
from h2s2r_hw.clock import Clock
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.drivers.allegro import JOINT_NAMES, Frame
from h2s2r_hw.drivers.allegro.control import HandControl
from h2s2r_hw.drivers.allegro.link import HandLink
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.loops.bus import Ears, LoopSlots
from h2s2r_hw.loops.hand_checks import HandChecks
from h2s2r_hw.loops.part import Part
from h2s2r_hw.loops.report import Report, offset
from h2s2r_hw.motion.limits import joint_limits
from h2s2r_hw.states import MOVING, Action, State
from h2s2r_schemas.robots import RobotSpec

CHANNEL = "can"
#: What only the hand has: in its status before the counters of motion, and at the end of its log record.
_TEMPERATURES, _TEMPERATURES_AT = Struct(f"<{NUM_HAND}d"), offset(HAND_STATUS, "joint_temperature")
_STATUS, _STATUS_AT = Struct(f"<{NUM_HAND}d4q{len(HAND_COUNTERS)}q"), offset(HAND_STATUS, "joint_command")
_COMMANDS_AT = slice(_STATUS_AT, _STATUS_AT + 8 * NUM_HAND)
_COMMANDS_TO = slice(offset(HAND_LOG, "joint_command"), offset(HAND_LOG, "joint_command") + 8 * NUM_HAND)
#: The lowest byte of a little-endian number that is 0 or 1.
_LOG_AT = offset(HAND_LOG, "servo_on")
_NOTHING: Mapping[str, int] = {}
#: [ns] between two records while nothing comes.
_QUIET_NS = 10_000_000
#: [ns] between two requests of a hand that does not report, or has not said who it is.
_ASK_NS = 500_000_000
#: States in which it is asked who it is.
_ASKED = (State.OFFLINE, State.MONITOR)
#: States in which torques are sent.
_DRIVEN = (State.HOLD, State.TRACK, State.SOFT_STOP, State.HOMING)


class HandLoop:
    """One hand.

    Args:
        cfg: of the server.
        robot: whose limits hold.
        port: the hand's bus.
        slots: what it reads and writes.
    """

    def __init__(self, cfg: ServerCfg, robot: RobotSpec, port: CanPort, slots: LoopSlots) -> None:
        self.cfg, self._port = cfg.hand, port
        self.link = HandLink(cfg.hand, port)
        limits = joint_limits(robot, JOINT_NAMES)
        self.control = HandControl(cfg.hand, self.link.version, limits.torque)
        self.part = Part(
            limits,
            cfg.motion,
            cfg.residual,
            Ears(slots, hand=True),
            self.control.period,
            cfg.motion.start_tolerance_hand,
            self.control.torque_limit,
            slots.peer is not None,
        )
        self.checks = HandChecks(cfg.hand, self.link, self.part)
        self._report = Report(self.part, slots)
        self._warmth: list[float] = []
        self._zero_ns, self._period_ns = round(cfg.hand.silent_zero * 1e9), cfg.hand.period_ms * 1_000_000
        self._quiet_ns = min(self._zero_ns, _QUIET_NS)
        self._due_ns, self._asked_ns = 0, -_ASK_NS
        self._was_ns = 0
        self._silenced = False
        self.zeroed = 0

    # ── its turns ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, clock: Clock, stop: Callable[[], bool]) -> None:
        """Answer sets of positions until ``stop()``, then switch the hand off."""
        self._due_ns = clock.now_ns()
        try:
            while not stop():
                frame = clock.receive(CHANNEL, self._port.read, self._due_ns)
                sent = self.act(clock.now_ns()) if frame is None else self._take(frame, clock.now_ns())
                if sent:
                    clock.sent(CHANNEL, sent[CHANNEL])
        finally:
            self.link.switch_off()
            clock.sent(CHANNEL, self.link.unannounced())

    def next_event_ns(self) -> int:
        """[ns] when it must do something even if nothing comes."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Read so many frames; returns how many were sent."""
        sent = 0
        for _ in range(count if channel == CHANNEL else 0):
            frame = self._port.read(10.0)
            if frame is not None:
                sent += self._take(frame, now_ns).get(CHANNEL, 0)
        return {CHANNEL: sent} if sent else {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """No set has come for some time."""
        self._due_ns = now_ns + _QUIET_NS
        self.part.listen(now_ns)
        if self.link.servo_on and now_ns - self.link.positions_ns >= self._zero_ns and not self._silenced:
            # Whatever they were, currents end; a set that comes brings them back, with motion at rest.
            self._silence()
        self._tick(now_ns)
        if self.part.state in _ASKED and now_ns - self._asked_ns >= _ASK_NS:
            self._ask(now_ns)
        return self._sent()

    def _take(self, frame: Frame, now_ns: int) -> Mapping[str, int]:
        """One frame; returns how many were sent."""
        link, part = self.link, self.part
        before = link.joint_pos
        if not link.hear(frame, now_ns):
            if now_ns < self._due_ns and not link.incomplete_in_a_row and not frame.error:
                # One of the first three of a set, as nearly always.
                return _NOTHING
            if frame.error or link.incomplete_in_a_row >= self.cfg.incomplete_limit:
                self._silence()
            return self.act(now_ns) if frame.error or now_ns >= self._due_ns else self._sent()
        cycles = max(1, round((now_ns - self._was_ns) / self._period_ns)) if self._was_ns else 1
        first, self._was_ns = self._was_ns == 0 or cycles > 100, now_ns
        self._due_ns = now_ns + self._quiet_ns
        part.measured = link.joint_pos
        if first or self._silenced:
            self.control.restart(link.joint_pos)
        else:
            self.control.observe(link.joint_pos, cycles)
        part.listen(now_ns)
        if not first:
            self.checks.look_at_positions(before, part.upsampler.joint_pos, cycles)
        self._silenced = False
        self._tick(now_ns, fresh=True)
        if part.state in _ASKED and now_ns - self._asked_ns >= _ASK_NS and not link.identified:
            self._ask(now_ns)
        return self._sent()

    def _tick(self, now_ns: int, fresh: bool = False) -> None:
        """Checks, one step of the states, and with a fresh set of positions: torques."""
        part, link = self.part, self.link
        self.checks.look(now_ns)
        self._do(part.step())
        if fresh and part.state in _DRIVEN:
            on_target, on_torque = part.correct()
            setpoint = part.move(on_target)
            extra = self._extra(on_torque)
            link.push(self.control.torques(link.joint_pos, setpoint, extra))
        elif part.state not in MOVING:
            self.control.rest()
            part.begin(self._measured_within())
        self._tell(now_ns)

    def _do(self, action: Action) -> None:
        """What a step of the states asks of the hand."""
        if action == Action.PREPARE:
            self.link.switch_on()
            self.checks.forget()
        elif action == Action.BEGIN:
            self.part.begin(self._measured_within())
            self.checks.forget()
        elif action in (Action.RELEASE, Action.TRIP):
            self.link.switch_off()
            self.control.rest()
            if action == Action.TRIP and self.part.fault_code:
                # After a fault the hand must say anew who it is.
                self.link.forget()

    def _extra(self, correction: list[float] | None) -> list[float] | None:
        """(16) [N·m] feed-forward and correction; none where there is neither."""
        feedforward = self.part.ears.joint_torque
        if self.part.state != State.TRACK or not any(feedforward):
            return correction
        if correction is None:
            return list(feedforward)
        return [a + b for a, b in zip(feedforward, correction, strict=True)]

    def _measured_within(self) -> list[float]:
        """(16) [rad] where the joints are; at a limit where they are beyond it, as fingers at rest can be."""
        limits = self.part.limits
        triples = zip(self.part.measured, limits.lower, limits.upper, strict=True)
        return [min(max(q, low), high) for q, low, high in triples]

    def _silence(self) -> None:
        """Currents end; motion will begin where the fingers then are."""
        if self.link.servo_on and not self._silenced:
            self.link.zero()
            self.zeroed += 1
            self.control.rest()
            self._silenced = True

    def _ask(self, now_ns: int) -> None:
        self._asked_ns = now_ns
        if self.part.state == State.OFFLINE:
            # It may be another one, or have been switched off and on, when it comes back.
            self.link.forget()
        self.link.ask()

    def _sent(self) -> Mapping[str, int]:
        count = self.link.unannounced()
        return {CHANNEL: count} if count else {}

    # ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, now_ns: int) -> None:
        """Status and log record of this tick."""
        report, link, control = self._report, self.link, self.control
        torque = control.joint_torque
        report.write(now_ns, control.joint_vel, torque, torque, self.part.guard.joint_pos)
        if link.temperatures is not self._warmth:
            self._warmth = link.temperatures
            _TEMPERATURES.pack_into(report.status, _TEMPERATURES_AT, *self._warmth)
        _STATUS.pack_into(
            report.status,
            _STATUS_AT,
            *control.commands,
            link.positions_ns,
            link.servo_on,
            link.identified,
            self.cfg.period_ms,
            link.received,
            link.sent,
            link.cycles,
            link.undecodable,
            link.incomplete,
            self.zeroed,
            link.servo_offs,
            link.send_failed,
            link.bus_errors,
            control.capped,
        )
        report.log[_COMMANDS_TO] = report.status[_COMMANDS_AT]
        report.log[_LOG_AT] = link.servo_on
        report.publish()
