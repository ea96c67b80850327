"""Bring the robot home: slowly, by the server's own motion, and look whether it arrived.

In:  a ``Session``.   Out: the state at home.
Not here: the motion itself (motion, loops).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from h2s2r_schemas.client import Session
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.wire import RobotState

#: [rad; m] by which what was sent last may differ from home at the end, and by which the joints may: gravity and friction pull.
_SENT, _MEASURED = 1e-3, 0.1
#: [s] in which the server says that it is on its way, unless it was there already.
_BEGINS = 1.0


def describe(session: Session) -> list[str]:
    """A line for each joint that would move by more than 0.01 rad."""
    spec, state = session.hello.robot, session.state
    away = spec.home - state.joint_pos
    return [
        f"{name}: {state.joint_pos[joint]:+.3f} -> {spec.home[joint]:+.3f}"
        for joint, name in enumerate(spec.joint_names)
        if abs(away[joint]) > 0.01
    ]


def go_home(session: Session, timeout: float, say: Callable[[str], None] = lambda line: None) -> RobotState:
    """Take the lease, arm, go home, look, and give the lease back. The robot stays armed and holds.

    Args:
        session: without a lease.
        timeout: [s] of the robot's time for the way.
        say: told how it goes.

    Raises:
        RobotFault: refused, stopped, or not arrived; what moved has come to rest by itself then.
    """
    with session:
        session.acquire()
        say("arming")
        session.arm()
        session.ask("home")
        began = session.state.time
        while session.state.server_state != "homing" and session.state.time - began < _BEGINS:
            session.next_state()
        say("on the way")
        state = session.wait(lambda state: state.server_state != "homing", timeout, "Going home")
        _judge(session, state)
        return state


def _judge(session: Session, state: RobotState) -> None:
    spec = session.hello.robot
    for name, values, tolerance in (
        ("was sent to", state.joint_pos_target, _SENT),
        ("is at", state.joint_pos, _MEASURED),
    ):
        off = np.abs(values - spec.home)
        if (off > tolerance).any():
            at = int(np.argmax(off))
            raise RobotFault(
                "not_home",
                f"{spec.joint_names[at]} {name} {values[at]:.4f}; home is {spec.home[at]:.4f}, and the robot is "
                f"{state.server_state!r}.",
                "See h2s2r-hw status for what stopped it or what holds it, then ask again.",
            )
