"""Who may command, and what happens when nobody does: lease, arming, silence, e-stop.

In:  a ``RobotSession``.   Out: nothing, or ``ContractError`` on lease, arm, silence or estop.
Not here: single commands (refusals).
"""

from __future__ import annotations

from typing import Callable

import numpy as np

from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.robot.motion import Motion
from h2s2r_schemas.testing.robot.refusals import hold_accepted, judge_not_followed, judge_still, must_refuse
from h2s2r_schemas.testing.robot.session import NO_LEASE, RobotSession
from h2s2r_schemas.testing.robot.states import ARMED

#: Part of a joint's range by which its target may differ from its position when armed.
_JUMP = 0.02


def find_robot_free(session: RobotSession, timeout: float) -> None:
    """Wait until the robot is up and nobody holds its lease."""
    session.idle(timeout, False, lambda: session.state.server_state in ("ready", *ARMED))
    if session.state.server_state not in ("ready", *ARMED) or session.state.lease_epoch:
        raise broken(
            "Robot.lease",
            f"after {timeout} s the robot is in {session.state.server_state!r}, its lease has epoch "
            f"{session.state.lease_epoch}.",
            "ready, hold or track, with a free lease (epoch 0), before this check starts.",
            "End other clients, acknowledge faults, reset the e-stop, and run the check alone.",
        )


def acquire(session: RobotSession) -> None:
    """Take the lease; its epoch must be larger than any before."""
    before = session.lease[0]
    session.lease = NO_LEASE
    reply = session.must("acquire_lease", "Robot.lease")
    session.lease, session.next_sequence = (reply.lease_epoch, reply.lease_token), 0
    session.idle(session.hello.lease_ttl, True, lambda: session.state.lease_epoch == reply.lease_epoch)
    if reply.lease_epoch <= before or session.state.lease_epoch != reply.lease_epoch:
        raise broken(
            "Robot.lease",
            f"the lease granted has epoch {reply.lease_epoch}, the one before {before}; states say "
            f"{session.state.lease_epoch}.",
            "an epoch larger than any before, shown in the states.",
            "Count epochs up from 1 and report the current one.",
        )


def check_lease(session: RobotSession) -> None:
    """Clause lease: one holder, requests that need it, renewal. Leaves the lease held and the robot disarmed."""
    session.must_refuse("renew_lease", "while nobody holds the lease")
    acquire(session)
    epoch, token = session.lease
    session.idle(2.0 * session.hello.lease_ttl, True)
    if session.state.lease_epoch != epoch:
        raise broken(
            "Robot.lease",
            f"the lease was renewed every quarter of lease_ttl; its epoch was {epoch} and is {session.state.lease_epoch}.",
            "renew_lease keeps the lease for another lease_ttl.",
            "Restart the lease's clock at every renewal.",
        )
    session.must_refuse("acquire_lease", "by another session", session="check-2")
    for kind in ("renew_lease", "release_lease", "arm", "disarm"):
        session.must_refuse(kind, "with a wrong token", (epoch, token + 1))
        session.must_refuse(kind, "with a wrong epoch", (epoch + 1, token))
    # Homing under a wrong lease might move the robot: not asked for.
    session.must("disarm", "Robot.arm")
    _wait(session, lambda: session.state.server_state not in ARMED, session.hello.lease_ttl, "Robot.arm", "disarm")


def arm(session: RobotSession, timeout: float) -> None:
    """Arm, once and again, keeping the lease meanwhile."""
    armed_before = session.state.server_state in ARMED
    session.must("arm", "Robot.arm")
    _wait(session, lambda: session.state.server_state in ARMED, timeout, "Robot.arm", "arm")
    if not armed_before:
        _judge_start(session)
    session.must("arm", "Robot.arm")
    session.next_state()
    if session.state.server_state not in ARMED:
        raise broken(
            "Robot.arm",
            f"arming an armed robot brought it to {session.state.server_state!r}.",
            "nothing changes.",
            "Answer ok and do nothing when armed already.",
        )


def _judge_start(session: RobotSession) -> None:
    """The targets begin where the joints are, within the limits."""
    spec, state = session.spec, session.state
    measured = np.clip(state.joint_pos, spec.position_lower, spec.position_upper)
    jump = np.abs(state.joint_pos_target - measured)
    if (jump > _JUMP * (spec.position_upper - spec.position_lower)).any():
        at = int(np.argmax(jump))
        raise broken(
            "Robot.arm",
            f"{spec.joint_names[at]} is at {measured[at]:.6g} when armed; its joint_pos_target is "
            f"{state.joint_pos_target[at]:.6g}.",
            f"joint_pos_target begins at joint_pos, to {_JUMP} of the range.",
            "Start targets from the measured positions whenever the robot is armed, both in the order of hello().robot.",
        )


def _wait(session: RobotSession, reached: Callable[[], bool], timeout: float, clause: str, kind: str) -> None:
    """Let time pass, keeping the lease, until ``reached()``; else ``clause`` is broken by ``kind``."""
    session.idle(timeout, bool(session.lease[0]), reached)
    if not reached():
        raise broken(
            clause,
            f"{timeout} s after {kind} was granted, server_state is {session.state.server_state!r} and the lease's epoch "
            f"{session.state.lease_epoch}.",
            f"the effect of {kind}.",
            "Do what was granted, or refuse it with a code; or give the check a longer time-out.",
        )


def check_silence(session: RobotSession, motion: Motion) -> None:
    """Clause silence: refused commands do not count, the lease is freed, the robot stands, the old lease is dead."""
    hold_accepted(session, motion, "before going silent")
    ttl, old = session.hello.lease_ttl, session.lease
    session.stream(lambda elapsed: motion.moved, 2.0 * ttl, robot_hash="0" * len(session.robot_hash))
    if session.state.lease_epoch:
        raise broken(
            "Robot.silence",
            f"{2.0 * ttl:.4g} s after the last accepted command the lease still has epoch {session.state.lease_epoch}.",
            f"a free lease (epoch 0) after lease_ttl, {ttl} s; refused commands do not keep it.",
            "Let only accepted commands and renewals restart the lease's clock, and free it when that runs out.",
        )
    before = session.mark()
    session.idle(ttl, False)
    judge_still(session, before, motion, "after the lease ran out", "Robot.silence")
    must_refuse(session, motion, "under a lease that ran out", armed=False)
    judge_still(session, before, motion, "under a lease that ran out", "Robot.refusal")
    session.must_refuse("arm", "under a lease that ran out", old)


def check_new_lease(session: RobotSession, motion: Motion, timeout: float) -> None:
    """Clause lease: another session takes over, counts from 0, and gives the lease back."""
    session.session = "check-2"
    acquire(session)
    arm(session, timeout)
    hold_accepted(session, motion, "under a new lease, counting from 0", "Robot.lease")
    session.must("disarm", "Robot.arm")
    _wait(session, lambda: session.state.server_state not in ARMED, session.hello.lease_ttl, "Robot.arm", "disarm")
    session.must("release_lease", "Robot.lease")
    session.idle(session.hello.lease_ttl / 2.0, False, lambda: not session.state.lease_epoch)
    if session.state.lease_epoch:
        raise broken(
            "Robot.lease",
            f"release_lease was granted; the lease's epoch is {session.state.lease_epoch}.",
            "0 at once.",
            "Free the lease when it is released.",
        )


def check_estop(session: RobotSession, motion: Motion, timeout: float) -> None:
    """Clause estop: from anyone, at any time; only its reset ends it."""
    acquire(session)
    arm(session, timeout)
    hold_accepted(session, motion, "before the e-stop")
    reply = session.request("estop", NO_LEASE, "check-3")
    session.idle(session.hello.lease_ttl, True, lambda: session.state.server_state == "estop")
    if not reply.ok or session.state.server_state != "estop":
        raise broken(
            "Robot.estop",
            f"estop by a session without the lease was answered {reply.code or 'ok'!r}; server_state is "
            f"{session.state.server_state!r}.",
            "done, and server_state estop.",
            "Stop first, ask nothing.",
        )
    must_refuse(session, motion, "after the e-stop", armed=False)
    judge_not_followed(session, motion, "after the e-stop", "Robot.estop")
    session.idle(2.0 * session.hello.lease_ttl, False, lambda: not session.state.lease_epoch)
    if session.state.server_state != "estop":
        raise broken(
            "Robot.estop",
            f"server_state is {session.state.server_state!r} although nobody has reset the e-stop.",
            "estop until reset_estop.",
            "Latch it.",
        )
    session.must("reset_estop", "Robot.estop")
    session.lease = NO_LEASE
    _wait(session, lambda: session.state.server_state != "estop", timeout, "Robot.estop", "reset_estop")
