"""``check_robot`` passes correct robots of many kinds, and catches each way of being wrong by the name of its clause.

In:  the fake robot, and small changes of it.   Out: nothing, or the ``ContractError`` of the right clause.
Not here: real implementations (sim, hw), which run the same check in their own tests.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from faults_for_tests import assert_caught, clauses_of
from faulty_robots_lease import FAULTY as FAULTY_LEASE
from faulty_robots_motion import FAULTY as FAULTY_MOTION

from h2s2r_schemas.contracts import Robot
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.testing import FirstOrderRobot, check_robot, clause_names
from h2s2r_schemas.wire import Fault

HZ = 30.0


# ── correct robots ──────────────────────────────────────────────────────────────────────────────────────────────────


class Noisy(FirstOrderRobot):
    """Encoder noise, and a velocity observed with noise."""

    def __init__(self, **options):
        super().__init__(**options)
        self.rng = np.random.default_rng(0)

    def measure(self):
        fields = super().measure()
        noise = self.rng.normal(scale=0.01, size=(2, 4)) * 0.05 * (self.spec.position_upper - self.spec.position_lower)
        return {**fields, "joint_pos": fields["joint_pos"] + noise[0], "joint_vel": fields["joint_vel"] + noise[1]}


class Remote(FirstOrderRobot):
    """Behind a network: commands arrive and states come back two periods late, and every seventh state is lost."""

    def __init__(self, **options):
        super().__init__(**options)
        self.out, self.back = deque([()] * 2), deque(FirstOrderRobot.next_state(self) for _ in range(2))
        self.given = []

    def command(self, command):
        self.given.append(command)

    def next_state(self):
        self.out.append(tuple(self.given))
        self.given = []
        for command in self.out.popleft():
            super().command(command)
        self.back.append(super().next_state())
        if self.back[0].sequence % 7 == 0:
            self.back.popleft()
            self.back.append(super().next_state())
        return self.back.popleft()


class SlowToArm(FirstOrderRobot):
    """Arming takes a second, as a cabinet's does."""

    armed_at = np.inf

    def carry_out(self, request):
        if request.kind == "arm" and self.server_state == "ready":
            self.server_state, self.armed_at = "arming", self.time + 1.0
            return {}
        return super().carry_out(request)

    def move(self, period):
        if self.server_state == "arming" and self.time >= self.armed_at:
            self.joint_pos_sent = self.joint_pos_wanted = self.joint_pos.copy()
            self.server_state = "hold"
        super().move(period)


class SoftStopping(FirstOrderRobot):
    """Stops by itself as soon as three periods pass without a command, long before the lease is over."""

    def move(self, period):
        if self.server_state == "track" and self.time - self.command_time > 0.2:
            self.joint_pos_wanted = self.joint_pos_sent.copy()
            self.server_state = "hold"
        super().move(period)


class RefusesBeyondLimits(FirstOrderRobot):
    """Refuses what others clamp."""

    def command_refusal(self, command):
        code = super().command_refusal(command)
        wanted = command.joint_pos_target
        return code or ("" if np.array_equal(self.within_limits(wanted), wanted) else "outside_limits")


class Sagging(FirstOrderRobot):
    """Weak joints that hang below where they are sent, and sink when there is no power."""

    def move(self, period):
        before = self.joint_pos
        super().move(period)
        self.joint_pos = self.joint_pos + np.array([0.0, 0.03, 0.02, 0.0]) * (1.0 - np.exp(-period / self.lag))
        self.joint_vel = (self.joint_pos - before) / period


class LimpWhenStopped(Sagging):
    """Its hand has no power before arming and after the e-stop, and sinks."""

    def move(self, period):
        super().move(period)
        if self.server_state in ("ready", "estop"):
            self.joint_pos = np.clip(self.joint_pos + [0.0, 0.0, 0.2 * period, 0.0], None, self.spec.position_upper)
            self.joint_pos_sent = self.joint_pos.copy()


@pytest.mark.parametrize(
    "kind", [FirstOrderRobot, LimpWhenStopped, Noisy, Remote, SlowToArm, SoftStopping, RefusesBeyondLimits, Sagging]
)
@pytest.mark.parametrize("hz", [HZ, 60.0])
def test_a_correct_robot_passes(kind, hz):
    check_robot(lambda: kind(state_hz=hz))


@pytest.mark.parametrize("options", [{"state_hz": 16.0}, {"lease_ttl": 2.0}, {"lag": 0.2}, {"emulated": False}])
def test_a_correct_robot_of_another_pace_passes(options):
    check_robot(lambda: FirstOrderRobot(**options))


def test_a_robot_of_23_joints_passes():
    small = FirstOrderRobot().spec
    many = small.replace(
        joint_names=tuple(f"joint_{i}" for i in range(23)),
        num_arm_joints=7,
        **{name: np.resize(value, 23) for name, value in vars(small).items() if isinstance(value, np.ndarray)},
    )
    check_robot(lambda: FirstOrderRobot(many, state_hz=HZ))


def test_a_real_robot_moves_little_and_is_left_disarmed_and_free():
    robot = FirstOrderRobot(state_hz=HZ, emulated=False)
    seen = []
    robot.move = lambda period: (FirstOrderRobot.move(robot, period), seen.append(robot.joint_pos))[0]
    check_robot(lambda: robot, amplitude=0.04)
    travelled = np.abs(np.array(seen) - robot.spec.home).max(0)
    # Once out from where it stood, and finger_1, which rests near its limit, first away from that.
    assert (travelled <= np.array([0.041, 0.041, 0.085, 0.0042])).all()
    assert robot.server_state == "ready"
    assert robot.lease_epoch == 0


@pytest.mark.parametrize(("kind", "clause", "words", "options"), [*FAULTY_MOTION, *FAULTY_LEASE])
def test_a_faulty_robot_is_caught_by_the_right_clause(kind, clause, words, options):
    assert_caught(lambda: check_robot(lambda: kind(state_hz=HZ), **options), clause, words)


def test_every_clause_has_a_robot_that_breaks_it():
    assert sorted(clauses_of([*FAULTY_MOTION, *FAULTY_LEASE])) == sorted(clause_names(Robot))


def test_a_latched_fault_is_named_with_its_remedy():
    class Faulted(FirstOrderRobot):
        def measure(self):
            return {**super().measure(), "fault": Fault("quality_lost", "Quality FAIR.", "Check the cable.", 0.0)}

    with pytest.raises(ContractError, match=r"quality_lost.*Check the cable"):
        check_robot(Faulted)


def test_a_robot_in_other_hands_is_left_alone():
    robot = FirstOrderRobot(state_hz=HZ, lease_ttl=1e9)
    robot.hello = lambda: FirstOrderRobot(state_hz=HZ).hello()
    robot.grant("somebody")
    with pytest.raises(ContractError, match=r"Robot.lease.*epoch 1.*End other clients"):
        check_robot(lambda: robot, arm_timeout=1.0)
    assert robot.lease_session == "somebody"
    assert robot.command_sequence == -1
