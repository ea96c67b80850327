"""Robots that measure or move wrongly: each breaks one clause of hello, state, time, limits, velocity, follow (or arm).

In:  the fake robot.   Out: ``FAULTY``.
Not here: who may command (faulty_robots_lease), the tests (test_contracts_robot).
"""

from __future__ import annotations

import numpy as np
from faults_for_tests import Faults

from h2s2r_schemas.testing import FirstOrderRobot

FAULTY = faulty = Faults("Robot")


def read_only(values):
    """A view through which nobody writes, onto memory that still changes."""
    view = values.view()
    view.setflags(write=False)
    return view


@faulty("hello", "server")
class HelloChanges(FirstOrderRobot):
    def hello(self):
        return super().hello().replace(server=f"fake, {self.time} s up")


@faulty("hello", "lease_ttl")
class LeaseShorterThanAPeriod(FirstOrderRobot):
    def hello(self):
        return super().hello().replace(lease_ttl=0.01)


@faulty("state", "hash")
class HashOfAnotherRobot(FirstOrderRobot):
    def measure(self):
        return {**super().measure(), "robot_hash": "0123456789abcdef"}


@faulty("state", "joint_pos", "(3,)", "(4,)")
class WrongJointCount(FirstOrderRobot):
    def measure(self):
        fields = super().measure()
        arrays = ("joint_pos", "joint_vel", "joint_torque", "joint_pos_target")
        return {**fields, **{name: fields[name][:3] for name in arrays}}


@faulty("state", "joint_pos", "never change")
class StateBufferReused(FirstOrderRobot):
    def __init__(self, **options):
        super().__init__(**options)
        self.buffer = self.joint_pos.copy()

    def measure(self):
        self.buffer[:] = self.joint_pos + 1e-9 * self.state_sequence
        return {**super().measure(), "joint_pos": read_only(self.buffer)}


@faulty("time", "is followed by")
class SameStateAgain(FirstOrderRobot):
    last = None

    def next_state(self):
        if self.last is None or self.state_sequence % 5:
            self.last = super().next_state()
        else:
            self.state_sequence += 1
        return self.last


@faulty("time", "is followed by")
class TimeStandsStill(FirstOrderRobot):
    def measure(self):
        return {**super().measure(), "time": 1.0}


@faulty("time", "states come every")
class StatesTooRare(FirstOrderRobot):
    def next_state(self):
        self.period = 0.2
        return super().next_state()


@faulty("time", "took only")
class TimeHardlyMoves(FirstOrderRobot):
    def next_state(self):
        self.period = 1e-7
        return super().next_state()


@faulty("limits", "joint_pos of", "degrees")
class StatesInDegrees(FirstOrderRobot):
    def measure(self):
        fields = super().measure()
        return {**fields, "joint_pos": np.rad2deg(fields["joint_pos"])}


@faulty("limits", "joint_pos_target")
class TargetsNotLimited(FirstOrderRobot):
    def within_limits(self, joint_pos_target):
        return joint_pos_target


@faulty("limits", "moved by", "velocity_limit")
class SpeedNotLimited(FirstOrderRobot):
    def move(self, period):
        self.joint_pos_sent = self.joint_pos_wanted.copy()
        super().move(period)


@faulty("limits", "joint_pos of arm_1")
class StandsOutsideItsLimits(FirstOrderRobot):
    """As one does whose joints are in another order than its limits."""

    def measure(self):
        fields = super().measure()
        return {**fields, "joint_pos": fields["joint_pos"] + [3.0, 0.0, 0.0, 0.0]}


@faulty("velocity", "adds up to")
class VelocityInDegrees(FirstOrderRobot):
    def measure(self):
        fields = super().measure()
        return {**fields, "joint_vel": np.rad2deg(fields["joint_vel"])}


@faulty("velocity", "adds up to")
class VelocityOfTheOtherSign(FirstOrderRobot):
    def measure(self):
        fields = super().measure()
        return {**fields, "joint_vel": -fields["joint_vel"]}


@faulty("velocity", "adds up to 0.")
class NoVelocity(FirstOrderRobot):
    def measure(self):
        fields = super().measure()
        return {**fields, "joint_vel": np.zeros(4)}


def swapped(values):
    return values[[1, 0, 2, 3]]


@faulty("follow", "arm_2 moved by", "another joint order")
class CommandsInAnotherJointOrder(FirstOrderRobot):
    def accept(self, command):
        offset = command.joint_pos_target - self.spec.home
        super().accept(command.replace(joint_pos_target=self.spec.home + swapped(offset)))


@faulty("follow", "arm_1 was told", "another joint order")
class StatesInAnotherJointOrder(FirstOrderRobot):
    def measure(self):
        fields = super().measure()
        offset = fields["joint_pos"] - self.spec.home
        return {**fields, "joint_pos": self.spec.home + swapped(offset)}


@faulty("arm", "joint_pos_target", "order of hello().robot")
class StatesInAnotherJointOrderFarApart(FirstOrderRobot):
    """As before, seen earlier: where the swapped joints stand apart, the targets do not begin at the positions."""

    def measure(self):
        fields = super().measure()
        return {**fields, "joint_pos": swapped(fields["joint_pos"])}


@faulty("follow", "degrees")
class CommandsInDegrees(FirstOrderRobot):
    def accept(self, command):
        offset = command.joint_pos_target - self.spec.home
        super().accept(command.replace(joint_pos_target=self.spec.home + np.deg2rad(offset)))


@faulty("follow", "the opposite sign")
class CommandsOfTheOtherSign(FirstOrderRobot):
    def accept(self, command):
        offset = command.joint_pos_target - self.spec.home
        super().accept(command.replace(joint_pos_target=self.spec.home - offset))


@faulty("follow", "thumb_slide was told")
class SlidingJointInMillimetres(FirstOrderRobot):
    def accept(self, command):
        offset = (command.joint_pos_target - self.spec.home) * [1.0, 1.0, 1.0, 0.001]
        super().accept(command.replace(joint_pos_target=self.spec.home + offset))


@faulty("follow", "joint_pos_target changed by")
class ReportsAnotherTarget(FirstOrderRobot):
    def measure(self):
        return {**super().measure(), "joint_pos_target": self.spec.home}


@faulty("follow", "finger_1 moved by", "too")
class CoupledJoints(FirstOrderRobot):
    def accept(self, command):
        offset = command.joint_pos_target - self.spec.home
        offset = offset + [0.0, 0.0, 0.5 * offset[1], 0.0]
        super().accept(command.replace(joint_pos_target=self.spec.home + offset))


@faulty("follow", "joint_pos changed by")
class FrozenEncoders(FirstOrderRobot):
    """Time and sequence go on; the joints are those of the start."""

    def measure(self):
        return {**super().measure(), "joint_pos": self.spec.home}
