"""What every hello and every state of a robot must satisfy by itself, and after the state before it.

In:  ``Hello``, ``RobotState``.   Out: nothing, or a ``ContractError``.
Not here: what follows from commands and requests (check, session).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.wire import Hello, RobotState

#: The joint arrays of a state.
STATE_ARRAYS = ("joint_pos", "joint_vel", "joint_torque", "joint_pos_target")
#: States of the server in which commands move the robot.
ARMED = ("hold", "track")

#: Part of its range by which a measured position may lie outside its limits.
_OUTSIDE = 0.02
#: Part by which a speed may exceed its limit: rounding of time stamps.
_FASTER = 0.01


def judge_hello(hello: Hello) -> None:
    """Clause Robot.hello, as far as one hello shows it."""
    slowest, fastest = (float(hz) for hz in hello.command_hz)
    if type(hello) is not Hello or not 0.0 < slowest <= fastest or slowest * hello.lease_ttl <= 1.0:
        raise broken(
            "Robot.hello",
            f"command_hz is [{slowest}, {fastest}] with lease_ttl {hello.lease_ttl} s.",
            "0 < slowest ≤ fastest, and a lease that outlives the slowest period of commands.",
            "Correct the figures of hello().",
        )


def judge_state(state: RobotState, before: RobotState | None, hello: Hello, robot_hash: str) -> None:
    """Clauses that each single state shows: state, time, limits, fault."""
    _judge_form(state, hello, robot_hash)
    if before is not None and not (state.time > before.time and state.sequence > before.sequence):
        raise broken(
            "Robot.time",
            f"a state of time {before.time:.6g} s and sequence {before.sequence} is followed by one of {state.time:.6g} s and "
            f"{state.sequence}.",
            "both larger than in any state before.",
            "Return each state once, stamped by the robot's monotonic clock when it was measured.",
        )
    if state.fault is not None:
        raise broken(
            "Robot.fault",
            f"fault {state.fault.code} is latched: {state.fault.cause}",
            "no fault from what this check sends, and none latched when it starts.",
            f"{state.fault.remedy} (Then acknowledge the fault and run the check again.)",
        )
    _judge_limits(state, hello)
    if before is not None and state.server_state in ARMED and before.server_state in ARMED:
        _judge_speed(state, before, hello)


def _judge_form(state: RobotState, hello: Hello, robot_hash: str) -> None:
    if type(state) is not RobotState or state.robot_hash != robot_hash:
        raise broken(
            "Robot.state",
            f"next_state() returned a {type(state).__name__} with robot hash {getattr(state, 'robot_hash', None)!r}.",
            f"a RobotState with {robot_hash!r}, the hash of hello().robot.",
            "Build states from the RobotSpec that hello() carries.",
        )
    joints = len(hello.robot.joint_names)
    for name in STATE_ARRAYS:
        shape = getattr(state, name).shape
        if shape != (joints,):
            raise broken(
                "Robot.state",
                f"{name} has shape {shape}.",
                f"({joints},), one value for each joint of hello().robot.",
                "Order arrays with RobotSpec.order.",
            )


def _judge_limits(state: RobotState, hello: Hello) -> None:
    spec = hello.robot
    span = spec.position_upper - spec.position_lower
    for name, slack in (("joint_pos_target", 1e-9 + 1e-6 * span), ("joint_pos", _OUTSIDE * span)):
        value = getattr(state, name)
        outside = (value < spec.position_lower - slack) | (value > spec.position_upper + slack)
        if outside.any():
            at = int(np.argmax(outside))
            raise broken(
                "Robot.limits",
                f"{name} of {spec.joint_names[at]} is {value[at]:.6g} at {state.time:.6g} s.",
                f"[{spec.position_lower[at]:.6g}, {spec.position_upper[at]:.6g}] (rad, m for a sliding joint)"
                + (" up to 2 % of the range." if name == "joint_pos" else "."),
                "Check joint order and units (radians, not degrees), and limit targets before they are sent.",
            )


def _judge_speed(state: RobotState, before: RobotState, hello: Hello) -> None:
    spec = hello.robot
    passed = state.time - before.time
    # A state may hold one tick of the driver more than its time stamp tells.
    farthest = spec.velocity_limit * (passed + 1.0 / hello.control_hz) * (1.0 + _FASTER) + 1e-9
    moved = np.abs(state.joint_pos_target - before.joint_pos_target)
    if (moved > farthest).any():
        at = int(np.argmax(moved - farthest))
        raise broken(
            "Robot.limits",
            f"joint_pos_target of {spec.joint_names[at]} moved by {moved[at]:.4g} within {passed:.4g} s at {state.time:.6g} s.",
            f"velocity_limit {spec.velocity_limit[at]:.4g} (rad/s, m/s for a sliding joint) while armed.",
            "Limit the speed of what is sent to the drivers.",
        )
