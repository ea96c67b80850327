"""Small motions: does the robot go where it is told, joint by joint, and never where it must not?

In:  a ``RobotSession`` with an armed robot.   Out: nothing, or ``ContractError`` on follow, velocity or limits.
Not here: commands that must not move it (refusals).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np

from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.robot.session import RobotSession
from h2s2r_schemas.wire import RobotState

#: Part of a commanded change by which a joint may miss it, and of its own amplitude by which another joint may move.
FOLLOW_TOLERANCE = 0.2
#: Joints move by at most this part of their range.
_RANGE_FRACTION = 0.05
#: [s] shortest time of a motion: several states even at 15 Hz.
_RAMP = 0.5
#: [s] for which a joint must stay where it arrived.
_STAY = 0.2
#: Part of its range by which a target is set beyond a limit.
_BEYOND = 0.1


@dataclass(frozen=True)
class Motion:
    """From where, how far and which way each joint moves."""

    start: np.ndarray
    """(J) [rad; m] where motions begin: within the limits by ``size``."""
    size: np.ndarray
    """(J) [rad; m] how far each joint moves."""
    moved: np.ndarray
    """(J) [rad; m] ``size`` away from ``start``, towards the middle of the range."""

    @staticmethod
    def where_it_stands(session: RobotSession, amplitude: float) -> Motion:
        """Motions around what the robot was sent last."""
        lower, upper = session.spec.position_lower, session.spec.position_upper
        size = np.minimum(amplitude, _RANGE_FRACTION * (upper - lower))
        start = np.clip(session.state.joint_pos_target, lower + size, upper - size)
        return Motion(start, size, start + np.where(start < (lower + upper) / 2.0, size, -size))

    def go_to_start(self, session: RobotSession) -> None:
        """Move there, and be sure that commands are accepted."""
        first = session.next_sequence
        ramp(session, session.state.joint_pos_target, self.start)
        accepted = session.state.command_sequence
        if not first <= accepted < session.next_sequence:
            raise broken(
                "Robot.verdict",
                f"commands {first} to {session.next_sequence - 1} were valid; the state says command_sequence {accepted}, "
                f"last_refusal {session.state.last_refusal!r}, lease_epoch {session.state.lease_epoch}, server_state "
                f"{session.state.server_state!r}.",
                "command_sequence reaches the sequence of a valid command within lease_ttl.",
                "Accept what is not to be refused (clause refusal), and report the last accepted sequence.",
            )

    def hold(self, session: RobotSession, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Command the start for that long [s]; ends early when ``until()``."""
        session.stream(lambda elapsed: self.start, seconds, until)

    def rest(self, session: RobotSession, seconds: float) -> None:
        """Command the start until the joints stand still there, or for that long [s]."""
        began = session.state.time
        while session.state.time - began < seconds:
            before = session.state.joint_pos
            self.hold(session, _STAY)
            if (np.abs(session.state.joint_pos - before) <= 0.5 * FOLLOW_TOLERANCE * self.size).all():
                return


def ramp(session: RobotSession, begin: np.ndarray, end: np.ndarray) -> list[RobotState]:
    """States while commanding a smooth path between two configurations (J), at half the limits or slower."""
    change, spec = np.abs(end - begin), session.spec
    # Peaks of the polynomial: speed 1.5 change / time, acceleration 6 change / time².
    by_speed = 3.0 * change / np.maximum(spec.velocity_limit, 1e-9)
    by_acceleration = np.sqrt(12.0 * change / np.maximum(spec.acceleration_limit, 1e-9))
    seconds = max(_RAMP, float(by_speed.max()), float(by_acceleration.max()))

    def target_at(elapsed: float) -> np.ndarray:
        part = min(1.0, elapsed / seconds)
        return begin + (3.0 * part**2 - 2.0 * part**3) * (end - begin)

    states = [session.state]
    states += session.stream(target_at, seconds)
    return states + session.stream(lambda elapsed: end, _STAY)


def check_follow(session: RobotSession, motion: Motion, settle: float) -> None:
    """Clauses follow and velocity: each joint in turn, out and back."""
    movable = (motion.size > 0.0) & (session.spec.velocity_limit > 0.0)
    for joint in np.flatnonzero(movable):
        _move_joint(session, motion, settle, int(joint))


def _move_joint(session: RobotSession, motion: Motion, settle: float, joint: int) -> None:
    target = motion.start.copy()
    target[joint] = motion.moved[joint]
    motion.rest(session, settle)
    before = session.state
    states = ramp(session, motion.start, target)
    arrived = _arrival(session, before, target, motion, joint)
    states += session.stream(lambda elapsed: target, settle, lambda: arrived() == "")
    states += session.stream(lambda elapsed: target, _STAY)
    wrong = arrived()
    if wrong:
        raise broken(
            "Robot.follow",
            wrong,
            f"the commanded change to a fifth within {settle} s, to stay there, and nothing else to move.",
            "Map commands and states by joint_names in the order of hello().robot, in radians and metres.",
        )
    _check_velocity(session, states, joint)
    ramp(session, target, motion.start)


def _arrival(
    session: RobotSession, before: RobotState, target: np.ndarray, motion: Motion, joint: int
) -> Callable[[], str]:
    """A function that says what is wrong with the present state, seen as the end of a motion; empty for nothing."""
    asked = target - motion.start
    tolerance = FOLLOW_TOLERANCE * motion.size

    def wrong() -> str:
        for name in ("joint_pos", "joint_pos_target"):
            change = getattr(session.state, name) - getattr(before, name)
            if (np.abs(change - asked) > tolerance).any():
                others = np.where(np.arange(len(change)) == joint, 0.0, np.abs(change) / np.maximum(motion.size, 1e-9))
                other = int(np.argmax(others)) if others.max() > FOLLOW_TOLERANCE else joint
                return _words(session, name, change, float(asked[joint]), joint, other)
        return ""

    return wrong


def _words(session: RobotSession, name: str, change: np.ndarray, asked: float, joint: int, other: int) -> str:
    """What happened instead; ``other`` is the other joint that moved most, or ``joint`` if none did."""
    names = session.spec.joint_names
    ratio = float(change[joint]) / asked
    hint = ""
    for value, meaning in ((180 / np.pi, "degrees"), (np.pi / 180, "degrees"), (-1.0, "the opposite sign")):
        if abs(ratio - value) < FOLLOW_TOLERANCE * abs(value):
            hint = f" That is {meaning}."
    if other != joint:
        swapped = abs(ratio) < FOLLOW_TOLERANCE
        hint = f" {names[other]} moved by {change[other]:.4g} {'instead: another joint order.' if swapped else 'too.'}"
    return f"{names[joint]} was told to move by {asked:.4g}; its {name} changed by {change[joint]:.4g}.{hint}"


def _check_velocity(session: RobotSession, states: list[RobotState], joint: int) -> None:
    time = np.array([state.time for state in states])
    velocity = np.array([state.joint_vel[joint] for state in states])
    summed = float((0.5 * (velocity[1:] + velocity[:-1]) * np.diff(time)).sum())
    change = float(states[-1].joint_pos[joint] - states[0].joint_pos[joint])
    if not 0.5 <= summed / change <= 2.0:
        raise broken(
            "Robot.velocity",
            f"{session.spec.joint_names[joint]} moved by {change:.4g}; its joint_vel over that time adds up to {summed:.4g}.",
            "half to twice the motion.",
            "Give joint_vel in rad/s (m/s), in the order and with the sign of joint_pos.",
        )


def check_limits(session: RobotSession, motion: Motion) -> None:
    """Clause limits under a step beyond the limit that is soonest reached: judged at every state on the way."""
    spec = session.spec
    span = spec.position_upper - spec.position_lower
    for side, limit in ((-1.0, spec.position_lower), (1.0, spec.position_upper)):
        seconds = np.abs(limit - motion.start) / np.maximum(spec.velocity_limit, 1e-9)
        joint = int(np.argmin(np.where(span > 0.0, seconds, np.inf)))
        target = motion.start.copy()
        target[joint] = limit[joint] + side * _BEYOND * span[joint]
        # Refusing what lies beyond the limit is allowed: then only renewals keep the lease.
        session.stream(lambda elapsed, to=target: to, 2.0 * float(seconds[joint]) + 1.0, renew=True)
        ramp(session, session.state.joint_pos_target, motion.start)
