"""Commands that must be refused: each is counted under a code, and none moves the robot.

In:  a ``RobotSession``.   Out: nothing, or ``ContractError`` on refusal or verdict.
Not here: requests that must be refused (lease).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.robot.motion import FOLLOW_TOLERANCE, Motion
from h2s2r_schemas.testing.robot.session import RobotSession
from h2s2r_schemas.wire import RobotState

#: Part of its amplitude by which a joint, measured or as sent, may be elsewhere: measuring is noisy.
_STILL = {"joint_pos": 2.0 * FOLLOW_TOLERANCE, "joint_pos_target": FOLLOW_TOLERANCE}
#: Part of ``lease_ttl`` for which nothing but the refused commands is sent.
_WINDOW = 0.4


def check_refusals(session: RobotSession, motion: Motion) -> None:
    """Clause refusal, while armed and under the lease: everything that must not move the robot."""
    epoch, token = session.lease
    ttl = session.hello.lease_ttl
    must_refuse(session, motion, "with a foreign token", lease_token=token + 1)
    must_refuse(session, motion, "with a foreign epoch", lease_epoch=epoch + 1)
    must_refuse(session, motion, "for another robot's hash", robot_hash="0" * len(session.robot_hash))
    must_refuse(session, motion, "with a joint too few", cut=-1)
    must_refuse(session, motion, "that repeat a sequence", sequence=session.state.command_sequence)
    must_refuse(session, motion, f"made {4.0 * ttl:.4g} s before others of the lease", client_age=4.0 * ttl)


def check_unarmed(session: RobotSession, motion: Motion) -> None:
    """Clause refusal before arming."""
    must_refuse(session, motion, "before arming", armed=False)
    judge_not_followed(session, motion, "before arming", "Robot.refusal")


def must_refuse(session: RobotSession, motion: Motion, what: str, armed: bool = True, **changes: Any) -> None:
    """Send nothing but commands with these ``changes`` for a while, and see them counted and nothing moved.

    Args:
        session: the robot, its lease held unless that is what is wrong.
        motion: where it stands, and where the commands would move it.
        what: what is wrong with them, in words.
        armed: whether valid commands (to hold the start) are expected to be accepted before and after.
        changes: fields of the commands; ``client_age`` [s] makes them older, ``cut`` drops that joint from the target.
    """
    if armed:
        hold_accepted(session, motion, f"before commands {what}")
    before, first = session.mark(), session.next_sequence
    ttl = session.hello.lease_ttl
    target = np.delete(motion.moved, changes.pop("cut")) if "cut" in changes else motion.moved
    session.stream(lambda elapsed: target, _WINDOW * ttl, **changes)
    last = session.next_sequence - 1
    if armed:
        motion.hold(session, ttl, lambda: counted(session, before.counters))
        hold_accepted(session, motion, f"after commands {what}")
        judge_still(session, before, motion, f"while only commands {what} were sent, or just after")
    else:
        # The whole time, so that none is still on its way when the robot is armed.
        session.idle(ttl, bool(session.state.lease_epoch))
    _judge_none_accepted(session, before, first, last, what)
    if not counted(session, before.counters):
        raise broken(
            "Robot.verdict",
            f"commands {what} were refused; last_refusal is {session.state.last_refusal!r} and counters are "
            f"{dict(session.state.counters)}, before them {dict(before.counters)}.",
            "within lease_ttl, last_refusal is a code and counters[code] has grown.",
            "Count every refusal under its code and report it in the states.",
        )


def _judge_none_accepted(session: RobotSession, before: RobotState, first: int, last: int, what: str) -> None:
    for state in session.seen:
        if first <= state.command_sequence <= last and state.lease_epoch == before.lease_epoch:
            raise broken(
                "Robot.refusal",
                f"command_sequence was {state.command_sequence} at {state.time:.6g} s: a command {what} was accepted.",
                "no such command is accepted.",
                "Check epoch, token, sequence, hash, joint count, age and arming before anything else.",
            )


def counted(session: RobotSession, before: Any) -> bool:
    """Whether the last refusal has been counted since ``counters`` were as ``before``."""
    code = session.state.last_refusal
    return bool(code) and session.state.counters.get(code, 0) > before.get(code, 0)


def hold_accepted(session: RobotSession, motion: Motion, when: str, clause: str = "Robot.refusal") -> None:
    """Hold the start until such a command is accepted.

    Raises:
        ContractError: none was within ``lease_ttl``.
    """
    first = session.next_sequence

    def accepted() -> bool:
        return first <= session.state.command_sequence < session.next_sequence

    motion.hold(session, session.hello.lease_ttl, accepted)
    if not accepted():
        raise broken(
            clause,
            f"{when}, valid commands from {first} on are not accepted: command_sequence is "
            f"{session.state.command_sequence}, last_refusal {session.state.last_refusal!r}, lease_epoch "
            f"{session.state.lease_epoch}, server_state {session.state.server_state!r}.",
            "valid commands are accepted within lease_ttl, whatever was refused before.",
            "Let a refused command change nothing but its counter.",
        )


def judge_still(
    session: RobotSession, before: RobotState, motion: Motion, when: str, clause: str = "Robot.refusal"
) -> None:
    """See that no joint, measured or sent, was elsewhere than in the state ``before`` in any state seen since the mark."""
    for state in session.seen:
        for name, part in _STILL.items():
            moved = np.abs(getattr(state, name) - getattr(before, name))
            if (moved > part * motion.size).any():
                at = int(np.argmax(moved / np.maximum(motion.size, 1e-12)))
                raise broken(
                    clause,
                    f"{name} of {session.spec.joint_names[at]} moved by {moved[at]:.4g} {when}.",
                    "nothing moves.",
                    "Let only accepted commands reach the targets of the joints.",
                )


def judge_not_followed(session: RobotSession, motion: Motion, when: str, clause: str) -> None:
    """See that the robot did not go where commands pointed. Joints without power may sink, so they need not be still."""
    for name in _STILL:
        off = np.abs(getattr(session.state, name) - motion.moved)
        if (off <= FOLLOW_TOLERANCE * motion.size).all():
            raise broken(
                clause,
                f"{name} is where commands {when} pointed, joint by joint.",
                "refused commands are not followed.",
                "Let only accepted commands reach the targets of the joints.",
            )
