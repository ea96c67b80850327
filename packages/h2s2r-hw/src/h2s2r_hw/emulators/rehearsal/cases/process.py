"""Processes that die, disks that fill, loops that stall.

In:  a scene.   Out: ``CASES`` of the classes 13, 14, 17 and 19.
Not here: real processes and signals (tests of h2s2r_hw.processes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from h2s2r_hw.emulators.cell import CAN_CHANNEL, FRI_CHANNEL
from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings
from h2s2r_hw.emulators.rehearsal.whole import MS, RehearsalCfg


def _killed(part: str, seconds: float = 1.5) -> Callable[[Scene], None]:
    """While it follows, a process is killed; the client goes on."""

    def play(scene: Scene) -> None:
        scene.tracking(1.0)
        scene.mark()
        scene.whole.end(part)
        scene.follow(seconds) if part != "gateway" else scene.whole.run(seconds)

    return play


def _gateway_restarted(scene: Scene) -> None:
    """The gateway is killed and started anew; another client goes on."""
    _killed("gateway", 0.5)(scene)
    scene.whole.start("gateway")
    scene.whole.run(0.5)
    scene.notes["then"] = scene.whole.gateway.view.state.name.lower()
    scene.owner = scene.other("next")
    scene.notes["armed_again"] = scene.owner.arm()
    scene.follow(0.5)


def _hand_restarted(scene: Scene) -> None:
    """The hand's loop is killed and started anew."""
    _killed("hand", 0.5)(scene)
    scene.whole.start("hand")
    scene.whole.run(1.5)
    scene.notes["hand_then"] = int(scene.wires.powered)
    scene.owner.epoch = scene.owner.token = 0
    scene.notes["armed_again"] = scene.owner.arm()
    scene.follow(0.5)


def _supervisor_gone(scene: Scene) -> None:
    """What its end makes the guardian do."""
    scene.tracking(1.0)
    scene.mark()
    scene.whole.guardian.trip()
    scene.follow(1.0)


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Disk:
    """How much room a disk says it has."""

    def __init__(self) -> None:
        self.free = 2**40

    def __call__(self, path: Path) -> int:
        return self.free


def _full(scene: Scene) -> None:
    """The disk is full before arming."""
    _disk(scene).free = 0
    scene.ready()
    scene.notes["armed"] = scene.owner.arm(1.0)
    _disk(scene).free = 2**40
    scene.whole.run(0.6)
    scene.owner.epoch = scene.owner.token = 0
    scene.notes["armed_then"] = scene.owner.arm(2.0)


def _filling(scene: Scene) -> None:
    """The disk fills while it follows: motion goes on, but nobody can arm anew."""
    scene.tracking(0.5)
    _disk(scene).free = 0
    scene.follow(2.0)
    scene.notes["state_then"] = scene.owner.look().server_state
    scene.owner.ask("disarm")
    scene.whole.run(0.4)
    scene.notes["armed_again"] = scene.owner.ask("arm").code
    _disk(scene).free = 2**40


def _disk(scene: Scene) -> _Disk:
    free = scene.whole.cfg.free_bytes
    assert isinstance(free, _Disk)
    return free


def _with_disk() -> RehearsalCfg:
    return replace(settings(), free_bytes=_Disk())


def _slow(seconds: float) -> Callable[[Scene], None]:
    """The disk hangs for so long."""

    def play(scene: Scene) -> None:
        scene.tracking(0.3)
        scene.whole.logger.paused = True
        scene.follow(seconds)
        scene.whole.logger.paused = False
        scene.follow(0.5)
        scene.notes["dropped"] = scene.whole.arm_log.lost + scene.whole.hand_log.lost
        scene.notes["late"] = scene.whole.arm.timeouts

    return play


def _small_ring() -> RehearsalCfg:
    cfg = settings()
    return replace(cfg, server=replace(cfg.server, log=replace(cfg.server.log, ring_seconds=1.0)))


def _no_logger(scene: Scene) -> None:
    """The logger is dead before arming."""
    scene.whole.end("logger")
    scene.ready()
    scene.notes["armed"] = scene.owner.arm(1.0)


# ── stalls ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _stalled(part: str, seconds: float) -> Callable[[Scene], None]:
    """A loop does nothing for so long, as in a collection of garbage; what came meanwhile waits for it."""
    channel = FRI_CHANNEL if part == "arm" else CAN_CHANNEL

    def play(scene: Scene) -> None:
        scene.tracking(1.0)
        scene.mark()
        loop = scene.whole.arm if part == "arm" else scene.whole.hand
        scene.whole.group.stages.remove(loop)
        scene.follow(seconds)
        scene.whole.group.stages.append(loop)
        now_ns = scene.whole.now_ns
        # As many as came meanwhile: the loop reads until there is no more.
        waiting = round(seconds / 0.005) if part == "arm" else len(scene.whole.hand_port.inbox)
        for _ in range(waiting):
            scene.whole.group.announce(loop.hear(channel, 1, now_ns), loop)
        scene.whole.group.run(now_ns + 5 * MS)
        scene.follow(1.5)

    return play


def _soak(scene: Scene) -> None:
    """Arm, follow for a minute, stop: every tick accounted for, and at last nothing is armed."""
    scene.armed()
    scene.follow(60.0)
    whole = scene.whole
    scene.notes["followed_until_then"] = whole.gateway.view.state.name.lower()
    scene.mark()
    scene.notes["disarm"] = scene.owner.ask("disarm").code
    whole.run(2.0)
    scene.notes["unanswered"] = whole.cell.cabinet.messages - whole.cell.cabinet.answers
    scene.notes["unsent_or_refused"] = scene.owner.sent - whole.gateway.counters["accepted"]
    scene.notes["states_lost"] = scene.owner.client.lost_states


_GOES_ON = {"server_state": "track", "arm_faults": 0, "hand_faults": 0}
CASES = (
    Case(
        13,
        "the hand's loop",
        _killed("hand"),
        {
            "off_s": (0.0, 0.05),
            "currents_s": (0.0, 0.05),
            "hand_powered": 0,
            "guardian_trips": 1,
            "arm_state": "hold",
            "rest_s": (0.0, 0.5),
        },
    ),
    Case(13, "the arm's loop", _killed("arm"), {"hand_state": "hold", "server_state": "offline"}),
    Case(13, "the gateway", _killed("gateway"), {"arm_state": "hold", "hand_state": "hold", "rest_s": (0.0, 0.8)}),
    Case(13, "the guardian", _killed("guardian"), _GOES_ON),
    Case(13, "the logger", _killed("logger"), {**_GOES_ON, "log_lost": 0}),
    Case(13, "the supervisor", _supervisor_gone, {"off_s": (0.0, 0.05), "hand_powered": 0, "arm_state": "hold"}),
    Case(
        13,
        "the gateway, started anew",
        _gateway_restarted,
        {"then": "ready", "armed_again": "hold", "server_state": "track"},
    ),
    Case(
        13,
        "the hand's loop, started anew",
        _hand_restarted,
        {"hand_then": 0, "armed_again": "hold", "server_state": "track", "guardian_trips": 1},
    ),
    Case(14, "the disk is full before arming", _full, {"armed": "no_log", "armed_then": "hold"}, _with_disk),
    Case(
        14,
        "the disk fills while following",
        _filling,
        {"state_then": "track", "armed_again": "no_log", "arm_faults": 0},
        _with_disk,
    ),
    Case(14, "the disk hangs for 5 s", _slow(5.0), {**_GOES_ON, "dropped": 0, "late": 0}),
    Case(
        14,
        "the disk hangs for longer than fits",
        _slow(3.0),
        {**_GOES_ON, "dropped": (1000, 1200), "log_lost": (1000, 1200), "late": 0},
        _small_ring,
    ),
    Case(14, "the logger is dead before arming", _no_logger, {"armed": "no_log"}),
    *(
        Case(17, f"the {part}'s loop stalls for {round(1e3 * s)} ms", _stalled(part, s), {"limit_violations": 0})
        for part in ("arm", "hand")
        for s in (0.01, 0.05, 0.2)
    ),
    Case(
        19,
        "arm, follow for a minute, stop",
        _soak,
        {
            **_GOES_ON,
            "followed_until_then": "track",
            "disarm": "",
            "rest_s": (0.0, 0.5),
            "server_state": "ready",
            "hand_powered": 0,
            "unanswered": 0,
            "unsent_or_refused": 0,
            "states_lost": 0,
        },
    ),
)
