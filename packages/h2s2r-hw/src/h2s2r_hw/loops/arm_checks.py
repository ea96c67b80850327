"""What is wrong with the cabinet or the arm at this tick.

In:  the newest message, what is sent.   Out: the flags and faults of a ``Part``.
Not here: silence of the cabinet (arm), what follows from a fault (states).
"""

from __future__ import annotations

from operator import le, sub

from h2s2r_hw.config import ArmCfg
from h2s2r_hw.drivers.fri import (
    NUM_JOINTS,
    ClientCommandMode,
    DriveState,
    MonitoringMessage,
    OperationMode,
    Quality,
    SafetyState,
    SessionState,
)
from h2s2r_hw.loops.part import Part
from h2s2r_hw.motion.limits import JointLimits
from h2s2r_hw.states import MOVING, State, fault_number

_CODES = {
    name: fault_number(name)
    for name in (
        "fri_session_closed",
        "fri_quality_lost",
        "fri_left_commanding",
        "safety_stop",
        "operation_mode_changed",
        "drives_off",
        "fri_wrong_version",
        "fri_incomplete",
        "fri_wrong_period",
        "fri_wrong_mode",
        "arm_off_target",
        "external_torque",
        "outside_limits",
    )
}
#: What is no cause but follows from one, where another fault is seen in the same message.
_LESS = ("fri_quality_lost", "fri_wrong_mode", "fri_incomplete")
_OFF_TARGET, _EXTERNAL = _CODES["arm_off_target"], _CODES["external_torque"]
_IDLE, _ACTIVE, _OFF, _ARMING = SessionState.IDLE, SessionState.COMMANDING_ACTIVE, DriveState.OFF, State.ARMING
#: [rad] beyond a limit that an encoder may show at the limit itself.
_BEYOND = 1e-3
Wrong = tuple[str, float]
#: Session state to drive states of a message: what it says of the cabinet's state, but for the overlay.
_STATE = slice(MonitoringMessage._fields.index("session_state"), MonitoringMessage._fields.index("drive_states") + 1)


class ArmChecks:
    """Sets a part's flags, message by message.

    Args:
        cfg: what must be so.
        limits: of the joints.
        part: the arm.
    """

    def __init__(self, cfg: ArmCfg, limits: JointLimits, part: Part) -> None:
        self._cfg, self._limits, self._part = cfg, limits, part
        self._modes = tuple(OperationMode[name] for name in cfg.operation_modes)
        self._mode = {"position": ClientCommandMode.POSITION, "torque": ClientCommandMode.TORQUE}[cfg.mode]
        self._key: tuple[object, ...] = ()
        self._wrong: Wrong | None = None
        self._off_target = [cfg.off_target] * NUM_JOINTS
        self._armed_in = -1
        self._felt = 0

    def look(self, message: MonitoringMessage) -> None:
        """A message has come."""
        part, session = self._part, message.session_state
        key = (message[_STATE], message.client_command_mode, len(message.ipo_joint_pos))
        if key != self._key:
            # Nearly all messages are like the one before.
            self._key, self._wrong = key, self._find(message)
        wrong = self._wrong
        part.link, part.good = session != _IDLE, wrong is None
        part.follows = session == _ACTIVE
        if part.state not in MOVING:
            self._armed_in = message.operation_mode
            return
        if wrong is None and message.operation_mode != self._armed_in:
            wrong = ("operation_mode_changed", float(message.operation_mode))
        # Before the cabinet moves the arm, its drives may be off.
        arming = part.state == _ARMING
        if not arming and _OFF in message.drive_states and (wrong is None or wrong[0] in _LESS):
            wrong = ("drives_off", 0.0)
        if wrong is None and not part.follows and not arming:
            wrong = ("fri_left_commanding", 0.0)
        if wrong is not None:
            part.fault(_CODES[wrong[0]], wrong[1])
        elif arming:
            self._look_at_position(message.measured_joint_pos)
        else:
            self._look_at_joints(message)

    def cannot_decode(self, in_a_row: int) -> None:
        """So many datagrams were none."""
        if in_a_row == self._cfg.undecodable_limit:
            self._part.fault(_CODES["fri_wrong_version"], float(in_a_row))

    def _find(self, message: MonitoringMessage) -> Wrong | None:
        """The first thing that keeps the arm from being armed."""
        if message.session_state == SessionState.IDLE:
            return "fri_session_closed", 0.0
        if message.num_joints != NUM_JOINTS or len(message.measured_joint_pos) != NUM_JOINTS:
            return "fri_incomplete", float(len(message.measured_joint_pos))
        if message.safety_state != SafetyState.NORMAL_OPERATION:
            return "safety_stop", float(message.safety_state - 1)
        if message.operation_mode not in self._modes:
            return "operation_mode_changed", float(message.operation_mode)
        if message.send_period_ms != self._cfg.send_period_ms or message.receive_multiplier != 1:
            return "fri_wrong_period", float(message.send_period_ms * message.receive_multiplier)
        if message.quality < Quality.GOOD:
            return "fri_quality_lost", float(message.quality)
        if message.session_state >= SessionState.COMMANDING_WAIT:
            if len(message.ipo_joint_pos) != NUM_JOINTS:
                return "fri_incomplete", float(len(message.ipo_joint_pos))
            if message.client_command_mode != self._mode:
                return "fri_wrong_mode", float(message.client_command_mode)
        return None

    def _look_at_position(self, measured: tuple[float, ...]) -> None:
        """Before it is armed: it stands within its limits."""
        limits = self._limits
        for joint, (q, low, high) in enumerate(zip(measured, limits.lower, limits.upper, strict=True)):
            if not low - _BEYOND <= q <= high + _BEYOND:
                self._part.fault(_CODES["outside_limits"], q, joint)

    def _look_at_joints(self, message: MonitoringMessage) -> None:
        """While it is armed: it is where it was sent, and nothing pushes."""
        part, sent = self._part, self._part.upsampler.joint_pos
        # A comparison is false for what is not a number.
        if not all(map(le, map(abs, map(sub, message.measured_joint_pos, sent)), self._off_target)):
            away = [abs(q - wanted) for q, wanted in zip(message.measured_joint_pos, sent, strict=True)]
            joint = next(joint for joint, each in enumerate(away) if not each <= self._cfg.off_target)
            part.fault(_OFF_TARGET, away[joint], joint)
        most = self._cfg.external_torque_limit
        if all(map(le, map(abs, message.external_torque), most)):
            self._felt = 0
            return
        self._felt += 1
        if self._felt >= self._cfg.external_torque_ticks:
            torques = zip(message.external_torque, most, strict=False)
            joint = next(joint for joint, (torque, limit) in enumerate(torques) if not abs(torque) <= limit)
            part.fault(_EXTERNAL, message.external_torque[joint], joint)
