"""A plant that costs little: the arm is where it shall be, fingers are flywheels with a brake and stops.

In:  an arm target and torques.   Out: positions and torques as sensors would measure them.
Not here: physics (twin). It is for rehearsals of hours; the arm does not feel torques laid on its motion.
"""

from __future__ import annotations

from operator import le

import numpy as np

from h2s2r_hw.emulators.plant import Values
from h2s2r_schemas.robots import RobotSpec

_NO_TORQUE: Values = (0.0,) * 7
#: [kg·m²] and [N·m·s/rad] of a finger joint. Ours, of the order of the simulated hand's.
_INERTIA, _DAMPING = 1e-3, 1e-2


class LightPlant:
    """Moves from moment to moment, in steps of at most 4 ms, and only when somebody looks at it or pushes. A ``Plant``.

    Args:
        arm_joint_pos: (7) [rad] at the start.
        hand_joint_pos: (16) [rad] at the start.
        hand_lower: (16) [rad] stops of the fingers.
        hand_upper: (16) [rad] likewise.
    """

    def __init__(self, arm_joint_pos: Values, hand_joint_pos: Values, hand_lower: Values, hand_upper: Values) -> None:
        self._arm = arm_joint_pos
        self._hand, self._hand_vel = list(hand_joint_pos), [0.0] * len(hand_joint_pos)
        self._lower, self._upper = hand_lower, hand_upper
        self._torque: Values = (0.0,) * len(hand_joint_pos)
        self._now_ns = self._until_ns = 0
        self.arm_offset = 0.0
        """[rad] by which every arm joint is measured away from where it shall be: something pushes it."""
        self.external_torque: Values = _NO_TORQUE
        """(7) [N·m] that the arm feels from outside."""

    def command_arm(self, joint_pos_target: Values, joint_torque: Values) -> None:
        self._arm = joint_pos_target

    def command_hand(self, joint_torque: Values) -> None:
        self._move()
        self._torque = joint_torque

    def advance(self, now_ns: int) -> None:
        self._until_ns = now_ns

    def _move(self) -> None:
        """Up to now."""
        while self._now_ns < self._until_ns:
            step_ns = min(self._until_ns - self._now_ns, 4_000_000)
            self._now_ns += step_ns
            self._step(step_ns * 1e-9)

    def _step(self, dt: float) -> None:
        push, keep = dt / _INERTIA, 1.0 / (1.0 + dt * _DAMPING / _INERTIA)
        velocities = [(v + push * t) * keep for v, t in zip(self._hand_vel, self._torque, strict=True)]
        positions = [q + dt * v for q, v in zip(self._hand, velocities, strict=True)]
        if not (all(map(le, self._lower, positions)) and all(map(le, positions, self._upper))):
            for joint, (low, high) in enumerate(zip(self._lower, self._upper, strict=True)):
                if not low <= positions[joint] <= high:
                    positions[joint], velocities[joint] = min(max(positions[joint], low), high), 0.0
        self._hand, self._hand_vel = positions, velocities

    def measure_arm(self) -> tuple[Values, Values, Values]:
        if self.arm_offset:
            return tuple(q + self.arm_offset for q in self._arm), _NO_TORQUE, self.external_torque
        return self._arm, _NO_TORQUE, self.external_torque

    def measure_hand(self) -> Values:
        self._move()
        return tuple(self._hand)


def light_plant(robot: RobotSpec, arm_names: tuple[str, ...], hand_names: tuple[str, ...]) -> LightPlant:
    """One that starts at the robot's home, with stops a little beyond its limits."""

    def pick(values: np.ndarray, names: tuple[str, ...]) -> Values:
        return tuple(float(values[robot.joint_names.index(name)]) for name in names)

    lower = tuple(value - 0.01 for value in pick(robot.position_lower, hand_names))
    upper = tuple(value + 0.01 for value in pick(robot.position_upper, hand_names))
    return LightPlant(pick(robot.home, arm_names), pick(robot.home, hand_names), lower, upper)
