"""Jerk-limited motion towards a target that may change at any tick, by Ruckig.

In:  a target [rad], or that motion shall end.   Out: (J) setpoint [rad] of the next tick.
Not here: whether what comes out is allowed (guard), which target to follow (loops).

Room to stop: setpoints are at every moment on a way that ends at rest at the target, the targets lie within the soft limits,
and acceleration and jerk limits never change. The way of stopping earlier therefore ends between here and a target of before:
never beyond a limit. Only the velocity limit may change; a joint that is too fast then slows down first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ruckig as ruckig_without_types

from h2s2r_hw.motion.limits import USED, JointLimits

ruckig: Any = ruckig_without_types
_FINISHED = ruckig.Result.Finished
_GOOD = (ruckig.Result.Working, _FINISHED)
_POSITION, _VELOCITY = ruckig.ControlInterface.Position, ruckig.ControlInterface.Velocity


class Upsampler:
    """Setpoints of J joints, each as fast as its own limits allow.

    Args:
        limits: of the joints.
        period: [s] of a tick.
    """

    def __init__(self, limits: JointLimits, period: float) -> None:
        count = len(limits.names)
        self._limits = limits
        self._otg, self._out = ruckig.Ruckig(count, period), ruckig.OutputParameter(count)
        given = self._in = ruckig.InputParameter(count)
        given.synchronization = ruckig.Synchronization.No
        given.max_velocity = [USED * each for each in limits.velocity]
        given.max_acceleration = [USED * each for each in limits.acceleration]
        given.max_jerk = [USED * each for each in limits.jerk]
        self._zeros = [0.0] * count
        self.joint_pos: list[float] = list(limits.home)
        """(J) [rad] the last setpoint."""
        self.at_rest = True
        """Whether the last setpoint is where motion ends."""
        self._braking = False
        self.failures = 0
        """Ticks in which no way could be computed, and the one of before was stopped on."""
        self.begin(self.joint_pos)

    def begin(self, joint_pos: Sequence[float], joint_vel: Sequence[float] | None = None) -> None:
        """Setpoints begin at (J) [rad], with (J) [rad/s], none for at rest; motion then ends as soon as it can."""
        self.joint_pos = list(joint_pos)
        self._set(self.joint_pos, self._zeros if joint_vel is None else list(joint_vel), self._zeros)
        self.at_rest, self._braking = joint_vel is None or not any(joint_vel), False
        self._in.control_interface, self._in.target_position = _POSITION, self.joint_pos
        if not self.at_rest:
            self.brake()

    def resume(self, joint_pos: list[float], joint_vel: list[float], joint_acc: list[float]) -> None:
        """Setpoints go on from what was really sent (J), and end as soon as they can."""
        self.joint_pos = joint_pos
        self._set(joint_pos, joint_vel, joint_acc)
        self._braking = False
        self.brake()

    def limit_velocity(self, velocity: Sequence[float]) -> None:
        """From now on at most so fast (J) [rad/s], and never faster than the limits."""
        pairs = zip(velocity, self._limits.velocity, strict=True)
        # Ruckig wants a speed above 0.
        self._in.max_velocity = [USED * max(min(each, limit), 1e-3 * limit) for each, limit in pairs]
        self.at_rest = False

    def aim(self, target: list[float]) -> None:
        """Go to (J) [rad], which must lie within the limits, and stay there."""
        given = self._in
        if self._braking:
            given.control_interface, self._braking = _POSITION, False
        given.target_position = target
        self.at_rest = False

    def brake(self) -> None:
        """Come to rest as soon as the limits allow."""
        if not self._braking:
            self._in.control_interface, self._in.target_velocity = _VELOCITY, self._zeros
            self._braking, self.at_rest = True, False

    def step(self) -> list[float]:
        """(J) [rad] the next setpoint."""
        if self.at_rest:
            return self.joint_pos
        out = self._out
        result = self._update()
        if result not in _GOOD:
            result = self._stop_after_failure()
            if result is None:
                return self.joint_pos
        self.joint_pos = out.new_position
        out.pass_to_input(self._in)
        self.at_rest = result == _FINISHED
        return self.joint_pos

    def _stop_after_failure(self) -> Any:
        """No way to the target was found: one that ends motion instead; none if there is none either (the guard then stops)."""
        self.failures += 1
        self._braking = False
        self.brake()
        result = self._update()
        return result if result in _GOOD else None

    def _update(self) -> Any:
        """The next setpoint, or why there is none."""
        try:
            return self._otg.update(self._in, self._out)
        except ruckig.RuckigError:
            # It raises where it finds no way for numerical reasons: seldom, on targets that change all the time.
            return None

    def _set(self, joint_pos: list[float], joint_vel: list[float], joint_acc: list[float]) -> None:
        given = self._in
        given.current_position, given.current_velocity, given.current_acceleration = joint_pos, joint_vel, joint_acc
        self._otg.reset()
