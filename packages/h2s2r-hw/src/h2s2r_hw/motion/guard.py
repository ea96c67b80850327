"""The last look at what is sent: it compares with what was sent before, and knows nothing of how the motion was made.

In:  (J) [rad] asked for.   Out: (J) [rad] that may be sent.
Not here: motion (upsample).

Position, velocity, acceleration and jerk are those of the numbers that are sent, by differences. As long as motion keeps the
limits, the guard changes nothing. Where it does not, the guard sends the nearest that keeps them, and the loop stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan

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
        self._bounds = list(
            zip(
                limits.lower,
                limits.upper,
                [each * more for each in limits.velocity],
                [each * more for each in limits.acceleration],
                [each * more for each in limits.jerk],
                strict=True,
            )
        )
        count = len(limits.names)
        self.joint_pos: list[float] = list(limits.home)
        """(J) [rad] sent last."""
        self.joint_vel: list[float] = [0.0] * count
        """(J) [rad/s] of it."""
        self.joint_acc: list[float] = [0.0] * count
        """(J) [rad/s²] of it."""
        self.held = -1
        """First joint at which the last ``check`` had to change something; -1 for none."""
        self.excess = 0.0
        """There, how many times its limit the worst of it was."""

    def begin(self, joint_pos: Sequence[float], joint_vel: Sequence[float] | None = None) -> None:
        """What is sent begins at (J) [rad], with (J) [rad/s], none for at rest."""
        count = len(joint_pos)
        self.joint_pos = list(joint_pos)
        self.joint_vel = [0.0] * count if joint_vel is None else list(joint_vel)
        self.joint_acc = [0.0] * count
        self.held = -1

    def check(self, wanted: list[float]) -> list[float]:
        """(J) [rad] to send: ``wanted`` itself where it keeps the limits, else the nearest that does."""
        rate = self._rate
        velocities: list[float] = []
        accelerations: list[float] = []
        held = -1
        for position, before, speed, change, (low, high, velocity, acceleration, jerk) in zip(
            wanted, self.joint_pos, self.joint_vel, self.joint_acc, self._bounds, strict=True
        ):
            v = (position - before) * rate
            a = (v - speed) * rate
            # A chain of comparisons is false for what is not a number. Outside its limits a joint may only come back.
            if not (
                -velocity <= v <= velocity
                and -acceleration <= a <= acceleration
                and -jerk <= (a - change) * rate <= jerk
                and (low <= position <= high or low > position >= before or high < position <= before)
            ):
                held = len(velocities)
                break
            velocities.append(v)
            accelerations.append(a)
        if held < 0:
            self.joint_pos, self.joint_vel, self.joint_acc, self.held = wanted, velocities, accelerations, -1
            return wanted
        self.held = held
        return self._nearest(wanted)

    def _nearest(self, wanted: list[float]) -> list[float]:
        """All joints one by one: acceleration within reach, so that velocity stays allowed, and no further than the limits."""
        rate, period = self._rate, self._period
        self.excess = 0.0
        sent: list[float] = []
        for joint, position in enumerate(wanted):
            low, high, velocity, acceleration, jerk = self._bounds[joint]
            before, speed, change = self.joint_pos[joint], self.joint_vel[joint], self.joint_acc[joint]
            asked_v = (position - before) * rate
            asked_a = (asked_v - speed) * rate
            asked_j = (asked_a - change) * rate
            if joint == self.held:
                ratios = (abs(asked_v) / velocity, abs(asked_a) / acceleration, abs(asked_j) / jerk)
                self.excess = max((each for each in ratios if not isnan(each)), default=inf)
            # Not a number: slow down.
            a = -speed * rate if isnan(asked_a) else asked_a
            a = min(max(a, change - jerk * period, -acceleration), change + jerk * period, acceleration)
            v = min(max(speed + a * period, -velocity), velocity)
            new = before + v * period
            if not low <= new <= high and abs(new - 0.5 * (low + high)) > abs(before - 0.5 * (low + high)):
                new = before
            self.joint_vel[joint] = v = (new - before) * rate
            self.joint_acc[joint] = (v - speed) * rate
            sent.append(new)
        self.joint_pos = sent
        return sent
