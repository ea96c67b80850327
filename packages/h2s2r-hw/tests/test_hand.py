"""The emulated hand to a controller that is not ours: identity, units, latching, caps, heat, and what it ignores.

In:  frames on python-can's virtual bus, in lock-step.   Out: frames, and torques on the plant.
Not here: injected faults (test_faults), physics (test_twin).
"""

from __future__ import annotations

import itertools
import struct

import pytest
from rig_for_tests import SECOND, run_cell

from h2s2r_hw.drivers.allegro import NEVER_SEND, Frame, encode_torques, hand_version, servo_off, servo_on
from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.hand import Hand, HandCfg
from h2s2r_hw.emulators.plant import IdealPlant
from h2s2r_schemas.errors import SchemaError

FIST = [0.0, 1.2, 1.2, 1.0] * 3 + [1.0, 0.8, 0.8, 0.8]
OPEN = [0.0, 0.1, 0.1, 0.1] * 3 + [0.6, 0.1, 0.1, 0.1]
V5 = {"unit": 0.088 * 3.141592653589793 / 180, "per_newton_metre": 1430.0}


class Recorder(IdealPlant):
    """Remembers what the fingers were last pushed with."""

    torque = (0.0,) * 16

    def command_hand(self, joint_torque):
        super().command_hand(joint_torque)
        self.torque = joint_torque


def a_hand(version="v4", **changes):
    plant = Recorder()
    return Hand(HandCfg(version=version, **changes), plant, FaultPlan(), 0), plant


@pytest.mark.requirement("H27")
@pytest.mark.parametrize("version", ["v4", "v5"])
def test_it_makes_a_fist_and_opens(version):
    units = V5 if version == "v5" else {}
    target = {"target": lambda seconds: FIST if seconds < 1.0 else OPEN}
    run = run_cell(2.0, hand=HandCfg(version=version), fingers={**units, **target})
    unit = units.get("unit", run.hand.unit)
    at_fist = {finger: counts for now_ns, finger, counts in run.hand.reports if now_ns < SECOND}
    at_end = {finger: counts for _, finger, counts in run.hand.reports}
    for finger in range(4):
        goal = slice(4 * finger, 4 * finger + 4)
        assert [count * unit for count in at_fist[finger]] == pytest.approx(FIST[goal], abs=0.02)
        assert [count * unit for count in at_end[finger]] == pytest.approx(OPEN[goal], abs=0.02)
    assert run.cell.hand.protocol_errors == []
    assert len(run.hand.reports) == 4 * 666 and run.hand.commands == 4 * 666


@pytest.mark.parametrize(
    ("version", "side", "info", "serial"),
    [
        ("v4", "right", "04000001001900", b"EMARv400"),
        ("v4", "left", "04000001011900", b"EMALv400"),
        ("v5", "right", "05000001001900", b"EMARv500"),
    ],
)
def test_it_says_who_it_is(version, side, info, serial):
    run = run_cell(0.05, hand=HandCfg(version=version, side=side), fingers={})
    assert run.hand.info == [bytes.fromhex(info)] and run.hand.serial == [serial]


def test_some_firmware_of_version_5_does_not_say_it():
    run = run_cell(0.05, hand=HandCfg(version="v5", answers_info=False, kind="B"), fingers={})
    assert run.hand.info == [] and run.hand.serial == [b"EMBRv500"]


def test_it_reports_at_the_period_it_is_told_and_not_before():
    run = run_cell(0.05, fingers={"period_ms": 2})
    times = sorted({now_ns for now_ns, _, _ in run.hand.reports})
    assert times[0] == 2_000_000 and {b - a for a, b in itertools.pairwise(times)} == {2_000_000}
    run = run_cell(0.05, fingers={"period_ms": 0})
    assert run.hand.reports == []


def test_a_request_for_one_finger_is_answered():
    hand, _ = a_hand()
    (answer,) = hand.receive(Frame(0x88, remote=True), 0)
    assert answer.identifier == 0x88
    assert struct.unpack("<4h", answer.data)[1] == round(0.3 / hand_version("v4").position_unit)


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_it_holds_the_last_current_when_nobody_speaks_any_more(version):
    hand, plant = a_hand(version)
    torque = (0.05,) * 16
    for frame in [servo_on(), *encode_torques(torque, hand_version(version))]:
        hand.receive(frame, 0)
    for moment in range(1, 200):
        hand.tick(moment * 10_000_000)
        assert plant.torque == pytest.approx(torque, abs=5e-4)
    hand.receive(servo_off(), 2 * SECOND)
    assert plant.torque == (0.0,) * 16
    # Commands are kept while the servo is off.
    hand.receive(servo_on(), 2 * SECOND)
    assert plant.torque == pytest.approx(torque, abs=5e-4)


@pytest.mark.parametrize(("version", "limit"), [("v4", 1200 / 1200.0), ("v5", 240 / 1430.0)])
def test_no_more_than_its_own_limit_flows(version, limit):
    hand, plant = a_hand(version)
    hand.receive(servo_on(), 0)
    hand.receive(Frame(0x184, struct.pack("<4h", 32767, -32768, 10, 0)), 0)
    assert plant.torque[4:6] == pytest.approx((limit, -limit))


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_it_heats_up_switches_off_says_so_and_cools(version):
    hand, plant = a_hand(version, hot=60.0)
    hand.receive(servo_on(), 0)
    hand.receive(Frame(0x180, struct.pack("<4h", 1200, 0, 0, 0)), 0)
    hand.receive(Frame(0x204, struct.pack("<3h", 0, 0, 100)), 0)
    said, seconds = [], 0.0
    while hand.motors.servo_on and seconds < 60.0:
        seconds += 0.1
        said += hand.tick(round(seconds * SECOND))
    assert 5.0 < seconds < 20.0
    assert plant.torque[0] == 0.0
    (info,) = hand.receive(Frame(0x200, remote=True), round(seconds * SECOND))
    assert info.data[6] == 0b010 and info.data[5] >= 60
    errors = [frame.data for frame in said if frame.identifier == 0x3B8]
    assert errors == ([bytes((0, 1 << 2))] if version == "v5" else [])
    assert hand.receive(servo_on(), round(seconds * SECOND)) == [] and not hand.motors.servo_on
    temperatures = [frame for frame in said if frame.identifier == 0xE0]
    assert all(len(frame.data) == 4 for frame in temperatures)
    assert temperatures[-1].data[0] > temperatures[0].data[0]
    for _ in range(600):
        seconds += 0.1
        hand.tick(round(seconds * SECOND))
    hand.receive(servo_on(), round(seconds * SECOND))
    assert hand.motors.servo_on


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        *[(Frame(identifier, b"\x01"), "never") for identifier in NEVER_SEND],
        (Frame(0x7FF), "nothing"),
        (Frame(0x380, bytes(8)), "nothing"),
        (Frame(0x44), "nothing"),
        (Frame(0x180, bytes(6)), "bytes"),
        (Frame(0x204, bytes(8)), "bytes"),
        (Frame(0x204, struct.pack("<3h", -1, 0, 0)), "Periods"),
        (Frame(0x100 + 0x13, remote=True), "request"),
    ],
)
def test_what_it_has_no_use_for_is_counted_and_changes_nothing(frame, word):
    hand, plant = a_hand("v5")
    for each in [servo_on(), *encode_torques((0.05,) * 16, hand_version("v5"))]:
        hand.receive(each, 0)
    before = plant.torque
    assert hand.receive(frame, 0) == []
    assert len(hand.protocol_errors) == 1 and word in hand.protocol_errors[0]
    assert plant.torque == before and hand.motors.servo_on


def test_a_hand_that_does_not_exist_is_refused():
    with pytest.raises(SchemaError, match="v4, v5"):
        HandCfg(version="v3")


def test_a_wrong_guess_of_the_version_gives_seventeen_times_the_position():
    run = run_cell(0.05, hand=HandCfg(version="v5"), fingers={})
    assert run.hand.joint_pos[1] == pytest.approx(0.3 / 17.3, rel=0.02)
