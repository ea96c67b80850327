"""``check_robot``: does an implementation of ``Robot`` keep its contract?

In:  a function that makes a robot: simulated, emulated or real, in virtual or real time.   Out: nothing, or ``ContractError``.
Not here: the contract (contracts), how well a robot tracks (sim, hw), faults of hardware (hw).

How it moves: one joint after the other by at most ``amplitude`` from where the robot stands (nearer to a limit than
that, it first moves away from it), slower than half the speed and acceleration limits. Where ``hello().emulated`` says that
no hardware moves, it also drives one joint against its limit and uses the e-stop.
"""

from __future__ import annotations

from typing import Callable

from h2s2r_schemas.contracts import Robot
from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.robot.lease import (
    arm,
    check_estop,
    check_lease,
    check_new_lease,
    check_silence,
    find_robot_free,
)
from h2s2r_schemas.testing.robot.motion import Motion, check_follow, check_limits
from h2s2r_schemas.testing.robot.refusals import check_refusals, check_unarmed
from h2s2r_schemas.testing.robot.session import RobotSession

#: States looked at before anything is asked.
_FIRST_STATES = 20


def check_robot(
    make_robot: Callable[[], Robot],
    amplitude: float = 0.05,
    settle: float = 2.0,
    arm_timeout: float = 30.0,
) -> None:
    """Judge a robot by every clause of ``Robot``.

    On a real robot: free space of a hand's width around it, an operator at the e-stop, and ``amplitude`` chosen for it. A
    server that keeps its contract moves as the head of this module says; one that does not may do anything, above all
    step by ``amplitude`` at once where it wrongly accepts a command. After an error nothing more is sent: the silence rule
    has to stop the robot.

    Args:
        make_robot: gives the robot; called once. Nobody else may hold its lease, and no fault may be latched.
        amplitude: [rad; m for a sliding joint] each joint is moved by; less where that is over 5 % of its range. A tenth of it
            has to stand out from the noise of ``joint_pos``, and half of it from friction.
        settle: [s] of the robot's time that a joint may take to arrive, and has to stay.
        arm_timeout: [s] of the robot's time until it is ready, and again until it is armed.

    Raises:
        ContractError: the clause broken, what was seen, what is allowed, what to do.
        RobotFault: the robot could not be reached.
    """
    session = RobotSession(make_robot())
    _check_states(session)
    find_robot_free(session, arm_timeout)
    check_lease(session)
    check_unarmed(session, Motion.where_it_stands(session, amplitude))
    arm(session, arm_timeout)
    motion = Motion.where_it_stands(session, amplitude)
    motion.go_to_start(session)
    check_refusals(session, motion)
    check_follow(session, motion, settle)
    if session.hello.emulated:
        check_limits(session, motion)
    check_silence(session, motion)
    check_new_lease(session, motion, arm_timeout)
    if session.hello.emulated:
        check_estop(session, motion, arm_timeout)
    _check_hello(session)


def _check_states(session: RobotSession) -> None:
    times = [session.state.time]
    for _ in range(_FIRST_STATES):
        times.append(session.next_state().time)
    periods = sorted(after - before for before, after in zip(times, times[1:]))
    median, slowest = periods[len(periods) // 2], 1.0 / float(session.hello.command_hz[0])
    if median > 1.01 * slowest:
        raise broken(
            "Robot.time",
            f"states come every {median:.4g} s (median of {_FIRST_STATES}).",
            f"at least every {slowest:.4g} s, the slowest period of hello().command_hz.",
            "Send states more often, or accept slower commands.",
        )
    _check_hello(session)


def _check_hello(session: RobotSession) -> None:
    now = session.robot.hello()
    if now != session.hello:
        changed = [name for name in now.specs if now.replace(**{name: getattr(session.hello, name)}) != now]
        raise broken(
            "Robot.hello",
            f"hello() has changed: {', '.join(changed)}.",
            "the same hello at any time.",
            "Build it once, when the robot starts.",
        )
