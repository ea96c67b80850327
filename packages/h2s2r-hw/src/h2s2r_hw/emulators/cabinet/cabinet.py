"""The emulated cabinet: one monitoring datagram in each period, and what it makes of the answers.

In:  answers of a client, the plant's measurements, time.   Out: datagrams, targets for the plant, events.
Not here: sockets (ports), when its turn is (cell).
"""

from __future__ import annotations

import random
from typing import NamedTuple

from h2s2r_hw.drivers.fri import (
    NUM_JOINTS,
    ClientCommandMode,
    CommandMessage,
    DatagramError,
    FriVersion,
    MonitoringMessage,
    Overlay,
    Quality,
    SessionState,
    decode_command,
    encode_monitoring,
)
from h2s2r_hw.drivers.fri.messages import MONITORING_ID
from h2s2r_hw.emulators.cabinet.checks import refuse_command, refuse_values
from h2s2r_hw.emulators.cabinet.config import CabinetCfg
from h2s2r_hw.emulators.cabinet.link import FaultyLink, Transmit
from h2s2r_hw.emulators.cabinet.motion import Interpolator, Setpoint
from h2s2r_hw.emulators.cabinet.safety import Safety
from h2s2r_hw.emulators.cabinet.session import Session
from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.plant import Plant, Values

_NOTHING: Values = (0.0,) * NUM_JOINTS


class CabinetEvent(NamedTuple):
    """Something the pendant would show."""

    time_ns: int
    """[ns] of the cell's time."""
    code: str
    """Short stable name: ``state`` for a change of state, else why it stopped or what was wrong with an answer."""
    text: str
    """What happened, with the value."""


class Cabinet:
    """One cabinet with one application.

    Args:
        cfg: what operator, application and safety configuration say.
        plant: the arm.
        plan: faults.
        seed: decides which datagrams random faults hit.
        transmit: puts a datagram on the wire, now or later.
        forge: puts one there from a socket that is not the cabinet's.
    """

    def __init__(
        self, cfg: CabinetCfg, plant: Plant, plan: FaultPlan, seed: int, transmit: Transmit, forge: Transmit
    ) -> None:
        self.cfg, self._plant, self._plan, self._forge = cfg, plant, plan, forge
        self._version = FriVersion(cfg.version)
        self._link = FaultyLink(plan, random.Random(f"fri {seed}"), transmit)
        self.session = Session(cfg, self._report)
        self._safety = Safety(cfg, plan)
        self._interpolator = Interpolator(cfg)
        self._setpoint = Setpoint(cfg, plant.measure_arm()[0])
        self._torque = _NOTHING
        self._now_ns = self._torque_ns = self._jumped_ns = 0
        self._sequence = -1
        self._command_sequence = -1
        self._answered = -1
        self._followed = -1
        self._ipo: Values = ()
        self.events: list[CabinetEvent] = []
        """All that happened, oldest first."""
        self.protocol_errors = 0
        """Answers that were no valid command messages, or out of order."""
        self.answers = 0
        """Valid answers."""

    @property
    def messages(self) -> int:
        """Monitoring messages so far, those that a fault then lost included."""
        return self._sequence + 1

    def tick(self, now_ns: int) -> None:
        """One period is over, the next begins."""
        self._now_ns = now_ns
        was_active = self.session.state == SessionState.COMMANDING_ACTIVE
        self._safety.update(now_ns, self._setpoint.at_rest)
        forced = self._plan.active("quality", now_ns)
        self.session.cycle(
            now_ns,
            self._in_time(),
            None if forced is None else Quality(int(forced.values[0])),
            self._safety.objection(),
        )
        if self.session.silent:
            self._hold()
            return
        if was_active and self.session.state == SessionState.COMMANDING_ACTIVE:
            self._watch_torque()
        self._move(was_active)
        self._sequence += 1
        self._send(now_ns)

    def receive(self, datagram: bytes, now_ns: int) -> None:
        """An answer has come."""
        self._now_ns = now_ns
        try:
            command = decode_command(datagram, self._version)
        except DatagramError as error:
            self._protest("undecodable", str(error))
            return
        if command.sequence <= self._command_sequence:
            self._protest("counter", f"answer {command.sequence} after {self._command_sequence}.")
            return
        if command.reflected_sequence > self._sequence:
            self._protest(
                "reflected", f"it answers message {command.reflected_sequence}; the last sent is {self._sequence}."
            )
            return
        self._command_sequence, self.answers = command.sequence, self.answers + 1
        self._answered = max(self._answered, command.reflected_sequence)
        if self.session.state == SessionState.COMMANDING_WAIT:
            self.session.confirm(self._mirrors(command))
        elif self.session.state == SessionState.COMMANDING_ACTIVE:
            self._follow(command)

    def _in_time(self) -> bool:
        """Whether the last message that wanted an answer has got it."""
        return self._answered >= self._sequence - self._sequence % self.cfg.receive_multiplier and self._sequence >= 0

    def _mirrors(self, command: CommandMessage) -> bool:
        joint_pos = command.joint_pos
        if (
            joint_pos is None
            or refuse_values(joint_pos, "joint position")
            or command.reflected_sequence != self._sequence
        ):
            return False
        if self.cfg.mode == "torque" and refuse_values(command.joint_torque, "joint torque"):
            return False
        pairs = zip(joint_pos, self._ipo, strict=True)
        return all(abs(position - ipo) <= self.cfg.wait_tolerance for position, ipo in pairs)

    def _follow(self, command: CommandMessage) -> None:
        """In COMMANDING_ACTIVE."""
        cycles = max(1, self._sequence - self._followed)
        measured = self._plant.measure_arm()[0] if self.cfg.mode == "torque" else _NOTHING
        refusal = refuse_command(command, self.cfg, self._setpoint.joint_pos, cycles, measured)
        if refusal is not None:
            self._cancel(*refusal)
            return
        assert command.joint_pos is not None
        self._setpoint.follow(command.joint_pos, cycles)
        self._followed = self._sequence
        if self.cfg.mode == "torque" and command.joint_torque is not None:
            self._torque, self._torque_ns = command.joint_torque, self._now_ns
        self._plant.command_arm(self._setpoint.joint_pos, self._torque)

    def _watch_torque(self) -> None:
        gap = (self._now_ns - self._torque_ns) * 1e-9
        if self.cfg.mode == "torque" and gap > self.cfg.torque_gap + 1e-9:
            self._cancel(
                "torque_gap", f"no torque for {gap * 1e3:.1f} ms; {self.cfg.torque_gap * 1e3:.1f} are allowed."
            )

    def _move(self, was_active: bool) -> None:
        """What the arm's controller is told in this period."""
        if not self.session.commanding:
            self._hold()
            return
        if not self._ipo:
            self._interpolator.begin(self._setpoint.joint_pos, self._now_ns)
        self._ipo = self._interpolator.at(self._now_ns)
        if self.session.state == SessionState.COMMANDING_WAIT:
            self._setpoint.follow(self._ipo)
            self._plant.command_arm(self._ipo, _NOTHING)
        elif not was_active:
            self._followed, self._torque_ns = self._sequence, self._now_ns

    def _hold(self) -> None:
        """Outside commanding states: come to rest and stay there."""
        self._ipo, self._torque = (), _NOTHING
        self._setpoint.brake(self._safety.brakes_at_once)
        self._plant.command_arm(self._setpoint.joint_pos, _NOTHING)

    def _send(self, now_ns: int) -> None:
        if not self._plan:
            self._link.send(encode_monitoring(self._message(now_ns), self._version), now_ns)
            return
        fault = self._plan.active
        jump = fault("time_jump", now_ns)
        if jump is not None:
            self._jumped_ns = round(jump.values[0] * 1e9)
        count = int(self._plan.value("joint_count", now_ns, NUM_JOINTS))
        message = self._message(now_ns)
        if count != NUM_JOINTS:
            message = _with_joints(message, count)
        if fault("no_ipo", now_ns):
            message = message._replace(ipo_joint_pos=())
        identifier = MONITORING_ID + 1 if fault("wrong_id", now_ns) else MONITORING_ID
        self._link.send(encode_monitoring(message, self._version, identifier), now_ns)
        if fault("foreign_sender", now_ns):
            forged = message._replace(sequence=message.sequence + 1000, ipo_joint_pos=(1.0,) * NUM_JOINTS)
            self._forge(encode_monitoring(forged, self._version), now_ns)

    def _message(self, now_ns: int) -> MonitoringMessage:
        measured, torque, external = self._plant.measure_arm()
        commanding, active = self.session.commanding, self.session.state == SessionState.COMMANDING_ACTIVE
        mode = ClientCommandMode.TORQUE if self.cfg.mode == "torque" else ClientCommandMode.POSITION
        return MonitoringMessage(
            sequence=self._sequence,
            reflected_sequence=max(0, self._command_sequence),
            session_state=self.session.state,
            quality=self.session.quality,
            send_period_ms=self.cfg.send_period_ms,
            receive_multiplier=self.cfg.receive_multiplier,
            num_joints=NUM_JOINTS,
            safety_state=self._safety.safety_state,
            operation_mode=self._safety.operation_mode,
            control_mode=self.cfg.control_mode,
            drive_states=(self._safety.drive_state,) * NUM_JOINTS,
            measured_joint_pos=measured,
            measured_torque=torque,
            commanded_joint_pos=self._setpoint.joint_pos,
            commanded_torque=self._torque,
            external_torque=external,
            time_ns=self.cfg.epoch_ns + self._jumped_ns + now_ns,
            ipo_joint_pos=self._ipo if commanding else (),
            client_command_mode=mode if commanding else ClientCommandMode.NONE,
            overlay=Overlay.JOINT if commanding else Overlay.NONE,
            tracking_performance=self._tracking(measured) if active else 0.0,
        )

    def _tracking(self, measured: Values) -> float:
        away = max(abs(a - b) for a, b in zip(measured, self._setpoint.joint_pos, strict=True))
        begins, ends = self.cfg.tracking
        return min(1.0, max(0.0, (ends - away) / (ends - begins)))

    def _protest(self, code: str, text: str) -> None:
        """An answer was none."""
        self.protocol_errors += 1
        if self.session.state == SessionState.COMMANDING_ACTIVE:
            self._cancel(code, text)
        else:
            self._report(code, text)

    def _cancel(self, code: str, text: str) -> None:
        self.session.cancel(self._now_ns, code, text)

    def _report(self, code: str, text: str) -> None:
        self.events.append(CabinetEvent(self._now_ns, code, text))


def _with_joints(message: MonitoringMessage, count: int) -> MonitoringMessage:
    """A message that speaks of another number of joints."""
    names = ("measured_joint_pos", "measured_torque", "commanded_joint_pos", "commanded_torque", "external_torque")
    values = {name: getattr(message, name) for name in (*names, "ipo_joint_pos")}
    other = {name: (each + _NOTHING * 2)[:count] for name, each in values.items() if each}
    return message._replace(num_joints=count, drive_states=(message.drive_states * 3)[:count], **other)
