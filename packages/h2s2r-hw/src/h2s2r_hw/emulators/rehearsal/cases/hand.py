"""What the hand and its bus can do.

In:  a scene.   Out: ``CASES`` of class 12.
Not here: the emulated hand's faults themselves (emulators.faults).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings, through
from h2s2r_hw.emulators.rehearsal.whole import RehearsalCfg

#: [s] of four periods of the hand, and of its servo being off for good.
_ZERO, _OFF = 0.012, 0.1


def _unarmed(scene: Scene) -> None:
    scene.ready()
    scene.notes["armed"] = scene.owner.arm(2.0)


def _cut_cable(scene: Scene) -> None:
    """Nothing can be sent, and nothing comes."""
    scene.tracking(0.8)
    scene.mark()
    scene.whole.hand_port.broken = True
    scene.follow(1.0)


def _again(scene: Scene) -> None:
    """Silent for a tenth of a second; then acknowledged and armed anew."""
    through(1.0)(scene)
    operator = scene.other("chief", operator=True)
    scene.whole.run(1.0)
    scene.notes["acknowledged"] = operator.ask("acknowledge_fault").code
    scene.whole.run(1.0)
    scene.owner.epoch = scene.owner.token = 0
    scene.notes["armed_again"] = scene.owner.arm()
    scene.follow(0.5)


def _with(faults: str, **hand: Any) -> Callable[[], RehearsalCfg]:
    return lambda: settings(faults, None, hand)


_GOES_ON = {"server_state": "track", "hand_fault": "", "arm_fault": "", "hand_protocol_errors": 0}
#: Switched off and latched; the arm stops, and holds.
_OFF_AT_ONCE = {
    "server_state": "fault",
    "hand_state": "fault",
    "arm_state": "hold",
    "hand_powered": 0,
    "arm_fault": "",
    "off_s": (0.0, _OFF),
}
CASES = (
    Case(12, "1 % of frames lost", through(2.0), _GOES_ON, _with("lost_frames=0.01@2")),
    Case(
        12,
        "10 % of frames lost",
        through(2.0),
        {"limit_violations": 0, "hand_protocol_errors": 0},
        _with("lost_frames=0.1@2"),
    ),
    Case(
        12,
        "all frames lost",
        through(1.0),
        {**_OFF_AT_ONCE, "hand_fault": "hand_silent", "hand_powered": (0, 1)},
        _with("lost_frames=1@2"),
    ),
    Case(12, "6 ms of frames lost", through(1.0), _GOES_ON, _with("lost_frames=1@2:2.006")),
    Case(12, "20 ms of frames lost", through(1.0), _GOES_ON, _with("lost_frames=1@2:2.020")),
    Case(
        12,
        "100 ms of frames lost, then armed anew",
        _again,
        {"hand_faults": 1, "acknowledged": "", "armed_again": "hold", "server_state": "track"},
        _with("lost_frames=1@2:2.1"),
    ),
    *(
        Case(
            12,
            f"finger {finger} is silent",
            through(1.0),
            {**_OFF_AT_ONCE, "hand_fault": "hand_silent", "currents_s": (0.0, _ZERO)},
            _with(f"silent_finger={finger}@2"),
        )
        for finger in range(4)
    ),
    Case(
        12,
        "an encoder jumps",
        through(1.0),
        {**_OFF_AT_ONCE, "hand_fault": "hand_encoder_jump", "currents_s": (0.0, _ZERO)},
        _with("encoder_jump=5/0.6@2"),
    ),
    Case(12, "an encoder is stuck", through(2.0), {"limit_violations": 0}, _with("stuck_encoder=5@2")),
    Case(
        12,
        "too hot",
        through(1.0),
        {**_OFF_AT_ONCE, "hand_fault": "hand_over_temperature", "off_s": (0.0, 0.2)},
        _with("over_temperature=90@2"),
    ),
    Case(
        12,
        "a motor reports an error",
        through(1.0),
        {**_OFF_AT_ONCE, "hand_fault": "hand_motor_error"},
        _with("motor_error=3/32@2", version="v5"),
    ),
    Case(12, "the bus goes off", through(1.0), {"hand_fault": "can_bus_off", "arm_state": "hold"}, _with("bus_off=@2")),
    Case(12, "nothing can be sent", _cut_cable, {"hand_fault": "can_send_failed", "arm_state": "hold"}),
    Case(12, "another version", _unarmed, {"armed": "not_ready", "hand_powered": 0}, _with("wrong_version=@0")),
    Case(12, "the other side", _unarmed, {"armed": "not_ready", "hand_powered": 0}, _with("wrong_side=@0")),
    Case(
        12,
        "a hand without firmware that says who it is",
        _unarmed,
        {"armed": "not_ready"},
        _with("", answers_info=False),
    ),
    Case(12, "version 5", through(1.0), _GOES_ON, _with("", version="v5")),
)
