"""Each fault that can be injected is seen on the wire, and nothing of it where it is not injected.

In:  a line of faults.   Out: datagrams and frames with, before and after them.
Not here: what a server must do about them.
"""

from __future__ import annotations

import itertools
import struct

import pytest
from client_for_tests import sine
from rig_for_tests import SECOND, quick, run_cell

from h2s2r_hw.drivers.fri import DatagramError, FriVersion, decode_monitoring
from h2s2r_hw.emulators.cabinet import CabinetCfg
from h2s2r_hw.emulators.faults import FRI_FAULTS, HAND_FAULTS, FaultPlan, parse_faults
from h2s2r_hw.emulators.hand import HandCfg
from h2s2r_schemas.errors import SchemaError

V5 = {"unit": 0.088 * 3.141592653589793 / 180, "per_newton_metre": 1430.0}


def arm(faults, seconds=2.0, cabinet=None, **client):
    return run_cell(seconds, cabinet or quick(CabinetCfg(restart_after=None)), faults=faults, fri=client)


def sequences(run, start, end):
    return [message.header.sequenceCounter for message in run.seen(start, end)]


def sees_drop(run):
    sent = sequences(run, 0.5, 1.0)
    assert 40 < len(sent) < 60 and len(run.seen(0.0, 0.5)) == 100
    assert max(b - a for a, b in itertools.pairwise(sent)) > 1


def sees_burst(run):
    assert sequences(run, 0.48, 0.53) == [96, 97, 98, 99] and sequences(run, 0.53, 0.55) == [106, 107, 108, 109]


def sees_duplicate(run):
    sent = sequences(run, 0.5, 1.0)
    assert sorted(sent) == sorted([*range(100, 200)] * 2)


def sees_reorder(run):
    sent = sequences(run, 0.5, 1.0)
    assert sent == [number + (1 if number % 2 == 0 else -1) for number in range(100, 200)]


def sees_delay(run):
    at = {message.header.sequenceCounter: now_ns for now_ns, message in run.fri.messages}
    late = [at[number] - number * 5_000_000 for number in range(100, 199)]
    assert all(7_000_000 <= each <= 10_000_000 for each in late) and len(set(late)) > 50
    assert at[99] == 99 * 5_000_000


def sees_wrong_id(run):
    assert len(run.fri.undecodable) == 100
    with pytest.raises(DatagramError, match="identifier"):
        decode_monitoring(run.fri.undecodable[0], FriVersion.V1_15)


def sees_truncate(run):
    assert len(run.fri.undecodable) == 100 and {len(each) for each in run.fri.undecodable} == {100}


def sees_foreign_sender(run):
    # It arrives at the client's socket from a port that is not the cabinet's.
    assert run.fri.foreign == 100 == len(run.on("fri forged"))
    assert run.fri.states == [1, 2, 3, 4] and run.codes == []


def sees_quality(run):
    assert [m.connectionInfo.quality for m in run.seen(1.0, 1.4)] == [1] * 80
    assert run.fri.states[:5] == [1, 2, 3, 4, 1] and "quality" in run.codes


def sees_safety_stop(run):
    assert {m.robotInfo.safetyState for m in run.seen(1.0, 1.5)} == {2}
    assert {m.robotInfo.safetyState for m in run.seen(1.5, 2.0)} == {0}
    drives = [m.robotInfo.driveState[0] for m in run.seen(1.0, 2.0)]
    assert drives[0] == 1 and drives[50] == 0 and drives[110] == 1 and drives[-1] == 2
    assert run.codes == ["safety_stop"] and run.fri.states == [1, 2, 3, 4, 2]


def sees_operation_mode(run):
    assert {m.robotInfo.operationMode for m in run.seen(1.0, 1.5)} == {0}
    assert {m.robotInfo.operationMode for m in run.seen(1.5, 2.0)} == {2}
    assert run.codes == ["operation_mode"]


def sees_drives_off(run):
    assert {tuple(m.robotInfo.driveState) for m in run.seen(1.0, 1.5)} == {(0,) * 7}
    assert run.codes == ["drives_off"] and run.seen(1.9, 2.0)[0].robotInfo.driveState[0] == 2


def sees_time_jump(run):
    stamps = [m.monitorData.timestamp.sec + 1e-9 * m.monitorData.timestamp.nanosec for m in run.seen(0.9, 1.2)]
    steps = {round(b - a, 4) for a, b in itertools.pairwise(stamps)}
    assert steps == {0.005, round(0.005 - 3600.0, 4)}
    assert run.codes == []


def sees_joint_count(run):
    six = run.seen(1.0, 1.5)
    assert (
        {m.robotInfo.numberOfJoints for m in six}
        == {6}
        == {len(m.monitorData.measuredJointPosition.value) for m in six}
    )
    assert {m.robotInfo.numberOfJoints for m in run.seen(0.5, 1.0)} == {7}


def sees_no_ipo(run):
    assert {len(m.ipoData.jointPosition.value) for m in run.seen(1.0, 1.005)} == {0}
    assert {len(m.ipoData.jointPosition.value) for m in run.seen(0.9, 1.0)} == {7}


FRI_TESTS = {
    "drop": ("drop=0.5@0.5:1", sees_drop),
    "burst": ("burst=6@0.5", sees_burst),
    "duplicate": ("duplicate=1@0.5:1", sees_duplicate),
    "reorder": ("reorder=1@0.5:1", sees_reorder),
    "delay": ("delay=7/3@0.5:1", sees_delay),
    "wrong_id": ("wrong_id@0.5:1", sees_wrong_id),
    "truncate": ("truncate=100@0.5:1", sees_truncate),
    "foreign_sender": ("foreign_sender@0.5:1", sees_foreign_sender),
    "quality": ("quality=1@1:1.4", sees_quality),
    "safety_stop": ("safety_stop=1@1:1.5", sees_safety_stop),
    "operation_mode": ("operation_mode=0@1:1.5", sees_operation_mode),
    "drives_off": ("drives_off@1:1.5", sees_drives_off),
    "time_jump": ("time_jump=-3600@1", sees_time_jump),
    "joint_count": ("joint_count=6@1:1.5", sees_joint_count),
    "no_ipo": ("no_ipo@1:1.005", sees_no_ipo),
}


@pytest.mark.parametrize("kind", FRI_FAULTS)
def test_each_fault_of_the_cabinet_is_seen_by_a_client(kind):
    faults, sees = FRI_TESTS[kind]
    moving = {"behaviour": sine(3, 0.1)} if kind == "safety_stop" else {}
    sees(arm(faults, **moving))


def test_a_safety_stop_0_stops_at_once_and_a_stop_2_keeps_the_drives_on():
    for level, least, drive in ((0, 0, 0), (2, 5, 2)):
        run = arm(f"safety_stop={level}@1.3:1.6", behaviour=sine(3, 0.2))
        positions = [m.monitorData.measuredJointPosition.value[3] for m in run.seen(1.3, 1.6)]
        moving = sum(a != b for a, b in itertools.pairwise(positions))
        assert least <= moving < 40 and (level != 0 or moving <= 1)
        assert {m.robotInfo.driveState[0] for m in run.seen(1.3, 1.6)} == {drive}


# ── hand ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def hand(faults, version="v4", seconds=1.0, **client):
    return run_cell(seconds, hand=HandCfg(version=version), faults=faults, fingers=client)


def by_finger(run, start, end):
    found = {finger: [] for finger in range(4)}
    for now_ns, finger, counts in run.hand.reports:
        if start * SECOND <= now_ns < end * SECOND:
            found[finger].append(counts)
    return found


def sees_lost_frames():
    run = hand("lost_frames=0.3@0.5", target=lambda seconds: [0.5] * 16)
    lost = 4 * 167 - len([1 for now_ns, _, _ in run.hand.reports if now_ns >= 0.5 * SECOND])
    assert 0.2 * 668 < lost < 0.4 * 668
    # Of what the host sends, the hand hears as little.
    sent = len(run.on("can in", 0.5))
    assert 0.2 < (len(run.on("can in")) - run.cell.hand.frames) / sent < 0.4


def sees_silent_finger():
    run = hand("silent_finger=2@0.5:0.8", target=lambda seconds: [0.5] * 16)
    during, after = by_finger(run, 0.5, 0.8), by_finger(run, 0.81, 1.0)
    assert not during[2] and all(len(during[finger]) == 100 for finger in (0, 1, 3)) and after[2]
    assert not run.on("can in", 0.51, 0.79)  # a controller that waits for all four is silent too


def moving(seconds):
    return [0.5 + 0.5 * seconds] * 16


def sees_stuck_encoder():
    run = hand("stuck_encoder=5@0.5:0.8", target=moving)
    during, after = by_finger(run, 0.5, 0.8)[1], by_finger(run, 0.81, 1.0)[1]
    assert len({counts[1] for counts in during}) == 1 and len({counts[2] for counts in during}) > 10
    assert after[-1][1] != during[0][1]


def sees_encoder_jump():
    run = hand("encoder_jump=5/0.5@0.5:0.8")
    before, during = by_finger(run, 0.4, 0.5)[1][-1], by_finger(run, 0.5, 0.8)[1][0]
    assert (during[1] - before[1]) * run.hand.unit == pytest.approx(0.5, abs=1e-4) and during[2] == before[2]


def sees_bus_off():
    run = hand("bus_off@0.5:0.8", target=lambda seconds: [0.5] * 16)
    assert run.hand.bus_errors == 1 and len(run.on("can error")) == 1
    assert not any(by_finger(run, 0.5, 0.8).values()) and all(by_finger(run, 0.81, 1.0).values())


def sees_wrong_version():
    run = hand("wrong_version@0")
    assert run.hand.info[0][0] == 5 and run.hand.serial == [b"EMARv500"]
    assert by_finger(run, 0.5, 1.0)[0][0][1] == round(0.3 / V5["unit"])


def sees_wrong_side():
    run = hand("wrong_side@0")
    assert run.hand.info[0][4] == 1 and run.hand.serial[0][3:4] == b"L"


def sees_over_temperature():
    run = hand("over_temperature=85@0.5", target=lambda seconds: [0.5] * 16)
    assert run.cell.hand.motors.servo_on is False
    assert {data[0] for _, data in run.hand.temperatures} == {25, 85}
    run = hand("over_temperature=85@0.5", "v5", target=lambda seconds: [0.5] * 16, **V5)
    assert run.hand.errors == [bytes((0, 0b100))]


def sees_motor_error():
    run = hand("motor_error=7/33@0.5", "v5", **V5)
    assert run.hand.errors == [bytes((7, 33))]


HAND_TESTS = {
    "lost_frames": sees_lost_frames,
    "silent_finger": sees_silent_finger,
    "stuck_encoder": sees_stuck_encoder,
    "encoder_jump": sees_encoder_jump,
    "bus_off": sees_bus_off,
    "wrong_version": sees_wrong_version,
    "wrong_side": sees_wrong_side,
    "over_temperature": sees_over_temperature,
    "motor_error": sees_motor_error,
}


@pytest.mark.parametrize("kind", HAND_FAULTS)
def test_each_fault_of_the_hand_is_seen_by_a_controller(kind):
    HAND_TESTS[kind]()


# ── the same seed, the same bytes ───────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    faults = "drop=0.1@0.3,delay=1/3@0.5,lost_frames=0.1@0.2"
    digests = []
    for seed in (1, 1, 2):
        client = {"target": lambda seconds: [0.5 + 0.3 * seconds] * 16}
        run = run_cell(
            1.0, quick(CabinetCfg()), faults=faults, seed=seed, fri={"behaviour": sine(3, 0.1)}, fingers=client
        )
        digests.append(run.cell.digest())
    assert digests[0] == digests[1] != digests[2]


# ── writing faults down ─────────────────────────────────────────────────────────────────────────────────────────────


def test_faults_are_written_in_one_line():
    plan = parse_faults(" drop=0.25@1:2.5 , encoder_jump=5/-0.3@3,bus_off@0.5:0.6,")
    assert [(each.kind, each.values) for each in plan.faults] == [
        ("drop", (0.25,)),
        ("encoder_jump", (5.0, -0.3)),
        ("bus_off", ()),
    ]
    assert plan.value("drop", 999_999_999, 0.0) == 0.0 and plan.value("drop", SECOND, 0.0) == 0.25
    assert plan.active("drop", 2_500_000_000) is None and plan.active("encoder_jump", 2**61) is not None
    assert FaultPlan().active("drop", 0) is None and parse_faults("").faults == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("drop=0.1", "KIND=VALUE@START:END"),
        ("drop=much@1", "KIND=VALUE@START:END"),
        ("drop=0.1@soon", "KIND=VALUE@START:END"),
        ("explode@1", "there are: drop"),
        ("drop@1", "share of monitoring datagrams"),
        ("drop=1.5@1", "1.5"),
        ("drop=nan@1", "nan"),
        ("drop=-0.1@1", "-0.1"),
        ("drop=0.1@2:1", "not after its start"),
        ("bus_off=1@1", "values"),
        ("encoder_jump=5@1", "values"),
        ("silent_finger=4@1", "finger"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_what_it_should_be(text, word):
    with pytest.raises(SchemaError) as caught:
        parse_faults(text)
    assert word in str(caught.value)


def test_frames_of_error_are_no_frames_of_the_hand():
    run = hand("bus_off@0.5")
    assert run.on("can error") == [struct.pack(">H", 0x40) + b"\0" + bytes(8)]
