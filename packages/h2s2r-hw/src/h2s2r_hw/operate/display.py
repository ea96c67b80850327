"""A robot's state in words, for somebody who stands beside it.

In:  two states some time apart.   Out: text.
Not here: when it is shown (cli.status), codes of faults and refusals (states, server.refusals).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from h2s2r_hw.drivers.fri import OperationMode, Quality, SafetyState, SessionState
from h2s2r_hw.server.refusals import REFUSALS
from h2s2r_hw.states import State
from h2s2r_schemas.wire import Hello, RobotState

_REQUEST = "request."
#: What is shown as a rate, where it is counted: counter, name, unit.
_RATES = (
    ("accepted", "commands followed"),
    ("arm.sent", "arm"),
    ("hand.cycles", "hand"),
)
#: Counters of motion that an operator should see when they are not zero.
_LIMITS = ("clamped_position", "clamped_velocity", "guard_holds", "stops", "far_targets", "residual_fallbacks")


def show(state: RobotState, before: RobotState, hello: Hello, joints: bool = False) -> str:
    """The state, and what changed since the one before.

    Args:
        state: now.
        before: an earlier one; rates are over the time between them.
        hello: whose robot it is.
        joints: whether each joint gets a line.
    """
    lines = [
        *_head(state, hello),
        *_devices(state),
        *_rates(state, before),
        *_refusals(state, before),
        *_limits(state),
        *_fault(state),
    ]
    return "\n".join([*lines, *(_joints(state, hello) if joints else ())])


def _head(state: RobotState, hello: Hello) -> Iterator[str]:
    kind = "emulated" if hello.emulated else "REAL"
    lease = f"held, epoch {state.lease_epoch}" if state.lease_epoch else "free"
    yield f"{hello.robot.name} ({kind}) by {hello.server}, {state.time:.1f} s"
    yield f"state      {state.server_state.upper()}, lease {lease}"
    if state.command_sequence >= 0:
        yield f"command    {state.command_sequence}, {1e3 * state.command_age:.0f} ms ago"


def _devices(state: RobotState) -> Iterator[str]:
    """What each device is like, and which of them the robot waits for."""
    counters = state.counters
    if "arm.state" not in counters:
        return
    arm, hand = State(counters["arm.state"]).name, State(counters["hand.state"]).name
    if "arm.quality" in counters:
        session, quality = SessionState(counters["arm.session_state"]).name, Quality(counters["arm.quality"]).name
        safety = SafetyState(counters["arm.safety_state"]).name
        mode, drives = OperationMode(counters["arm.operation_mode"]).name, counters["arm.drives_on"]
        yield f"arm        {arm}: {session}, quality {quality}, {mode}, drives {'on' if drives else 'OFF'}, {safety}"
    else:
        yield f"arm        {arm}: no word of the cabinet"
    if "hand.identified" in counters:
        known, servo = counters["hand.identified"], counters["hand.servo_on"]
        yield f"hand       {hand}: {'identified' if known else 'NOT identified'}, motors {'on' if servo else 'off'}"
    else:
        yield f"hand       {hand}: no word of the hand"


def _rates(state: RobotState, before: RobotState) -> Iterator[str]:
    seconds = state.time - before.time
    if seconds <= 0.0:
        return
    found = [f"states {(state.sequence - before.sequence) / seconds:.1f}"]
    for counter, name in _RATES:
        grown = state.counters.get(counter, 0) - before.counters.get(counter, 0)
        if counter in state.counters:
            found.append(f"{name} {grown / seconds:.1f}")
    yield f"rates      {', '.join(found)} [1/s]"


def _refusals(state: RobotState, before: RobotState) -> Iterator[str]:
    counted = {name: count for name, count in state.counters.items() if name.removeprefix(_REQUEST) in REFUSALS}
    if counted:
        shown = [_with_growth(name, count, before.counters.get(name, 0)) for name, count in sorted(counted.items())]
        yield f"refused    {', '.join(shown)}"
    row = REFUSALS.get(state.last_refusal)
    if row is not None:
        yield f"last       {state.last_refusal}: {row.meaning}"
        yield f"           -> {row.remedy}"


def _with_growth(name: str, count: int, before: int) -> str:
    return f"{name} {count}" + (f" (+{count - before})" if count > before else "")


def _limits(state: RobotState) -> Iterator[str]:
    acted = [f"{part}.{name}" for part in ("arm", "hand") for name in _LIMITS]
    found = [f"{name} {state.counters[name]}" for name in acted if state.counters.get(name)]
    if found or state.clamped:
        yield f"limits     {state.clamped} joints now; {', '.join(found) or 'none before'}"


def _fault(state: RobotState) -> Iterator[str]:
    if state.fault is not None:
        yield f"FAULT      {state.fault.code} at {state.fault.time:.3f} s: {state.fault.cause}"
        yield f"           -> {state.fault.remedy}"


def _joints(state: RobotState, hello: Hello) -> Iterator[str]:
    spec = hello.robot
    width = max(len(name) for name in spec.joint_names)
    yield f"{'joint':<{width}} {'position':>9} {'target':>9} {'velocity':>9} {'torque':>9}   room"
    room = np.minimum(state.joint_pos - spec.position_lower, spec.position_upper - state.joint_pos)
    for joint, name in enumerate(spec.joint_names):
        values = (state.joint_pos, state.joint_pos_target, state.joint_vel, state.joint_torque)
        yield f"{name:<{width}} {' '.join(f'{each[joint]:9.4f}' for each in values)} {room[joint]:6.3f}"
