"""``check_robot`` passes correct robots of many kinds, and catches each way of being wrong by the name of its clause.

In:  the fake robot, and small changes of it.   Out: nothing, or the ``ContractError`` of the right clause.
Not here: real implementations (sim, hw), which run the same check in their own tests.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from h2s2r_schemas.contracts import Robot
from h2s2r_schemas.errors import ContractError, RobotFault
from h2s2r_schemas.testing import FirstOrderRobot, check_robot, clause_names
from h2s2r_schemas.wire import Fault

HZ = 30.0


def read_only(values):
    """A view through which nobody writes, onto memory that still changes."""
    view = values.view()
    view.setflags(write=False)
    return view


# ── correct robots ──────────────────────────────────────────────────────────────────────────────────────────────────


class Noisy(FirstOrderRobot):
    """Encoder noise, and a velocity observed with noise."""

    rng = np.random.default_rng(0)

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


@pytest.mark.parametrize(
    "kind", [FirstOrderRobot, Noisy, Remote, SlowToArm, SoftStopping, RefusesBeyondLimits, Sagging]
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


# ── faulty robots ───────────────────────────────────────────────────────────────────────────────────────────────────

FAULTY = []


def faulty(clause, *words):
    """Register a robot that breaks ``clause``; the error must also hold ``words``."""

    def register(kind):
        FAULTY.append(pytest.param(kind, f"Robot.{clause}", words, id=kind.__name__))
        return kind

    return register


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


@faulty("request", "sequence")
class ReplyToAnotherRequest(FirstOrderRobot):
    def request(self, request):
        return super().request(request).replace(sequence=0)


@faulty("request", "time")
class ReplyOnAnotherClock(FirstOrderRobot):
    def request(self, request):
        return super().request(request).replace(time=1.7e9)


@faulty("lease", "acquire_lease by another session is done")
class LeaseForEverybody(FirstOrderRobot):
    def request_refusal(self, request):
        return "" if request.kind == "acquire_lease" else super().request_refusal(request)


@faulty("lease", "release_lease with a wrong token is done")
class ReleaseByAnybody(FirstOrderRobot):
    def request_refusal(self, request):
        return "" if request.kind == "release_lease" and self.lease_epoch else super().request_refusal(request)


@faulty("lease", "with a wrong epoch is done")
class EpochOfRequestsIgnored(FirstOrderRobot):
    def request_refusal(self, request):
        return super().request_refusal(request.replace(lease_epoch=self.lease_epoch or 99))


@faulty("lease", "is refused; the lease's epoch was 1 and is 2")
class RefusalChangesTheLease(FirstOrderRobot):
    def request_refusal(self, request):
        code = super().request_refusal(request)
        if code == "lease_taken":
            self.grant(request.session)
        return code


@faulty("lease", "renew_lease under the current lease is refused")
class RenewalIgnored(FirstOrderRobot):
    def carry_out(self, request):
        return {} if request.kind == "renew_lease" else super().carry_out(request)


@faulty("lease", "was renewed every quarter", "epoch was 1 and is 0")
class RenewalOnlyAnswered(RenewalIgnored):
    def request_refusal(self, request):
        return "" if request.kind == "renew_lease" and request.lease_epoch == 1 else super().request_refusal(request)


@faulty("lease", "release_lease was granted")
class LeaseNotReleased(FirstOrderRobot):
    def carry_out(self, request):
        return {} if request.kind == "release_lease" else super().carry_out(request)


@faulty("lease", "epoch 1", "the one before 1")
class EpochUsedAgain(FirstOrderRobot):
    def free_lease(self):
        super().free_lease()
        self.last_epoch = 0


@faulty("lease", "under a new lease, counting from 0")
class SequencesGoOn(FirstOrderRobot):
    def grant(self, session):
        kept = self.command_sequence
        granted = super().grant(session)
        self.command_sequence = kept
        return granted


@faulty("arm", "after arm was granted")
class NeverArmed(FirstOrderRobot):
    def carry_out(self, request):
        return {} if request.kind == "arm" else super().carry_out(request)


@faulty("arm", "after disarm was granted")
class NeverDisarmed(FirstOrderRobot):
    def __init__(self, **options):
        super().__init__(**options)
        self.server_state = "hold"

    def carry_out(self, request):
        return {} if request.kind == "disarm" else super().carry_out(request)


@faulty("arm", "arm_2", "joint_pos_target")
class ArmingJumpsToAnOldTarget(FirstOrderRobot):
    def carry_out(self, request):
        done = super().carry_out(request)
        if request.kind == "arm":
            self.joint_pos_sent = self.joint_pos_wanted = self.joint_pos + [0.0, 0.3, 0.0, 0.0]
        return done


@faulty("verdict", "last_refusal is ''")
class RefusesWithoutCode(FirstOrderRobot):
    def refuse(self, command, code):
        pass


@faulty("verdict", "counters are {}")
class RefusesWithoutCounting(FirstOrderRobot):
    def refuse(self, command, code):
        self.last_refusal = code


@faulty("verdict", "command() raised RobotFault")
class RefusesByException(FirstOrderRobot):
    def refuse(self, command, code):
        raise RobotFault(code, "Refused.", "Nothing.")


@faulty("verdict", "command_sequence -1")
class NeverSaysWhatItAccepted(FirstOrderRobot):
    def measure(self):
        return {**super().measure(), "command_sequence": -1}


@faulty("verdict", "command_sequence")
class AcceptsNothing(FirstOrderRobot):
    def command_refusal(self, command):
        return super().command_refusal(command) or "too_dangerous"


def ignoring(refusal):
    """A robot that accepts what it should refuse with this code."""

    class Accepting(FirstOrderRobot):
        def command_refusal(self, command):
            code = super().command_refusal(command)
            return "" if code == refusal else code

        def accept(self, command):
            super().accept(command.replace(joint_pos_target=np.resize(command.joint_pos_target, 4)))

    Accepting.__name__ = f"Accepts_{refusal}"
    return Accepting


for _code, _words in (
    ("no_lease", "while only commands with a foreign token were sent"),
    ("foreign_robot", "while only commands for another robot's hash were sent"),
    ("joint_count", "while only commands with a joint too few were sent"),
    ("old_sequence", "while only commands that repeat a sequence were sent"),
    ("stale_command", "before others of the lease were sent"),
    ("not_armed", "a command before arming was accepted"),
):
    faulty("refusal", _words)(ignoring(_code))


@faulty("refusal", "foreign token")
class TokenIgnored(FirstOrderRobot):
    def command_refusal(self, command):
        return super().command_refusal(command.replace(lease_token=self.lease_token))


@faulty("refusal", "foreign epoch")
class EpochIgnored(FirstOrderRobot):
    def command_refusal(self, command):
        return super().command_refusal(command.replace(lease_epoch=self.lease_epoch or 99))


@faulty("refusal", "joint_pos", "moved by")
class RefusedCommandMoves(FirstOrderRobot):
    def refuse(self, command, code):
        super().refuse(command, code)
        if len(command.joint_pos_target) == 4:
            self.joint_pos_wanted = self.within_limits(command.joint_pos_target)


@faulty("refusal", "valid commands", "not accepted")
class LocksUpAfterARefusal(FirstOrderRobot):
    def command_refusal(self, command):
        return super().command_refusal(command) or ("locked" if self.counters.get("foreign_robot") else "")


@faulty("fault", "bad_command")
class RefusalLatchesAFault(FirstOrderRobot):
    def measure(self):
        fault = Fault("bad_command", "A client sent nonsense.", "Find that client.", self.time)
        return {**super().measure(), "fault": fault if self.counters else None}


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


@faulty("silence", "still has epoch 1")
class LeaseOutlivesSilence(FirstOrderRobot):
    def silence(self):
        pass


@faulty("silence", "still has epoch 1")
class RefusedCommandsKeepTheLease(FirstOrderRobot):
    def refuse(self, command, code):
        super().refuse(command, code)
        self.lease_used = self.time


@faulty("silence", "after the lease ran out")
class CreepsOnInSilence(FirstOrderRobot):
    def move(self, period):
        if self.server_state == "hold" and not self.lease_epoch:
            self.joint_pos_wanted = self.joint_pos_wanted + 0.01 * period
        super().move(period)


@faulty("refusal", "under a lease that ran out")
class OldLeaseStillCommands(FirstOrderRobot):
    old = (0, 0)

    def free_lease(self):
        self.old = (self.lease_epoch, self.lease_token)
        super().free_lease()

    def command_refusal(self, command):
        theirs = (command.lease_epoch, command.lease_token)
        return "" if theirs == self.old and not self.lease_epoch else super().command_refusal(command)


@faulty("estop", "answered 'no_lease'")
class StopNeedsTheLease(FirstOrderRobot):
    def request_refusal(self, request):
        theirs = (request.lease_epoch, request.lease_token)
        foreign = request.kind == "estop" and theirs != (self.lease_epoch, self.lease_token)
        return "no_lease" if foreign else super().request_refusal(request)


@faulty("estop", "moved by", "after the e-stop")
class MovesAfterTheStop(FirstOrderRobot):
    def command_refusal(self, command):
        code = super().command_refusal(command)
        if code == "not_armed" and self.server_state == "estop":
            self.joint_pos_sent = self.within_limits(command.joint_pos_target)
        return code


@faulty("estop", "nobody has reset")
class StopNotLatched(FirstOrderRobot):
    def free_lease(self):
        super().free_lease()
        self.server_state = "hold" if self.server_state == "estop" else self.server_state


@pytest.mark.parametrize(("kind", "clause", "words"), FAULTY)
def test_a_faulty_robot_is_caught_by_the_right_clause(kind, clause, words):
    with pytest.raises(ContractError) as caught:
        check_robot(lambda: kind(state_hz=HZ))
    message = str(caught.value)
    assert message.startswith(f"Clause {clause} is broken: ")
    assert "Allowed: " in message
    assert "What to do: " in message
    assert [word for word in words if word not in message] == []


def test_every_clause_has_a_robot_that_breaks_it():
    assert sorted({fault.values[1] for fault in FAULTY}) == sorted(clause_names(Robot))


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
