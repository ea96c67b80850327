"""Clients that die, freeze, press the e-stop, and ask for what cannot be; clocks that jump.

In:  a scene.   Out: ``CASES`` of the classes 1, 2, 4, 16 and 18.
Not here: messages that are none (message), who may command (lease).
"""

from __future__ import annotations

import time

import numpy as np

from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.puppet import COMMAND_NS, sine
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings
from h2s2r_hw.emulators.rehearsal.whole import SECOND
from h2s2r_schemas.wire import RobotCommand

#: A controlled stop: at least one stream's stale age (2.5 periods of 60 Hz, at least 60 ms) passes, then it brakes.
_STOPPED = {"server_state": "hold", "lease_epoch": 0, "arm_fault": "", "hand_fault": "", "rest_s": (0.0, 0.6)}


def _killed(seconds: float, reach: float):
    def play(scene: Scene) -> None:
        scene.tracking(seconds, reach)
        scene.mark()
        scene.owner.client.close()
        scene.whole.clients.clear()
        scene.whole.run(2.0)

    return play


def _killed_in_hold(scene: Scene) -> None:
    scene.armed()
    scene.mark()
    scene.owner.client.close()
    scene.whole.clients.clear()
    scene.whole.run(2.0)


def _killed_homing(scene: Scene) -> None:
    scene.tracking(1.5, 0.3)
    scene.owner.ask("home")
    scene.owner.hold(0.5)
    scene.mark()
    scene.owner.client.close()
    scene.whole.clients.clear()
    scene.whole.run(2.0)


def _frozen(seconds: float):
    """The client stands still, then all its commands arrive at once."""

    def play(scene: Scene) -> None:
        scene.tracking(1.0)
        owner = scene.owner
        path = sine(owner.state.joint_pos_target.copy(), 0.2)
        scene.mark()
        before = scene.whole.gateway.counters["accepted"]
        queued: list[RobotCommand] = []
        end_ns = scene.whole.now_ns + round(seconds * SECOND)
        while scene.whole.now_ns < end_ns:
            queued.append(owner.command(path(0.1)))
            scene.whole.group.run(min(end_ns, scene.whole.now_ns + COMMAND_NS))
        # The last one may be fresh still; what is older than a stale command may be is none.
        for command in queued:
            owner.client.command(command)
        accepted = scene.whole.gateway.counters["accepted"] - before
        allowed = sum(1 for each in queued if end_ns * 1e-9 - each.client_time <= scene.whole.server.gateway.stale_age)
        scene.notes["stale_accepted"] = max(0, accepted - allowed)
        scene.notes["burst"] = len(queued)
        scene.whole.run(2.0)

    return play


def _target(offset: float, joint: int = 3):
    """While it follows, one joint is asked to be elsewhere at once."""

    def play(scene: Scene) -> None:
        scene.tracking(1.0)
        away = scene.owner.look().joint_pos_target.copy()
        away[joint] += offset
        scene.mark()
        scene.owner.follow(3.0, lambda seconds: away)
        reached = float(abs(scene.owner.look().joint_pos_target[joint] - away[joint]))
        scene.notes["missing_rad"] = reached

    return play


def _beyond(part: float):
    """Every joint is asked to be beyond its limit by a part of its range."""

    def play(scene: Scene) -> None:
        scene.tracking(0.5)
        robot = scene.whole.robot
        beyond = robot.position_upper + part * (robot.position_upper - robot.position_lower)
        scene.owner.follow(2.0, lambda seconds: beyond)

    return play


def _far_start(scene: Scene) -> None:
    scene.armed()
    scene.mark()
    scene.owner.follow(1.0, lambda seconds: scene.start + 0.5)


def _jumping(scene: Scene) -> None:
    """Another place within the limits with every command."""
    scene.tracking(0.5)
    rng, robot = np.random.default_rng(4), scene.whole.robot
    scene.owner.follow(6.0, lambda seconds: rng.uniform(robot.position_lower, robot.position_upper))


# ── e-stop ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _estop(during: str, by: str):
    def play(scene: Scene) -> None:
        if during == "ready":
            scene.ready()
        elif during in ("hold", "homing"):
            scene.armed()
        else:
            scene.tracking(1.3, 0.3)
        if during == "homing":
            scene.owner.ask("home")
            scene.owner.hold(0.4)
        presses = scene.owner if by == "owner" else scene.other()
        if during == "soft_stop":
            scene.owner.ask("release_lease")
            scene.whole.run(0.02)
        scene.mark()
        scene.notes["estop_code"] = presses.ask("estop").code
        scene.whole.run(1.0)
        if during != "ready":
            scene.owner.follow(0.3, lambda seconds: scene.start)

    return play


def _estop_100(scene: Scene) -> None:
    """A hundred times, at random moments of motion; reset and armed anew each time."""
    scene.tracking(0.3)
    rng, latched = np.random.default_rng(18), 0
    rests: list[float] = []
    operator = scene.other("chief", operator=True)
    for _ in range(100):
        scene.follow(float(rng.uniform(0.05, 0.3)), 0.3)
        scene.mark()
        scene.owner.ask("estop")
        scene.whole.run(0.4)
        latched += scene.owner.look().server_state == "estop"
        rests.append(scene.wires.rest_s())
        scene.owner.ask("release_lease")
        scene.owner.epoch = scene.owner.token = 0
        operator.ask("reset_estop")
        scene.whole.run(0.7)
        scene.owner.arm()
    scene.notes |= {"latched": latched, "slowest_rest_s": max(rests)}


# ── clocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wall_clock(scene: Scene) -> None:
    """The date of the PC is set by an hour, twice, while it follows."""
    scene.tracking(0.5)
    real = time.time
    try:
        for jump in (3600.0, -7200.0):
            time.time = lambda jump=jump: real() + jump
            scene.follow(1.0)
    finally:
        time.time = real


def _through(scene: Scene) -> None:
    """Follow through whatever the devices do at 2 s."""
    scene.tracking(0.5)
    scene.follow(2.5)


_HELD = {"server_state": "estop", "estop_code": "", "rest_s": (0.0, 0.35), "hand_powered": 0}
CASES = (
    Case(1, "killed at low speed", _killed(0.6, 0.1), _STOPPED),
    Case(1, "killed at high speed", _killed(1.25, 0.9), _STOPPED),
    Case(1, "killed while holding", _killed_in_hold, {**_STOPPED, "rest_s": 0.0}),
    Case(1, "killed while homing", _killed_homing, {**_STOPPED, "rest_s": (0.0, 1.0)}),
    Case(2, "frozen for 50 ms", _frozen(0.05), {"stale_accepted": 0, "server_state": "hold"}),
    Case(2, "frozen for 200 ms", _frozen(0.2), {"stale_accepted": 0, "server_state": "hold"}),
    Case(2, "frozen for 500 ms", _frozen(0.5), {"stale_accepted": 0, "server_state": "hold", "burst": (29, 31)}),
    Case(2, "frozen for 1 s", _frozen(1.0), {"stale_accepted": 0, "server_state": "hold", "lease_epoch": 0}),
    Case(2, "frozen for 5 s", _frozen(5.0), {"stale_accepted": 0, "server_state": "hold", "burst": (299, 301)}),
    Case(4, "step of 1 rad", _target(1.0), {"server_state": "track", "missing_rad": (0.0, 0.05)}),
    Case(4, "step of -1 rad", _target(-0.8, 1), {"server_state": "track", "missing_rad": (0.0, 0.05)}),
    Case(4, "slightly outside the limits", _beyond(0.1), {"server_state": "track", "count_far_outside": 0}),
    Case(
        4,
        "far outside the limits",
        _beyond(0.5),
        {"server_state": "hold", "count_far_outside": (25, 35), "lease_epoch": 0},
    ),
    Case(
        4,
        "a first target far away",
        _far_start,
        {"server_state": "hold", "count_far_start": (25, 35), "rest_s": 0.0, "lease_epoch": 0},
    ),
    Case(4, "another place with every command", _jumping, {"server_state": "track"}),
    Case(16, "the PC's date is set", _wall_clock, {"server_state": "track", "arm_faults": 0, "hand_faults": 0}),
    Case(
        16,
        "the cabinet's clock jumps ahead",
        _through,
        {"server_state": "track", "arm_faults": 0},
        lambda: settings("time_jump=100@2"),
    ),
    Case(
        16,
        "the cabinet's clock jumps back",
        _through,
        {"server_state": "track", "arm_faults": 0},
        lambda: settings("time_jump=-100@2"),
    ),
    *(
        Case(18, f"e-stop by the {by} in {during}", _estop(during, by), _HELD)
        for during in ("ready", "hold", "track", "homing", "soft_stop")
        for by in ("owner", "other")
    ),
    Case(18, "e-stop a hundred times", _estop_100, {"latched": 100, "slowest_rest_s": (0.0, 0.35)}),
)
