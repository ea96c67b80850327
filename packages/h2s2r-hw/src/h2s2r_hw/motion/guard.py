"""The last look at what is sent: it compares with what was sent before, and knows nothing of how the motion was made.

In:  (J) [rad] asked for.   Out: (J) [rad] that may be sent.
Not here: motion (upsample).

Position, velocity, acceleration and jerk are those of the numbers that are sent, by differences. As long as motion keeps the
limits, the guard changes nothing. Where it does not, the guard sends something near that keeps position and velocity, and
acceleration and jerk as far as those let it; and the loop stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan
from operator import le, sub

from h2s2r_hw.motion.limits import JointLimits

#: Part by which differences may exceed a limit: rounding of the third one.
ROUNDING = 1e-6


class Guard:
    """Of J joints.

    Args:
        limits: all of which is allowed.
        period: [s] of a tick.
    """

    def __init__(self, limits: JointLimits, period: float) -> None:
        self._limits, self._period, self._rate = limits, period, 1.0 / period
        more = 1.0 + ROUNDING
        # Position, then each limit with room for rounding, joint by joint.
        rates = [[each * more for each in row] for row in (limits.velocity, limits.acceleration, limits.jerk)]
        self._bounds = list(zip(limits.lower, limits.upper, *rates, strict=True))
        # The same as differences of what is sent in ticks: of all joints the first, then the second and the third.
        self._most = [each * period**order for order, row in enumerate(rates, 1) for each in row]
        count = len(limits.names)
        self.joint_pos: list[float] = list(limits.home)
        """(J) [rad] sent last."""
        self._step, self._change = [0.0] * count, [0.0] * count
        self.held = -1
        """Joint that broke a limit worst in the last ``check``; -1 for none."""
        self.excess = 0.0
        """There, how many times its limit that was."""

    def begin(self, joint_pos: Sequence[float], joint_vel: Sequence[float] | None = None) -> None:
        """What is sent begins at (J) [rad], with (J) [rad/s], none for at rest."""
        count = len(joint_pos)
        self.joint_pos = list(joint_pos)
        self._step = [0.0] * count if joint_vel is None else [self._period * each for each in joint_vel]
        self._change, self.held = [0.0] * count, -1

    @property
    def joint_vel(self) -> list[float]:
        """(J) [rad/s] of what was sent last."""
        return [self._rate * each for each in self._step]

    @property
    def joint_acc(self) -> list[float]:
        """(J) [rad/s²] of what was sent last."""
        return [self._rate * self._rate * each for each in self._change]

    def check(self, wanted: list[float]) -> list[float]:
        """(J) [rad] to send: ``wanted`` itself where it keeps the limits, else something near that does."""
        before = self.joint_pos
        step = list(map(sub, wanted, before))
        change = list(map(sub, step, self._step))
        differences = [*step, *change, *map(sub, change, self._change)]
        # A comparison is false for what is not a number. All of it in C: this runs in every tick.
        if all(map(le, map(abs, differences), self._most)) and (
            (all(map(le, self._limits.lower, wanted)) and all(map(le, wanted, self._limits.upper)))
            or all(map(_comes_back, wanted, before, self._limits.lower, self._limits.upper))
        ):
            self.joint_pos, self._step, self._change, self.held = wanted, step, change, -1
            return wanted
        return self._nearest(wanted)

    def _nearest(self, wanted: list[float]) -> list[float]:
        """All joints one by one: acceleration within reach, then velocity, then position."""
        rate, period = self._rate, self._period
        speeds, accelerations = self.joint_vel, self.joint_acc
        self.held, self.excess = -1, 0.0
        sent: list[float] = []
        for joint, (position, before, speed, change) in enumerate(
            zip(wanted, self.joint_pos, speeds, accelerations, strict=True)
        ):
            low, high, velocity, acceleration, jerk = self._bounds[joint]
            asked_v = (position - before) * rate
            asked_a = (asked_v - speed) * rate
            ratios = (abs(asked_v) / velocity, abs(asked_a) / acceleration, abs(asked_a - change) * rate / jerk)
            excess = inf if isnan(asked_a) else max(ratios)
            if excess > self.excess:
                self.held, self.excess = joint, excess
            # Not a number: slow down.
            a = -speed * rate if isnan(asked_a) else asked_a
            a = min(max(a, change - jerk * period, -acceleration), change + jerk * period, acceleration)
            new = before + min(max(speed + a * period, -velocity), velocity) * period
            sent.append(new if low <= new <= high or _comes_back(new, before, low, high) else before)
        step = list(map(sub, sent, self.joint_pos))
        self._change = list(map(sub, step, self._step))
        self.joint_pos, self._step = sent, step
        return sent


def _comes_back(position: float, before: float, low: float, high: float) -> bool:
    """Whether a position is within the limits, or on its way back to them."""
    return low <= position <= high or low > position >= before or high < position <= before
