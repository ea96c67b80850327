"""Robots that obey wrongly: each breaks one clause of request, lease, arm, verdict, refusal, fault, silence, estop.

In:  the fake robot.   Out: ``FAULTY``.
Not here: what they measure and where they go (faulty_robots_motion), the tests (test_contracts_robot).
"""

from __future__ import annotations

import numpy as np
from faults_for_tests import Faults

from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.testing import FirstOrderRobot
from h2s2r_schemas.wire import Fault

FAULTY = faulty = Faults("Robot")


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


@faulty("refusal", "is where commands before arming pointed")
class MovesBeforeArming(FirstOrderRobot):
    def refuse(self, command, code):
        super().refuse(command, code)
        if code == "not_armed":
            self.joint_pos_sent = command.joint_pos_target


@faulty("fault", "bad_command")
class RefusalLatchesAFault(FirstOrderRobot):
    def measure(self):
        fault = Fault("bad_command", "A client sent nonsense.", "Find that client.", self.time)
        return {**super().measure(), "fault": fault if self.counters else None}


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


@faulty("estop", "is where commands after the e-stop pointed")
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
