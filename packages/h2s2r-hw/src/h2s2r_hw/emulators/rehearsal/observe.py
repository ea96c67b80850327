"""What the wires tell about a rehearsal, whatever the server says of itself.

In:  bytes on the wires.   Out: figures: limits kept, mirrors, times to rest and to switched off.
Not here: what they must be (cases).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from h2s2r_hw.drivers.allegro.frames import SERVO_OFF, SERVO_ON, SET_TORQUE
from h2s2r_hw.drivers.fri import JOINT_NAMES, FriVersion, SessionState, decode_command, decode_monitoring
from h2s2r_hw.motion.limits import JointLimits, joint_limits
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec

#: Part by which a difference may exceed a limit: rounding of the third one.
ROUNDING = 1e-5
#: [rad] of one period below which a joint stands still.
_STILL = 1e-9
_NEVER = -1.0
#: Messages of the cabinet that are kept until they are answered.
_REMEMBERED = 256
Values = tuple[float, ...]


class WireLimits:
    """Position, velocity, acceleration and jerk of what is sent, by differences from tick to tick."""

    def __init__(self, limits: JointLimits, period: float) -> None:
        self._limits, self._period = limits, period
        self.violations = {"position": 0, "velocity": 0, "acceleration": 0, "jerk": 0}
        """Joint-ticks beyond a limit."""
        self.worst = {"position": 0.0, "velocity": 0.0, "acceleration": 0.0, "jerk": 0.0}
        """Largest part of the limit seen; of positions, [rad] beyond it."""
        self.ticks = 0
        """Judged."""
        self._before: Values = ()
        self._rates: tuple[list[float], list[float]] = ([], [])

    def begin(self, joint_pos: Values, joint_vel: Values | None = None) -> None:
        """A motion begins at (7) [rad], with (7) [rad/s] of the cabinet's own motion."""
        zero = [0.0] * len(joint_pos)
        self._before, self._rates = joint_pos, (list(joint_vel or zero), zero)

    def judge(self, joint_pos: Values) -> None:
        """(7) [rad] was sent."""
        limits, period, (velocities, accelerations) = self._limits, self._period, self._rates
        self.ticks += 1
        new_v, new_a = [0.0] * len(joint_pos), [0.0] * len(joint_pos)
        for joint, position in enumerate(joint_pos):
            v = (position - self._before[joint]) / period
            a = (v - velocities[joint]) / period
            j = (a - accelerations[joint]) / period
            new_v[joint], new_a[joint] = v, a
            beyond = max(limits.lower[joint] - position, position - limits.upper[joint])
            self._note("position", beyond, beyond > _STILL)
            for name, value, most in (
                ("velocity", v, limits.velocity[joint]),
                ("acceleration", a, limits.acceleration[joint]),
                ("jerk", j, limits.jerk[joint]),
            ):
                # Written so that a value that is not a number is a violation.
                self._note(name, abs(value) / most, not abs(value) <= most * (1.0 + ROUNDING))
        self._before, self._rates = joint_pos, (new_v, new_a)

    def judge_all(self, joint_pos: np.ndarray) -> None:
        """(T, 7) [rad] were sent, one after the other: as ``judge``, at once."""
        limits, period, (velocities, accelerations) = self._limits, self._period, self._rates
        self.ticks += len(joint_pos)
        beyond = np.maximum(np.array(limits.lower) - joint_pos, joint_pos - np.array(limits.upper))
        v = np.diff(joint_pos, axis=0, prepend=[self._before]) / period
        a = np.diff(v, axis=0, prepend=[velocities]) / period
        j = np.diff(a, axis=0, prepend=[accelerations]) / period
        self.violations["position"] += int((~(beyond <= _STILL)).sum())
        self.worst["position"] = max(self.worst["position"], float(beyond.max()))
        for name, values, most in (
            ("velocity", v, limits.velocity),
            ("acceleration", a, limits.acceleration),
            ("jerk", j, limits.jerk),
        ):
            part = np.abs(values) / np.array(most)
            # Written so that a value that is not a number is a violation.
            self.violations[name] += int((~(part <= 1.0 + ROUNDING)).sum())
            self.worst[name] = max(self.worst[name], float(part.max()))
        self._before, self._rates = tuple(joint_pos[-1].tolist()), (v[-1].tolist(), a[-1].tolist())

    def _note(self, name: str, value: float, violated: bool) -> None:
        self.worst[name] = max(self.worst[name], value)
        self.violations[name] += violated

    @property
    def total(self) -> int:
        """Violations of any kind."""
        return sum(self.violations.values())


class Observer:
    """Listens on all wires of a rehearsal.

    Args:
        robot: whose limits hold.
        version: of the FRI.
        period: [s] from datagram to datagram.
    """

    def __init__(self, robot: RobotSpec, version: str, period: float) -> None:
        self._version, self._period = FriVersion(version), period
        self.limits = WireLimits(joint_limits(robot, JOINT_NAMES), period)
        """Of what the arm was sent while it was active."""
        self.now: Callable[[], int] = lambda: 0
        """[ns] of virtual time."""
        self.reentry = 0.0
        """[rad] largest distance of a first command in COMMANDING_ACTIVE from the cabinet's own position."""
        self.mismatch = 0.0
        """[rad] the same in COMMANDING_WAIT."""
        self.waits = self.actives = self.answers = 0
        """Commands in COMMANDING_WAIT and in COMMANDING_ACTIVE; all."""
        self._said: dict[int, tuple[int, Values]] = {}
        self._state, self._ipo, self._ipo_before = -1, (), ()
        self._was_active = False
        self._sent: Values = ()
        self._moved_ns = 0
        self._currents, self._on = [0] * 16, False
        self._pushing_ns = self._off_ns = 0
        self.pushed_by_joint = 0.0
        """[command · s] integral of the absolute currents since ``mark``, added up over joints."""
        self._pushed_ns = self._mark_ns = 0

    def tap(self, now_ns: int, wire: str, data: bytes) -> None:
        """Something was on a wire."""
        try:
            if wire == "fri out":
                message = decode_monitoring(data, self._version)
                self._said[message.sequence % _REMEMBERED] = (message.session_state, message.ipo_joint_pos)
            elif wire == "fri in":
                command = decode_command(data, self._version)
                # What it answers, not what came last: datagrams may be late or in the wrong order.
                self._ipo_before = self._ipo
                self._state, self._ipo = self._said.get(command.reflected_sequence % _REMEMBERED, (-1, ()))
                self._hear_command(now_ns, command.joint_pos)
            elif wire == "can in":
                self._hear_frame(now_ns, int.from_bytes(data[:2], "big"), data[3:])
        except (SchemaError, struct.error):
            # What is none is counted by those whose business it is.
            return

    def mark(self, now_ns: int) -> None:
        """From here on times are counted."""
        self._mark_ns = self._pushed_ns = now_ns
        self.pushed_by_joint, self._off_ns = 0.0, 0

    def rest_s(self) -> float:
        """[s] from the mark until the arm was sent to stand still for good."""
        return max(0.0, (self._moved_ns - self._mark_ns) * 1e-9)

    def currents_s(self) -> float:
        """[s] from the mark until the last current ended."""
        return max(0.0, (self._pushing_ns - self._mark_ns) * 1e-9)

    def off_s(self) -> float:
        """[s] from the mark until the hand's servo was switched off; -1 if it was not."""
        return (self._off_ns - self._mark_ns) * 1e-9 if self._off_ns else _NEVER

    @property
    def powered(self) -> bool:
        """Whether the hand is switched on."""
        return self._on

    def _hear_command(self, now_ns: int, joint_pos: Values | None) -> None:
        self.answers += 1
        active = self._state == SessionState.COMMANDING_ACTIVE
        if joint_pos is not None and active:
            self._judge(now_ns, joint_pos)
        elif joint_pos is not None and self._state == SessionState.COMMANDING_WAIT:
            self.waits += 1
            self.mismatch = max(self.mismatch, *(abs(a - b) for a, b in zip(joint_pos, self._ipo, strict=False)))
        self._was_active = active

    def _judge(self, now_ns: int, joint_pos: Values) -> None:
        self.actives += 1
        if not self._was_active:
            if self._ipo:
                self.reentry = max(self.reentry, *(abs(a - b) for a, b in zip(joint_pos, self._ipo, strict=True)))
            before = self._ipo_before or joint_pos
            self.limits.begin(joint_pos, tuple((a - b) / self._period for a, b in zip(joint_pos, before, strict=True)))
        else:
            self.limits.judge(joint_pos)
            if max(abs(a - b) for a, b in zip(joint_pos, self._sent, strict=True)) > _STILL:
                self._moved_ns = now_ns
        self._sent = joint_pos

    def _hear_frame(self, now_ns: int, identifier: int, data: bytes) -> None:
        self._integrate(now_ns)
        finger, rest = divmod(identifier - SET_TORQUE, 4)
        if identifier in (SERVO_ON, SERVO_OFF):
            self._on = identifier == SERVO_ON
            if not self._on and not self._off_ns:
                self._off_ns = now_ns
        elif rest == 0 and 0 <= finger < 4:
            self._currents[4 * finger : 4 * finger + 4] = struct.unpack("<4h", data)

    def _integrate(self, now_ns: int) -> None:
        if self._on and any(self._currents):
            self._pushing_ns = now_ns
            self.pushed_by_joint += sum(map(abs, self._currents)) * max(0, now_ns - self._pushed_ns) * 1e-9
        self._pushed_ns = now_ns
