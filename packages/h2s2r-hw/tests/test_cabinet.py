"""The emulated cabinet to a client that is not ours: states, mirroring, and everything it stops for.

In:  clients on stock protobuf, in lock-step over real sockets.   Out: what was on the wire, and the pendant's events.
Not here: injected faults (test_faults), physics (test_twin).
"""

from __future__ import annotations

import itertools
import math
import socket
import struct
from dataclasses import replace

import pytest
from client_for_tests import sine
from rig_for_tests import SECOND, quick, run_cell

from h2s2r_hw.drivers.fri import Quality
from h2s2r_hw.emulators.cabinet import LAX, STRICT, CabinetCfg, QualityCfg
from h2s2r_hw.emulators.cabinet.quality import QualityMonitor
from h2s2r_schemas.errors import SchemaError

BOTH_VERSIONS = pytest.mark.parametrize("version", ["1.15", "2.7"])


@pytest.mark.requirement("H26")
@pytest.mark.parametrize("version", ["1.15", "2.5", "2.7"])
@pytest.mark.parametrize("mode", ["position", "torque"])
def test_a_client_goes_through_all_five_states(version, mode):
    run = run_cell(1.0, quick(CabinetCfg(version=version, mode=mode, active_time=0.5)), fri={})
    assert run.fri.states == [1, 2, 3, 4, 0]
    assert run.codes == ["motion_done"]
    assert run.cell.cabinet.protocol_errors == 0 and run.fri.undecodable == []
    assert run.cell.cabinet.answers == run.fri.sent == len(run.fri.messages) - run.cell.cfg.cabinet.idle_messages
    commands = [reflected.header for _, reflected in run.fri.messages]
    assert [each.sequenceCounter for each in commands] == list(range(len(commands)))
    # Each message reflects the answer to the one before it.
    assert [each.reflectedSequenceCounter for each in commands[1:150]] == list(range(149))


@BOTH_VERSIONS
def test_answers_of_both_generations_have_the_sizes_that_the_vendors_clients_have(version):
    # Counters above 127 have two bytes.
    run = run_cell(1.5, quick(CabinetCfg(version=version)), fri={})
    waiting, commanding = run.on("fri in", 0.0, 0.1), run.on("fri in", 1.0, 1.5)
    sizes = {"1.15": ((75, 79), (77, 79)), "2.7": ((18, 20), (85, 87))}[version]
    for datagrams, (least, most) in zip((waiting, commanding), sizes, strict=True):
        assert datagrams
        assert all(least <= len(datagram) <= most for datagram in datagrams)


@BOTH_VERSIONS
def test_the_position_is_mirrored_bit_for_bit_while_the_cabinets_own_motion_moves(version):
    cabinet = CabinetCfg(version=version, ipo_amplitude=0.2, wait_answers=200, restart_after=None)
    run = run_cell(2.5, replace(cabinet, quality=LAX), fri={})
    assert run.fri.states == [1, 2, 3, 4]
    assert len(run.fri.mirrored) == 200
    assert all(ipo == sent for ipo, sent in run.fri.mirrored)
    assert len({ipo for ipo, _ in run.fri.mirrored}) == 200
    in_active = run.seen(2.0, 2.5)
    moved = [m.ipoData.jointPosition.value[3] - m.monitorData.measuredJointPosition.value[3] for m in in_active]
    assert max(map(abs, moved)) < 2e-3  # one period behind


def test_a_client_that_does_not_mirror_never_becomes_active():
    def off(message, seconds):
        raise AssertionError("commanded while waiting")

    def spoil(command, datagram, now_ns):
        if command.commandData.jointPosition.value:
            command.commandData.jointPosition.value[2] += 2e-4
        return command.SerializeToString()

    run = run_cell(1.5, quick(CabinetCfg()), fri={"spoil": spoil, "behaviour": off})
    assert run.fri.states == [1, 2, 3]


def test_without_torques_a_torque_session_never_becomes_active():
    def spoil(command, datagram, now_ns):
        command.commandData.ClearField("jointTorque")
        return command.SerializeToString()

    run = run_cell(1.5, quick(CabinetCfg(mode="torque")), fri={"spoil": spoil})
    assert run.fri.states == [1, 2, 3]


def _at(seconds, change):
    """Spoil what is sent at one moment."""

    def spoil(command, datagram, now_ns):
        if now_ns == round(seconds * SECOND):
            return change(command, datagram)
        return datagram

    return spoil


def _set(joint, value):
    def change(command, datagram):
        command.commandData.jointPosition.value[joint] = value
        return command.SerializeToString()

    return change


def _header(field, value):
    def change(command, datagram):
        setattr(command.header, field, value)
        return command.SerializeToString()

    return change


def _without_position(command, datagram):
    command.commandData.ClearField("jointPosition")
    return command.SerializeToString()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set(3, -1.5708 + 1.31 * 0.005 * 1.01), "velocity_limit"),
        (_set(0, 3.0), "position_limit"),
        (_set(0, math.nan), "not_finite"),
        (_set(0, math.inf), "not_finite"),
        (_without_position, "no_joint_position"),
        (_header("messageIdentifier", 0x34002), "undecodable"),
        (_header("sequenceCounter", 5), "counter"),
        (_header("reflectedSequenceCounter", 10_000), "reflected"),
        (lambda command, datagram: datagram[:-3], "undecodable"),
        (lambda command, datagram: b"\x00", "undecodable"),
    ],
)
def test_an_active_motion_stops_for(change, code):
    run = run_cell(1.1, quick(CabinetCfg(restart_after=None)), fri={"spoil": _at(1.0, change)})
    assert run.codes == [code]
    assert run.fri.states == [1, 2, 3, 4, 2]
    assert [m.connectionInfo.sessionState for m in run.seen(1.0, 1.02)] == [4, 2, 2, 2]


def test_as_fast_as_allowed_is_followed():
    run = run_cell(
        2.3, quick(CabinetCfg()), fri={"behaviour": lambda m, s: ([0.0] * 3 + [1.3 * s] + [0.0] * 3, [0.0] * 7)}
    )
    assert run.codes == []
    assert run.seen(2.29, 2.3)[0].monitorData.measuredJointPosition.value[3] > -1.5708 + 1.5


@pytest.mark.parametrize(
    ("torque", "code"),
    [(321.0, "torque_limit"), (math.nan, "not_finite"), (319.0, None)],
    ids=["large", "nan", "allowed"],
)
def test_torques_are_checked(torque, code):
    def change(command, datagram):
        command.commandData.jointTorque.value[0] = torque
        return command.SerializeToString()

    cabinet = quick(CabinetCfg(mode="torque", send_period_ms=2, restart_after=None))
    run = run_cell(0.8, cabinet, fri={"spoil": _at(0.7, change)})
    assert run.codes == ([code] if code else [])


@pytest.mark.parametrize(("missing", "stops"), [(1, False), (2, True)])
def test_a_gap_in_the_torques_beyond_five_milliseconds_stops_the_motion(missing, stops):
    """At 2 ms: after one answer without a torque the last one is 4 ms old, after two 6 ms."""

    def spoil(command, datagram, now_ns):
        if 0 <= now_ns - 700_000_000 < missing * 2_000_000:
            command.commandData.ClearField("jointTorque")
        return command.SerializeToString()

    run = run_cell(0.8, quick(CabinetCfg(mode="torque", send_period_ms=2, restart_after=None)), fri={"spoil": spoil})
    assert run.codes == (["torque_gap"] if stops else [])


def test_a_commanded_position_far_from_the_arm_stops_a_torque_motion():
    run = run_cell(
        2.0,
        quick(CabinetCfg(mode="torque", restart_after=None)),
        fri={"behaviour": lambda m, s: ([0.0] * 7, [0.0, 0.0, 0.0, min(176.0, 100.0 * s), 0.0, 0.0, 0.0])},
    )
    assert run.codes == ["axis_deviation"]


def test_the_arm_brakes_without_a_jump_after_a_stop_and_re_entry_starts_where_it_is():
    cabinet = quick(CabinetCfg(restart_after=0.5))
    run = run_cell(3.0, cabinet, fri={"behaviour": sine(3, 0.2, 0.25), "spoil": _at(2.0, _set(0, 3.0))})
    assert run.fri.states == [1, 2, 3, 4, 2, 3, 4]
    positions = [m.monitorData.commandedJointPosition.value[3] for m in run.seen(1.5, 4.0)]
    steps = [abs(b - a) / 0.005 for a, b in itertools.pairwise(positions)]
    assert max(steps) < 0.35
    changes = [abs(b - a) / 0.005 for a, b in itertools.pairwise(steps[90:200])]
    assert max(changes) <= math.radians(75) / 0.25 + 0.2
    first = next(m for m in run.seen(2.1, 4.0) if m.connectionInfo.sessionState == 3)
    assert first.ipoData.jointPosition.value[3] == first.monitorData.commandedJointPosition.value[3]


def test_an_application_gives_up_when_nobody_answers():
    run = run_cell(3.0, CabinetCfg(good_timeout=1.0), fri={"silent": lambda now_ns: True})
    assert run.fri.states == [1, 0] and run.codes == ["quality_timeout"]
    assert len(run.seen(1.1, 3.0)) == 0


def test_an_application_can_be_started_again():
    run = run_cell(
        4.0, quick(CabinetCfg(good_timeout=0.5, reopen_after=0.5)), fri={"silent": lambda now_ns: now_ns < 1.2 * SECOND}
    )
    assert run.fri.states == [1, 0, 1, 2, 3, 4]


def test_a_client_that_dies_ends_the_motion_and_then_the_session():
    cabinet = quick(CabinetCfg())
    run = run_cell(5.0, cabinet, fri={"silent": lambda now_ns: now_ns > 2 * SECOND, "behaviour": sine(3, 0.2)})
    assert run.fri.states == [1, 2, 3, 4, 1, 0]
    assert run.codes == ["quality", "connection_lost"]
    first = next(now_ns for now_ns, m in run.fri.messages if now_ns > 2 * SECOND and m.connectionInfo.sessionState == 1)
    assert first < 2.02 * SECOND
    at_rest = [m.monitorData.measuredJointPosition.value[3] for m in run.seen(2.3, 4.0)]
    assert len(at_rest) > 10 and len(set(at_rest)) == 1


@pytest.mark.parametrize("multiplier", [1, 3])
def test_every_nth_message_wants_an_answer(multiplier):
    class Every:
        count = -1

        def __call__(self, now_ns):
            self.count += 1
            return self.count % multiplier != 0

    run = run_cell(1.5, quick(CabinetCfg(receive_multiplier=multiplier)), fri={"silent": Every()})
    assert run.fri.states == [1, 2, 3, 4]
    assert run.fri.messages[-1][1].connectionInfo.receiveMultiplier == multiplier
    assert run.fri.messages[-1][1].connectionInfo.quality == 3


def test_what_others_than_its_client_send_is_dropped():
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stranger:

        def meddle(cell, port):
            for _ in range(5):
                stranger.sendto(b"\x01\x02", port.address)

        run = run_cell(1.0, CabinetCfg(), fri={}, meddle=meddle)
    assert run.foreign_at_cabinet == 5 and run.cell.cabinet.protocol_errors == 0


# ── quality ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cfg", [QualityCfg(), STRICT, LAX], ids=["ours", "strict", "lax"])
def test_quality_is_earned_and_lost_as_its_thresholds_say(cfg):
    monitor = QualityMonitor(cfg)
    levels = [monitor.update(True) for _ in range(cfg.window + 3 * cfg.hysteresis + 3)]
    assert levels[0] == Quality.POOR and levels[-1] == Quality.EXCELLENT
    assert all(a <= b for a, b in itertools.pairwise(levels))
    good_at = next(index for index, level in enumerate(levels) if level >= Quality.GOOD)
    assert cfg.window * (1 - cfg.fair) + cfg.hysteresis <= good_at + 1 <= cfg.window + cfg.hysteresis + 1
    lost = 0
    while monitor.quality >= Quality.GOOD:
        monitor.update(False)
        lost += 1
    assert lost == math.floor(cfg.good * cfg.window + 1e-9) + 1
    count = 0
    while not monitor.given_up:
        monitor.update(False)
        count += 1
    assert count <= cfg.window + cfg.poor_windows * cfg.window + 1


@pytest.mark.parametrize("quality", [STRICT, LAX], ids=["strict", "lax"])
def test_sessions_work_under_strict_and_lax_thresholds(quality):
    run = run_cell(3.5, CabinetCfg(quality=quality, active_time=0.2), fri={})
    assert run.fri.states == [1, 2, 3, 4, 0]


# ── configuration ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "1.99"}, {"mode": "wrench"}, {"operation_mode": "T3"}, {"send_period_ms": 0}, {"receive_multiplier": 0},
        {"velocity_limit": (1.0,)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
def test_a_configuration_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(SchemaError):
        CabinetCfg(**wrong)


def test_the_cabinets_clock_is_that_of_the_cell():
    run = run_cell(0.1, CabinetCfg(), fri={})
    stamps = [(m.monitorData.timestamp.sec, m.monitorData.timestamp.nanosec) for m in run.seen(0.0, 1.0)]
    assert stamps[:3] == [(1_767_225_600, 0), (1_767_225_600, 5_000_000), (1_767_225_600, 10_000_000)]
    assert struct.pack("<d", -1.5708) in run.on("fri out")[0]
