"""What the cabinet, its cable and its operator can do.

In:  a scene.   Out: ``CASES`` of the classes 8 to 11.
Not here: the emulated cabinet's faults themselves (emulators.faults).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from h2s2r_hw.emulators.cabinet.quality import LAX
from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings, through
from h2s2r_hw.emulators.rehearsal.whole import QUICK, RehearsalCfg


def _recovered(seconds: float) -> Callable[[Scene], None]:
    """The same; then an operator acknowledges, and the client goes on."""

    def play(scene: Scene) -> None:
        through(seconds)(scene)
        operator = scene.other("chief", operator=True)
        scene.whole.run(1.5)
        scene.notes["acknowledged"] = operator.ask("acknowledge_fault").code
        scene.whole.run(1.0)
        scene.owner.epoch = scene.owner.token = 0
        scene.notes["armed_again"] = scene.owner.arm()
        scene.follow(1.0)

    return play


def _unarmed(scene: Scene) -> None:
    """Arming is tried; whatever is wrong must be known before."""
    scene.ready()
    scene.notes["armed"] = scene.owner.arm(2.0)


def _waited(scene: Scene) -> None:
    """COMMANDING_WAIT lasts, with the cabinet's own motion under it."""
    scene.whole.run(1.0)
    scene.notes["waits"] = scene.wires.waits
    scene.tracking(1.0)


def _other_version() -> RehearsalCfg:
    """The server is configured for another generation than the cabinet's."""
    cfg = settings()
    return replace(cfg, server=replace(cfg.server, arm=replace(cfg.server.arm, version="2.7")))


def _other(**arm: Any) -> Callable[[], RehearsalCfg]:
    """The server's settings of the arm differ from the cabinet's."""

    def make() -> RehearsalCfg:
        cfg = settings()
        return replace(cfg, server=replace(cfg.server, arm=replace(cfg.server.arm, **arm)))

    return make


def _with(faults: str = "", **cabinet: Any) -> Callable[[], RehearsalCfg]:
    return lambda: settings(faults, cabinet)


def _moving(mode: str) -> Callable[[], RehearsalCfg]:
    """A cabinet that moves a joint by itself while it waits, and takes its time."""
    cabinet: dict[str, Any] = {"ipo_amplitude": 0.2, "wait_answers": 150, "mode": mode}
    return lambda: settings("", cabinet | {"send_period_ms": 2 if mode == "torque" else QUICK.send_period_ms})


_GOES_ON = {"server_state": "track", "arm_fault": "", "hand_fault": "", "cabinet_protocol_errors": 0}
#: The arm's fault is latched and nobody acknowledged it. The hand stops and holds.
_LATCHED = {"server_state": "fault", "arm_state": "fault", "hand_fault": "", "cabinet_protocol_errors": 0}
_QUALITY = {**_LATCHED, "arm_fault": "fri_quality_lost"}
_AGAIN = {"acknowledged": "", "armed_again": "hold", "server_state": "track"}
CASES = (
    Case(8, "1 % lost", through(3.0), _GOES_ON, _with("drop=0.01@2", quality=LAX)),
    Case(8, "5 % lost", _recovered(2.0), {"arm_faults": (1, 2), **_AGAIN}, _with("drop=0.05@2:4")),
    Case(8, "20 % lost", _recovered(2.0), {"arm_faults": (1, 2), **_AGAIN}, _with("drop=0.2@2:4")),
    Case(8, "5 ms lost", through(2.0), _GOES_ON, _with("burst=1@2")),
    Case(8, "50 ms lost", _recovered(1.0), {"arm_faults": 1, **_AGAIN}, _with("burst=10@2")),
    Case(8, "200 ms lost", _recovered(1.0), {"arm_faults": 1, **_AGAIN}, _with("burst=40@2")),
    Case(8, "2 ms late", through(2.0), _GOES_ON, _with("delay=2@2:3")),
    Case(8, "4 to 12 ms late", _recovered(2.0), {"arm_faults": 1, **_AGAIN}, _with("delay=4/8@2:3")),
    Case(8, "a fifth sent twice", through(2.0), _GOES_ON, _with("duplicate=0.2@2")),
    Case(8, "a tenth in the wrong order", through(2.0), {"arm_fault": "fri_quality_lost"}, _with("reorder=0.1@2")),
    Case(8, "quality GOOD", through(2.0), _GOES_ON, _with("quality=2@2")),
    Case(8, "quality FAIR", through(1.0), _QUALITY, _with("quality=1@2:2.5")),
    Case(8, "quality POOR", through(1.0), _QUALITY, _with("quality=0@2:2.5")),
    Case(8, "quality FAIR, and back", _recovered(1.0), {"arm_faults": 1, **_AGAIN}, _with("quality=1@2:2.5")),
    Case(
        9,
        "the session is closed",
        through(2.0),
        {"arm_fault": "fri_session_closed", "cabinet_protocol_errors": 0},
        _with(active_time=1.5),
    ),
    Case(
        9,
        "the session is closed and opened again",
        _recovered(2.0),
        {"arm_faults": (1, 3), "armed_again": "hold"},
        _with(active_time=3.0, reopen_after=0.5),
    ),
    Case(9, "another version", _unarmed, {"armed": "fault", "arm_fault": "fri_wrong_version"}, _other_version),
    Case(9, "datagrams of no message", through(1.0), {**_LATCHED, "arm_fault": "fri_silent"}, _with("wrong_id=@2:3")),
    Case(9, "datagrams that are cut", through(1.0), {**_LATCHED, "arm_fault": "fri_silent"}, _with("truncate=40@2:3")),
    Case(9, "a second cabinet with forged datagrams", through(2.0), _GOES_ON, _with("foreign_sender=@2")),
    Case(
        9,
        "an arm with six joints",
        through(1.0),
        {**_LATCHED, "arm_fault": "fri_incomplete"},
        _with("joint_count=6@2:2.5"),
    ),
    Case(
        9,
        "no position of the cabinet's own motion",
        through(1.0),
        {"limit_violations": 0, "cabinet_protocol_errors": 0},
        _with("no_ipo=@2:2.5"),
    ),
    Case(9, "another period than configured", _unarmed, {"armed": "not_ready"}, _other(send_period_ms=10)),
    Case(9, "another mode than configured", _unarmed, {"armed": "not_ready"}, _other(mode="torque")),
    *(
        Case(
            10,
            f"safety stop {level}",
            through(1.0),
            {**_LATCHED, "arm_fault": "safety_stop", "rest_s": (0.0, 0.3)},
            _with(f"safety_stop={level}@2:2.5"),
        )
        for level in (0, 1, 2)
    ),
    Case(10, "safety stop, and back", _recovered(1.0), {"arm_faults": 1, **_AGAIN}, _with("safety_stop=1@2:2.3")),
    Case(
        10,
        "the key is turned to T2",
        through(1.0),
        {**_LATCHED, "arm_fault": "operation_mode_changed"},
        _with("operation_mode=1@2"),
    ),
    Case(
        10,
        "the key is turned to T1",
        through(1.0),
        {**_LATCHED, "arm_fault": "operation_mode_changed"},
        _with("operation_mode=0@2"),
    ),
    Case(10, "the drives are off", through(1.0), {**_LATCHED, "arm_fault": "drives_off"}, _with("drives_off=@2:2.5")),
    Case(10, "armed in T2", _unarmed, {"armed": "not_ready"}, _with(operation_mode="T2")),
    Case(
        11,
        "the cabinet moves while it waits",
        _waited,
        {"waits": (100, 400), "server_state": "track"},
        _moving("position"),
    ),
    Case(11, "the same in torque mode", _waited, {"waits": (100, 500), "server_state": "track"}, _moving("torque")),
)
