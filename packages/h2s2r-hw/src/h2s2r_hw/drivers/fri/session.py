"""Our side of an FRI session: what the cabinet last said, and an answer to it.

In:  datagrams.   Out: the newest message, whether it is one to answer, answers.
Not here: sockets (link), what to command while COMMANDING_ACTIVE (loops.arm).
"""

from __future__ import annotations

from h2s2r_hw.drivers.fri.command import CommandMessage, encode_command
from h2s2r_hw.drivers.fri.decoder import MonitoringDecoder
from h2s2r_hw.drivers.fri.messages import NUM_JOINTS, DatagramError, FriVersion, SessionState
from h2s2r_hw.drivers.fri.monitoring import MonitoringMessage

_ZEROS = (0.0,) * NUM_JOINTS
#: Weight of a new difference in the velocity: a filter of about three periods.
_NEW = 0.3
#: Cabinets that begin a new session start counting anew: a step back by more than this is that, not a late datagram.
_NEW_SESSION = 100


class ArmSession:
    """Counts and decodes; mirrors the cabinet's motion wherever ours does not count yet.

    Args:
        version: of the wire format.
        torque: whether torques are commanded too.
        period: [s] of the cabinet, as configured.
    """

    def __init__(self, version: FriVersion, torque: bool, period: float) -> None:
        self._version, self._torque, self._period = version, torque, period
        self._decode = MonitoringDecoder(version).decode
        self.message: MonitoringMessage | None = None
        """The newest."""
        self.state = -1
        """``SessionState`` of it; -1 before the first."""
        self.joint_vel: list[float] = [0.0] * NUM_JOINTS
        """(7) [rad/s] from differences of measured positions."""
        self.ipo_vel: list[float] = [0.0] * NUM_JOINTS
        """(7) [rad/s] of the cabinet's own motion at the end of COMMANDING_WAIT."""
        self.received = self.sent = self.undecodable = self.lost = self.repeated = self.clock_jumps = 0
        self.sessions = self.activations = 0
        self.undecodable_in_a_row = 0
        self._sequence, self._answer = -1, 0

    def hear(self, datagram: bytes) -> MonitoringMessage | None:
        """The message, if the datagram is one that wants an answer; None for one that is none, old or repeated."""
        try:
            message = self._decode(datagram)
        except DatagramError:
            self.undecodable += 1
            self.undecodable_in_a_row += 1
            return None
        self.undecodable_in_a_row = 0
        self.received += 1
        ahead = message.sequence - self._sequence
        before = self.message
        if before is not None and -_NEW_SESSION < ahead <= 0:
            self.repeated += 1
            return None
        if before is not None and ahead > 0:
            self.lost += ahead - 1
            self._observe(before, message, ahead)
        else:
            self.sessions += 1
            # A cabinet that has heard from somebody before goes on counting from there.
            self._answer = max(self._answer, message.reflected_sequence + 1 if message.reflected_sequence else 0)
            self.joint_vel = [0.0] * NUM_JOINTS
        if message.session_state != self.state:
            self.activations += message.session_state == SessionState.COMMANDING_ACTIVE
            self.state = int(message.session_state)
        self._sequence, self.message = message.sequence, message
        return message

    def forget(self) -> None:
        """The cabinet is silent: whatever comes next is new."""
        self.message, self.state, self._sequence = None, -1, -1

    def answer(self, joint_pos: tuple[float, ...] | None, joint_torque: tuple[float, ...] | None = None) -> bytes:
        """An answer to the newest message.

        Args:
            joint_pos: (7) [rad] to command; none to mirror, as must be everywhere but in COMMANDING_ACTIVE.
            joint_torque: (7) [N·m] on top, in torque mode; zeros if not given.
        """
        message = self.message
        assert message is not None
        torque = None
        if self.state >= SessionState.COMMANDING_WAIT:
            if joint_pos is None:
                joint_pos = message.ipo_joint_pos or None
            if self._torque:
                torque = joint_torque or _ZEROS
        elif self._version.joint_pos_while_monitoring:
            joint_pos = message.measured_joint_pos or None
        else:
            joint_pos = None
        datagram = encode_command(CommandMessage(self._answer, message.sequence, joint_pos, torque), self._version)
        self._answer += 1
        self.sent += 1
        return datagram

    def _observe(self, before: MonitoringMessage, message: MonitoringMessage, ahead: int) -> None:
        """Velocities, by the cabinet's clock unless it jumped."""
        elapsed, expected = (message.time_ns - before.time_ns) * 1e-9, ahead * self._period
        if not 0.5 * expected < elapsed < 2.0 * expected:
            self.clock_jumps += 1
            elapsed = expected
        rate = _NEW / elapsed
        if len(message.measured_joint_pos) == len(before.measured_joint_pos) == NUM_JOINTS:
            self.joint_vel = [
                (1.0 - _NEW) * v + rate * (new - old)
                for v, new, old in zip(
                    self.joint_vel, message.measured_joint_pos, before.measured_joint_pos, strict=True
                )
            ]
        if before.session_state == SessionState.COMMANDING_WAIT:
            if len(message.ipo_joint_pos) == len(before.ipo_joint_pos) == NUM_JOINTS:
                pairs = zip(message.ipo_joint_pos, before.ipo_joint_pos, strict=True)
                self.ipo_vel = [(new - old) / elapsed for new, old in pairs]
            else:
                self.ipo_vel = [0.0] * NUM_JOINTS
