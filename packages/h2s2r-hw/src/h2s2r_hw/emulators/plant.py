"""What moves behind the emulated wires: the protocol of an arm and a hand, and the simplest thing that satisfies it.

In:  an arm target and torques.   Out: positions and torques as sensors would measure them.
Not here: physics (twin), what the wires say (cabinet, hand).
"""

from __future__ import annotations

from typing import Protocol

from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINTS
from h2s2r_hw.drivers.fri import NUM_JOINTS as NUM_ARM_JOINTS

Values = tuple[float, ...]
#: [ns] by which a plant steps.
STEP_NS = 1_000_000


class Plant(Protocol):
    """An arm of 7 and a hand of 16 joints, in the orders of the drivers' ``JOINT_NAMES``."""

    def command_arm(self, joint_pos_target: Values, joint_torque: Values) -> None:
        """From now on the arm's controller tries to reach (7) [rad] and adds (7) [N·m]."""
        ...

    def command_hand(self, joint_torque: Values) -> None:
        """From now on the hand's motors push with (16) [N·m]."""
        ...

    def advance(self, now_ns: int) -> None:
        """Let time pass up to the last whole step before or at ``now_ns``."""
        ...

    def measure_arm(self) -> tuple[Values, Values, Values]:
        """(7) position [rad], (7) torque [N·m] at the joints, and (7) the part of it [N·m] that comes from outside."""
        ...

    def measure_hand(self) -> Values:
        """(16) [rad]."""
        ...


class IdealPlant:
    """Without physics, for rehearsing wires alone: the arm is where it shall be, each finger joint a flywheel with a brake.

    Args:
        arm_joint_pos: (7) [rad] at the start.
        hand_joint_pos: (16) [rad] at the start.
        arm_inertia: [kg·m²] that a torque on an arm joint meets, with ``arm_damping`` [N·m·s/rad].
        arm_damping: as said.
        hand_inertia: [kg·m²] of a finger joint, with ``hand_damping`` [N·m·s/rad]. Ours, of the order of the simulated hand's.
        hand_damping: as said.
    """

    def __init__(
        self,
        arm_joint_pos: Values = (0.0, 0.0, 0.0, -1.5708, 0.0, 1.5708, 0.0),
        hand_joint_pos: Values = (0.0, 0.3, 0.3, 0.3) * 3 + (0.724, 0.601, 0.338, 0.608),
        arm_inertia: float = 1.0,
        arm_damping: float = 20.0,
        hand_inertia: float = 1e-3,
        hand_damping: float = 1e-2,
    ) -> None:
        self._target, self._arm = list(arm_joint_pos), list(arm_joint_pos)
        self._overlay, self._overlay_vel = [0.0] * NUM_ARM_JOINTS, [0.0] * NUM_ARM_JOINTS
        self._arm_torque: Values = (0.0,) * NUM_ARM_JOINTS
        self._hand, self._hand_vel = list(hand_joint_pos), [0.0] * len(HAND_JOINTS)
        self._hand_torque: Values = (0.0,) * len(HAND_JOINTS)
        self._arm_inertia, self._arm_damping = arm_inertia, arm_damping
        self._hand_inertia, self._hand_damping = hand_inertia, hand_damping
        self._steps = 0

    def command_arm(self, joint_pos_target: Values, joint_torque: Values) -> None:
        self._target, self._arm_torque = list(joint_pos_target), joint_torque

    def command_hand(self, joint_torque: Values) -> None:
        self._hand_torque = joint_torque

    def advance(self, now_ns: int) -> None:
        dt = STEP_NS * 1e-9
        while (self._steps + 1) * STEP_NS <= now_ns:
            self._steps += 1
            for joint, torque in enumerate(self._arm_torque):
                # A torque pushes the arm away from its target, against a spring of 200 N·m/rad as applications often set.
                force = torque - self._arm_damping * self._overlay_vel[joint] - 200.0 * self._overlay[joint]
                self._overlay_vel[joint] += dt * force / self._arm_inertia
                self._overlay[joint] += dt * self._overlay_vel[joint]
                self._arm[joint] = self._target[joint] + self._overlay[joint]
            for joint, torque in enumerate(self._hand_torque):
                force = torque - self._hand_damping * self._hand_vel[joint]
                self._hand_vel[joint] += dt * force / self._hand_inertia
                position = self._hand[joint] + dt * self._hand_vel[joint]
                # Stops, as wide as any version's fingers go.
                self._hand[joint] = min(max(position, -0.5), 1.8)
                if self._hand[joint] != position:
                    self._hand_vel[joint] = 0.0

    def measure_arm(self) -> tuple[Values, Values, Values]:
        return tuple(self._arm), self._arm_torque, (0.0,) * NUM_ARM_JOINTS

    def measure_hand(self) -> Values:
        return tuple(self._hand)
