"""Both loops against the emulated cabinet and hand: what goes over the wires, in every way of starting, stopping and failing.

In:  orders, targets, faults of the cell.   Out: what the cabinet and the hand were sent, states, records.
Not here: clients and their refusals (test_gateway), the whole list of faults (h2s2r-hw faults), processes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from loops_for_tests import FULL_SPEED, QUICK, SECOND, LoopRig

from h2s2r_hw.config import ArmCfg, HandCfg, MotionCfg, ServerCfg
from h2s2r_hw.drivers.allegro import NEVER_SEND
from h2s2r_hw.drivers.fri.messages import FriVersion
from h2s2r_hw.drivers.fri.monitoring import decode_monitoring
from h2s2r_hw.drivers.fri.session import ArmSession
from h2s2r_hw.emulators.cabinet import QualityCfg
from h2s2r_hw.emulators.hand import HandCfg as EmulatedHandCfg
from h2s2r_hw.emulators.plant import IdealPlant
from h2s2r_hw.loops.hand_checks import HandChecks
from h2s2r_hw.states import FAULTS_BY_NUMBER, State

SERVO_ON, SERVO_OFF, SET_TORQUE = 0x100, 0x104, 0x180


@contextmanager
def rig(**settings: Any) -> Iterator[LoopRig]:
    made = LoopRig(**settings)
    try:
        yield made
    finally:
        made.close()


def code(number: int) -> str:
    return FAULTS_BY_NUMBER[number].code


def sent_while_active(cell: LoopRig) -> np.ndarray:
    """(T, 7) positions that were sent while the session was COMMANDING_ACTIVE."""
    log = cell.log("arm")
    return log["joint_pos_target"][log["session_state"] == 4]


def ratios(cell: LoopRig, name: str) -> list[float]:
    """Largest velocity, acceleration and jerk of what a loop sent, as parts of the limits."""
    if name == "arm":
        sent, period, joints = sent_while_active(cell), cell.cfg.arm.send_period_ms * 1e-3, slice(0, 7)
    else:
        log = cell.log("hand")
        sent, period, joints = log["joint_pos_target"][np.isin(log["state"], (4, 5, 6, 7))], 0.003, slice(7, 23)
    robot = cell.robot
    limits = (robot.velocity_limit, robot.acceleration_limit, robot.jerk_limit)
    rates = [np.abs(np.diff(sent, order, axis=0)) / period**order for order in (1, 2, 3)]
    return [float((rate / limit[joints]).max()) for rate, limit in zip(rates, limits, strict=True)]


def hand_frames(cell: LoopRig) -> list[tuple[int, int, bytes]]:
    """Time, identifier, data of everything the hand was sent."""
    return [(now, int.from_bytes(data[:2], "big"), data[3:]) for now, name, data in cell.wire if name == "can in"]


# ── following, stopping ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("H26")
@pytest.mark.requirement("H27")
def test_it_follows_and_stops_when_targets_stop():
    with rig() as cell:
        cell.follow(seconds=1.2)
        assert cell.states == (State.TRACK, State.TRACK)
        asked = cell.slots["target"].record["joint_pos"]
        assert np.abs(cell.setpoint() - asked).max() < 0.05 and np.abs(cell.measured() - asked).max() < 0.06
        cell.hands.path = None
        waited = cell.until(lambda: cell.states == (State.HOLD, State.HOLD))
        # Two and a half periods of the stream (60 ms at least), then v/a and what jerk adds.
        assert waited < 0.07 + 0.35
        before = cell.setpoint()
        cell.run(0.1)
        assert (cell.setpoint() == before).all()
        for name in ("arm", "hand"):
            assert max(ratios(cell, name)) <= 1.0
            assert cell.status(name)["count_guard_holds"] == 0 and cell.status(name)["count_stops"] == 1
        # Every answer is logged, and every message was answered.
        status = cell.status("arm")
        assert status["count_received"] == status["count_sent"] == len(cell.commands()) == len(cell.log("arm"))
        assert (np.diff(cell.log("hand")["sequence"]) == 1).all()
        assert not cell.cell.cabinet.protocol_errors and not cell.cell.hand.protocol_errors


@pytest.mark.parametrize("version", ["2.5", "2.7"])
def test_other_generations_of_the_fri(version):
    with rig(cabinet=replace(QUICK, version=version), only=("arm",)) as cell:
        cell.until(lambda: cell.states[0] == State.READY and cell.arm.session.state == 4)
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states[0] == State.HOLD)
        monitoring = [command for _, command in cell.commands()][:20]
        assert all(command.joint_pos is None for command in monitoring)
        assert not cell.cell.cabinet.protocol_errors


def test_in_torque_mode_torques_are_there_from_commanding_wait_on_and_capped():
    cabinet = replace(QUICK, mode="torque", send_period_ms=2)
    with rig(cabinet=cabinet, only=("arm",), plant=IdealPlant()) as cell:
        cell.until(lambda: cell.states[0] == State.READY and cell.arm.session.state == 4)
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states[0] == State.HOLD)
        start = cell.robot.home.copy()
        start[:7] = cell.status("arm")["joint_pos_target"]
        cell.hands.target.record["joint_torque"][:7] = [0, 3.0, 0, 0, 0, 1000.0, 0]
        cell.hands.path = lambda t: start
        cell.run(0.3)
        assert cell.states[0] == State.TRACK
        _, newest = cell.commands()[-1]
        assert newest.joint_torque == (0, 3.0, 0, 0, 0, 4.0, 0)
        assert [event for event in cell.cell.cabinet.events if event.code != "state"] == []


def test_a_client_that_stops_is_not_followed_again_by_an_old_target():
    with rig() as cell:
        cell.follow(seconds=0.4)
        cell.hands.path = None
        cell.hands.count("stop_number")
        cell.run(0.03)
        assert State.TRACK not in cell.states
        cell.until(lambda: cell.states == (State.HOLD, State.HOLD))
        cell.run(0.05)
        assert cell.states == (State.HOLD, State.HOLD)
        # A new one is.
        cell.hands.aim(cell.setpoint())
        cell.run(0.03)
        assert cell.states == (State.TRACK, State.TRACK)


def test_a_target_far_away_begins_no_motion():
    with rig() as cell:
        cell.arm_up()
        far = cell.setpoint()
        far[2] += 0.06
        cell.hands.path = lambda t: far
        cell.run(0.2)
        assert cell.states[0] == State.HOLD and cell.status("arm")["count_far_targets"] > 5


def test_a_step_of_a_radian_on_the_way_is_approached_within_limits_and_soft_limits_are_kept():
    with rig() as cell:
        cell.follow(seconds=0.3)
        away = cell.robot.position_upper + 1.0
        cell.hands.path = lambda t: away
        cell.run(0.8)
        assert cell.states == (State.TRACK, State.TRACK)
        assert max(ratios(cell, "arm")) <= 1.0 and max(ratios(cell, "hand")) <= 1.0
        assert (cell.setpoint() <= cell.robot.position_upper - 0.0199).all()
        assert cell.status("arm")["clamped"] == 0b1111111 and cell.status("arm")["count_guard_holds"] == 0


def test_speed_scale_and_tightened_limits_hold():
    with rig(cfg=replace(FULL_SPEED, motion=MotionCfg(speed_scale=1.0))) as cell:
        cell.hands.orders.record["speed_scale"] = 0.2
        cell.hands.orders.record["position_upper"][3] = -1.5
        cell.follow(seconds=0.3)
        away = cell.robot.position_upper
        cell.hands.path = lambda t: away
        cell.run(0.6)
        assert ratios(cell, "arm")[0] <= 0.2
        assert cell.setpoint()[3] <= -1.5


def test_home_is_slow_and_is_left_by_a_stop():
    with rig(plant=IdealPlant(arm_joint_pos=(0.3,) * 7)) as cell:
        cell.arm_up()
        before = cell.setpoint()
        cell.hands.count("home_number")
        cell.run(0.3)
        assert cell.states[0] == State.HOMING
        assert ratios(cell, "arm")[0] <= cell.cfg.motion.home_speed
        cell.hands.count("stop_number")
        cell.run(0.1)
        assert cell.states == (State.HOLD, State.HOLD) and (cell.setpoint() != before).any()


# ── the cabinet's motion ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_moving_cabinet_is_mirrored_bit_by_bit_and_left_without_a_step():
    cabinet = replace(QUICK, ipo_amplitude=0.2, ipo_period=1.0)
    with rig(cabinet=cabinet, only=("arm",)) as cell:
        cell.until(lambda: cell.arm.session.state == 4)
        cell.run(0.3)
        said = {}
        for _, name, data in cell.wire:
            if name == "fri out":
                message = decode_monitoring(data, FriVersion.V1_15)
                said[message.sequence] = message
        mirrored = [(said[c.reflected_sequence], c) for _, c in cell.commands()]
        waiting = [(m, c) for m, c in mirrored if m.session_state == 3]
        assert len(waiting) >= 10
        assert all(struct.pack("<7d", *c.joint_pos) == struct.pack("<7d", *m.ipo_joint_pos) for m, c in waiting)
        assert len({m.ipo_joint_pos for m, _ in waiting}) > 5
        first = next((m, c) for m, c in mirrored if m.session_state == 4)
        assert (
            np.abs(np.subtract(first[1].joint_pos, first[0].ipo_joint_pos)).max()
            <= first[0].send_period_ms * 1e-3 * 0.2
        )
        assert max(ratios(cell, "arm")) <= 1.0 and cell.arm.part.guard_holds == 0
        assert [event for event in cell.cell.cabinet.events if event.code != "state"] == []


def test_after_quality_was_lost_it_faults_and_comes_back_where_the_arm_stands_after_being_acknowledged():
    with rig(faults="quality=1@1.2:1.4") as cell:
        cell.follow(seconds=0.6)
        cell.until(lambda: cell.faults[0] != 0, 1.0)
        assert code(cell.faults[0]) == "fri_quality_lost" and cell.states[0] == State.FAULT
        cell.hands.path = None
        cell.until(lambda: cell.states[1] == State.HOLD)
        cell.run(1.6)
        # The cabinet is active again; nothing moves, and targets do nothing.
        assert cell.arm.session.state == 4 and cell.states[0] == State.FAULT
        held = cell.setpoint()
        cell.hands.aim(held + 0.01)
        cell.run(0.1)
        assert cell.states[0] == State.FAULT and np.abs(cell.setpoint() - held).max() < 1e-12
        fault = int(cell.status("arm")["fault_number"])
        cell.hands.order(arm_fault_acknowledged=fault)
        cell.until(lambda: cell.states[0] == State.READY)
        cell.run(0.1)
        # Armed only when somebody arms anew.
        assert cell.states == (State.READY, State.HOLD)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states == (State.HOLD, State.HOLD))
        assert np.abs(cell.setpoint() - cell.measured()).max() < 0.02
        # What was sent never stepped, over the loss and the return.
        log = cell.log("arm")
        again = np.flatnonzero(np.diff(log["session_state"]) > 0)[-1] + 1
        assert np.abs(log["joint_pos_target"][again] - log["joint_pos_target"][again - 1]).max() < 1e-9


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("safety_stop=1@0.9:1.1", "safety_stop"),
        ("operation_mode=0@0.9:1.1", "operation_mode_changed"),
        ("drives_off@0.9:1.1", "drives_off"),
        ("drop=1@0.9:1.1", "fri_silent"),
        ("no_ipo@0.9:1.1", "fri_incomplete"),
        ("joint_count=6@0.9:1.1", "fri_incomplete"),
        ("wrong_id@0.9:1.1", "fri_silent"),
    ],
)
def test_the_cabinet_fails_and_the_fault_is_latched_within_a_cycle(fault, expected):
    with rig(faults=fault) as cell:
        cell.follow(seconds=0.0, offset=0.1)
        cell.run(0.899 - cell.time.now_ns * 1e-9)
        cell.until(lambda: cell.faults[0] != 0, 1.0)
        assert code(cell.faults[0]) == expected
        late = cell.time.now_ns * 1e-9 - 0.9
        assert late <= (0.021 if expected == "fri_silent" else 0.006)
        status = cell.status("arm")
        assert status["fault_state"] == State.TRACK and status["fault_joint_pos_target"].any()
        cell.hands.path = None
        cell.until(lambda: cell.states[1] == State.HOLD)
        # The hand holds what it has.
        assert cell.faults[1] == 0 and cell.hand.link.servo_on


def test_foreign_repeated_late_and_cut_datagrams_move_nothing():
    faults = (
        "foreign_sender@0.9:1.3,duplicate=0.3@0.9:1.1,truncate=40@1.15:1.16,reorder=0.03@1.1:1.3,time_jump=3600@1.0"
    )
    cabinet = replace(QUICK, quality=QualityCfg(window=100, hysteresis=5, poor_windows=20))
    with rig(faults=faults, cabinet=cabinet) as cell:
        cell.follow(seconds=0.0)
        cell.run(1.3 - cell.time.now_ns * 1e-9)
        assert cell.faults == (0, 0) and cell.states[0] == State.TRACK
        status = cell.status("arm")
        assert status["count_repeated"] > 5 and status["count_undecodable"] > 0 and status["count_clock_jumps"] >= 1
        assert max(ratios(cell, "arm")) <= 1.0
        # One answer per message that is one.
        assert status["count_sent"] == status["count_received"] - status["count_repeated"]
        assert [c.sequence for _, c in cell.commands()] == list(range(status["count_sent"]))


def test_the_wrong_generation_says_so():
    with rig(only=("arm",), cabinet=replace(QUICK, version="2.7")) as cell:
        cell.arm.session = ArmSession(FriVersion.V2_5, False, 0.005)
        cell.until(lambda: cell.faults[0] != 0, 1.0)
        assert code(cell.faults[0]) == "fri_wrong_version"


# ── the hand ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("bus_off@0.9:1.3", "can_bus_off"),
        ("silent_finger=2@0.9:1.3", "hand_silent"),
        ("lost_frames=1@0.9:1.3", "hand_silent"),
        ("encoder_jump=5/0.8@0.9:1.3", "hand_encoder_jump"),
        ("over_temperature=80@0.9:1.3", "hand_over_temperature"),
        ("wrong_version@0.9:1.3", "hand_encoder_jump"),
    ],
)
@pytest.mark.requirement("H27")
def test_the_hand_fails_and_is_without_current_in_time(fault, expected):
    with rig(faults=fault) as cell:
        cell.follow(seconds=0.0, offset=0.1)
        cell.run(0.899 - cell.time.now_ns * 1e-9)
        cell.until(lambda: cell.faults[1] != 0, 1.0)
        assert code(cell.faults[1]) == expected
        frames = [each for each in hand_frames(cell) if each[0] >= 900_000_000]
        if expected not in ("can_bus_off", "hand_silent"):
            off = next(now for now, identifier, _ in frames if identifier == SERVO_OFF)
            assert off - 900_000_000 <= (300_000_000 if expected == "hand_over_temperature" else 6_000_000)
        cell.hands.path = None
        cell.until(lambda: cell.states[0] == State.HOLD)
        # The arm holds; the hand is off, and stays so until somebody arms.
        assert cell.faults[0] == 0 and not cell.hand.link.servo_on
        cell.run(0.5)
        assert cell.cell.hand.motors.servo_on is False or "bus_off" in fault or "lost_frames" in fault


def test_a_silent_finger_means_no_current_within_four_periods_and_servo_off_within_a_tenth_of_a_second():
    with rig(faults="silent_finger=1@0.9", only=("hand",)) as cell:
        cell.until(lambda: cell.states[1] == State.READY)
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states[1] == State.HOLD)
        start = np.concatenate([cell.robot.home[:7], cell.status("hand")["joint_pos_target"]])
        cell.hands.path = lambda t: start + 0.15 * np.sin(9 * t)
        cell.until(lambda: cell.faults[1] != 0, 2.0)
        frames = [each for each in hand_frames(cell) if each[0] >= 900_000_000]
        pushed = [
            now for now, identifier, data in frames if identifier >= SET_TORQUE and identifier < 0x190 and any(data)
        ]
        zeroed = next(now for now, identifier, data in frames if identifier == SET_TORQUE and not any(data))
        assert zeroed - 900_000_000 <= 4 * 3_000_000 and not [now for now in pushed if now > zeroed]
        off = next(now for now, identifier, _ in frames if identifier == SERVO_OFF)
        assert off - 900_000_000 <= 100_000_000 and not cell.cell.hand.motors.servo_on


def test_an_encoder_that_died_is_found_while_its_joint_is_pushed():
    with rig(faults="stuck_encoder=5@0.3", only=("hand",)) as cell:
        cell.until(lambda: cell.states[1] == State.READY)
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states[1] == State.HOLD)
        start = np.concatenate([cell.robot.home[:7], cell.status("hand")["joint_pos_target"]])
        began, away = cell.time.now_ns / SECOND, np.eye(23)[7 + 5]
        cell.hands.path = lambda t: start + away * np.minimum(1.0 * (t - began), 0.9)
        cell.until(lambda: cell.faults[1] != 0, 5.0)
        assert code(cell.faults[1]) == "hand_joint_stuck"
        # Not before it was pushed for that long: 0.5 rad away at the earliest half a second after the motion began.
        assert began + 0.5 + HandCfg().stuck_time <= cell.time.now_ns / SECOND <= began + 1.5 + HandCfg().stuck_time


def test_a_joint_that_something_holds_for_a_while_is_not_stuck():
    cfg = HandCfg()
    found: list[int] = []
    part = SimpleNamespace(state=State.TRACK, measured=[0.0] * 16, fault=lambda number, *more: found.append(number))
    checks = HandChecks(cfg, None, part)
    cycles = round(cfg.stuck_time / (cfg.period_ms * 1e-3))
    pushed = [2 * cfg.stuck_error] + [0.0] * 15
    for _ in range(3):
        for _ in range(cycles - 1):
            checks.look_at_positions([0.0] * 16, pushed, 1)
        # One count is enough: what holds it gave way.
        checks.look_at_positions([1e-4] + [0.0] * 15, pushed, 1)
    assert not found
    for _ in range(cycles):
        checks.look_at_positions([0.0] * 16, pushed, 1)
    assert [code(each) for each in found] == ["hand_joint_stuck"]


@pytest.mark.parametrize(
    "hand",
    [EmulatedHandCfg(version="v5"), EmulatedHandCfg(side="left"), EmulatedHandCfg(version="v5", answers_info=False)],
)
def test_another_hand_is_never_ready(hand):
    with rig(hand=hand, only=("hand",)) as cell:
        cell.run(1.2)
        assert cell.states[1] == State.MONITOR and not cell.hand.link.identified
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.run(0.1)
        assert cell.states[1] == State.MONITOR
        assert SERVO_ON not in {identifier for _, identifier, _ in hand_frames(cell)}


def test_a_version_5_that_never_answers_is_known_by_its_serial_number():
    cfg = replace(FULL_SPEED, hand=HandCfg(version="v5"))
    with rig(hand=EmulatedHandCfg(version="v5", answers_info=False), cfg=cfg, only=("hand",)) as cell:
        cell.until(lambda: cell.states[1] == State.READY)
        assert cell.hand.link.serial


def test_currents_are_capped_and_forbidden_frames_never_sent():
    with rig(only=("hand",), cfg=replace(FULL_SPEED, hand=HandCfg(kp=(200.0,) * 16))) as cell:
        cell.until(lambda: cell.states[1] == State.READY)
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states[1] == State.HOLD)
        start = np.concatenate([cell.robot.home[:7], cell.status("hand")["joint_pos_target"]])
        cell.hands.path = lambda t: start + 0.25
        cell.run(0.3)
        largest = [0] * 16
        for _, identifier, data in hand_frames(cell):
            assert identifier not in NEVER_SEND
            if SET_TORQUE <= identifier < SET_TORQUE + 16 and len(data) == 8:
                finger = (identifier - SET_TORQUE) // 4
                for joint, command in enumerate(struct.unpack("<4h", data), 4 * finger):
                    largest[joint] = max(largest[joint], abs(command))
        caps = [0.25 * limit for limit in cell.hand.link.version.command_limit]
        assert all(command <= cap + 0.5 for command, cap in zip(largest, caps, strict=True)) and max(largest) > 50
        assert cell.status("hand")["count_capped"] > 0


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_estop_stops_in_every_state_and_needs_its_reset_and_arming_anew():
    with rig() as cell:
        cell.follow(seconds=0.4)
        cell.hands.order(estop=1)
        cell.run(0.006)
        assert cell.states == (State.ESTOP, State.ESTOP) and not cell.cell.hand.motors.servo_on
        cell.run(0.5)
        assert cell.arm.part.upsampler.at_rest and max(ratios(cell, "arm")) <= 1.0
        cell.hands.count("arm_number")
        cell.run(0.05)
        assert cell.states == (State.ESTOP, State.ESTOP)
        cell.hands.order(estop=0)
        cell.run(0.05)
        assert cell.states == (State.READY, State.READY)
        cell.hands.path = None
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states == (State.HOLD, State.HOLD))


def test_disarming_stops_first_and_a_dead_gateway_too():
    with rig() as cell:
        cell.follow(seconds=0.4)
        cell.hands.order(armed=0)
        cell.run(0.01)
        assert cell.states[0] == State.SOFT_STOP
        cell.until(lambda: cell.states == (State.READY, State.READY))
        assert max(ratios(cell, "arm")) <= 1.0 and not cell.hand.link.servo_on
        cell.hands.path = None
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states == (State.HOLD, State.HOLD))
        cell.hands.aim(cell.setpoint())
        cell.run(0.02)
        assert cell.states[0] == State.TRACK
        cell.hands.beats = False
        cell.hands.path = lambda t: cell.hands.target.record["joint_pos"].copy()
        cell.until(lambda: cell.states == (State.HOLD, State.HOLD), 1.0)


def test_a_loop_that_starts_anew_does_nothing_of_what_was_wanted_before():
    with rig() as cell:
        cell.follow(seconds=0.3)
        slots = cell.arm.part.ears._slots
        cell.time.stages.remove(cell.arm)
        again = type(cell.arm)(cell.cfg, cell.robot, cell.link, slots)
        cell.arm = again
        cell.time.stages.append(again)
        cell.run(0.3)
        assert cell.states == (State.READY, State.HOLD)
        assert np.abs(np.diff(sent_while_active(cell)[-20:], axis=0)).max() < 1e-12


def test_arming_without_a_cabinet_that_follows_times_out():
    cfg = replace(FULL_SPEED, motion=MotionCfg(arming_timeout=0.3))
    with rig(cfg=cfg, cabinet=replace(QUICK, ready_time=60.0)) as cell:
        cell.until(lambda: cell.states == (State.READY, State.READY))
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.until(lambda: cell.states[0] == State.FAULT, 1.0)
        assert code(cell.faults[0]) == "arming_timeout"


@pytest.mark.requirement("D43")
def test_a_push_from_outside_stops_the_arm():
    with rig(cfg=replace(FULL_SPEED, arm=ArmCfg(external_torque_limit=(60.0,) * 7))) as cell:
        cell.follow(seconds=0.3)
        measure = cell.plant.measure_arm
        cell.plant.measure_arm = lambda: (*measure()[:2], (0.0, 0.0, 61.0, 0.0, 0.0, 0.0, 0.0))  # type: ignore[method-assign]
        cell.until(lambda: cell.faults[0] != 0, 0.2)
        status = cell.status("arm")
        assert code(cell.faults[0]) == "external_torque"
        assert status["fault_joint"] == 2 and status["fault_value"] == 61.0


def test_a_joint_that_does_not_follow_stops_the_arm():
    with rig() as cell:
        cell.follow(seconds=0.2)
        stuck = cell.plant.measure_arm()
        cell.plant.measure_arm = lambda: stuck  # type: ignore[method-assign]
        cell.hands.path = lambda t: cell.robot.home + 0.3
        cell.until(lambda: cell.faults[0] != 0, 2.0)
        assert code(cell.faults[0]) == "arm_off_target"


# ── the correction ──────────────────────────────────────────────────────────────────────────────────────────────────────


def corrected(values: np.ndarray | float, output: int, use: bool = True, **more: Any) -> LoopRig:
    """A run in which a model wants the same all the time."""
    cell = LoopRig()
    cell.hands.use_residual = use
    full = {
        "residual_number": 1,
        "clamp_fraction": 0.15,
        "gain": 1.0,
        "arm_output": 0,
        "hand_output": output,
        "values": values,
    }
    cell.hands.correct = lambda t: {**full, **more}
    cell.follow(seconds=0.5)
    cell.close()
    return cell


@pytest.mark.requirement("D25")
def test_a_zero_model_sends_the_same_bytes_as_none():
    none, zero = corrected(1.0, 1, use=False), corrected(0.0, 1)
    assert [data for _, name, data in none.wire if name.endswith(" in")] == [
        data for _, name, data in zero.wire if name.endswith(" in")
    ]
    assert zero.status("arm")["count_residual_active"] == 0


@pytest.mark.requirement("D26")
@pytest.mark.requirement("D37")
def test_a_correction_acts_within_its_bounds_and_limits_of_motion_hold():
    cell = corrected(np.full(23, 0.01), 1)
    log = cell.log("arm")
    assert log["joint_residual"].max() == pytest.approx(0.01) and cell.status("arm")["residual_number"] == 1
    assert max(ratios(cell, "arm")) <= 1.0 and max(ratios(cell, "hand")) <= 1.0
    wild = corrected(np.full(23, 1e9), 1)
    bound = 0.15 * wild.cfg.residual.position_limit
    assert np.abs(wild.log("arm")["joint_residual"]).max() <= bound
    torque_bound = 0.15 * np.array(wild.hand.control.torque_limit)
    assert (np.abs(wild.log("hand")["joint_residual"]) <= torque_bound).all()
    assert wild.log("hand")["joint_residual"].any()
    assert wild.status("arm")["count_residual_fallbacks"] == 1 and not wild.log("arm")["joint_residual"][-1].any()
    assert max(ratios(wild, "arm")) <= 1.0


@pytest.mark.requirement("D48")
@pytest.mark.parametrize(("values", "more"), [(np.nan, {}), (0.01, {"time_ns": 0}), (0.01, {"gain": np.nan})])
def test_a_wrong_or_late_correction_leaves_the_baseline(values, more):
    none, wrong = corrected(1.0, 1, use=False), corrected(np.full(23, values), 1, **more)
    assert [data for _, name, data in none.wire if name.endswith(" in")] == [
        data for _, name, data in wrong.wire if name.endswith(" in")
    ]
    status = wrong.status("hand")
    assert status["count_residual_fallbacks"] == 1
    assert status["count_residual_not_finite"] + status["count_residual_stale"] > 0


def test_only_both_parts_together_are_armed():
    with rig(hand=EmulatedHandCfg(side="left"), cfg=replace(FULL_SPEED, motion=MotionCfg(arming_timeout=0.5))) as cell:
        cell.until(lambda: cell.states[0] == State.READY and cell.arm.session.state == 4)
        cell.hands.order(armed=1)
        cell.hands.count("arm_number")
        cell.run(0.2)
        assert cell.states == (State.ARMING, State.MONITOR)
        cell.until(lambda: cell.states[0] == State.FAULT, 1.0)


def test_configuration_that_makes_no_sense_is_refused():
    for wrong in ({"version": "3"}, {"mode": "wrench"}, {"send_period_ms": 0}):
        with pytest.raises(ValueError, match=r"it is 1 to 100|3|wrench"):
            ArmCfg(**wrong)
    with pytest.raises(ValueError, match="current_fraction is 2"):
        HandCfg(current_fraction=2.0)
    with pytest.raises(ValueError, match="silent_zero"):
        ServerCfg(hand=HandCfg(silent_off=0.2))
