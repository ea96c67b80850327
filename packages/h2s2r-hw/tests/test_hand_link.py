"""What a hand's frames are taken for, and which frames never reach it.

In:  single frames, a bus that fails.   Out: positions, complaints, counts.
Not here: the loop around it (test_loops), frames of the emulated hand (test_hand).
"""

from __future__ import annotations

import math
import struct

import can
import numpy as np
import pytest

from h2s2r_hw.config import HandCfg
from h2s2r_hw.drivers.allegro import V4, V5, Frame
from h2s2r_hw.drivers.allegro.control import HandControl
from h2s2r_hw.drivers.allegro.link import HandLink
from h2s2r_hw.emulators.rehearsal.wire import Wire
from h2s2r_schemas.errors import SchemaError

MS = 1_000_000


def positions(finger: int, count: int) -> Frame:
    return Frame(0x80 + 4 * finger, struct.pack("<4h", *(count + joint for joint in range(4))))


def make(**changes: object) -> HandLink:
    return HandLink(HandCfg(**changes), Wire().port())  # type: ignore[arg-type]


def test_a_set_is_complete_with_its_fourth_finger_in_any_order():
    link = make()
    assert [link.hear(positions(finger, 100 * finger), 0) for finger in (2, 0, 3, 1)] == [False, False, False, True]
    counts = [100 * finger + joint for finger in range(4) for joint in range(4)]
    assert link.joint_pos == [count * V4.position_unit for count in counts]
    assert (link.cycles, link.incomplete) == (1, 0)


def test_frames_of_two_cycles_are_not_mixed():
    link = make()
    for finger in (0, 1, 2):
        link.hear(positions(finger, 1), 0)
    # The fourth is lost; the next cycle begins.
    assert [link.hear(positions(finger, 2), 3 * MS) for finger in range(4)] == [False, False, False, True]
    for finger in (1, 2, 3):
        link.hear(positions(finger, 3), 6 * MS)
    # The first is lost; the first of the next cycle does not complete this one.
    assert not link.hear(positions(0, 4), 9 * MS)
    assert link.incomplete == 2 and link.incomplete_in_a_row == 1


def test_one_hot_finger_is_enough():
    link = make(hot=60.0)
    for finger, celsius in enumerate((40, 70, 40, 40)):
        link.hear(Frame(0xE0 + 4 * finger, struct.pack("<i", celsius)), 0)
    assert link.hot and link.temperatures[4:8] == [70.0] * 4
    link.hear(Frame(0xE4, bytes((41, 42, 43, 44))), MS)
    assert not link.hot and link.temperatures[4:8] == [41.0, 42.0, 43.0, 44.0]


@pytest.mark.parametrize("data", [b"", bytes(6)])
def test_what_is_no_frame_of_a_hand_is_counted(data):
    link = make()
    for identifier in (0x80, 0x200, 0x220, 0xE0, 0x3B8):
        assert not link.hear(Frame(identifier, data), 0)
    assert link.undecodable == 5


def test_a_bus_that_fails_is_counted_and_raises_nothing():
    link = make()
    link._port.broken = True  # type: ignore[attr-defined]
    link.switch_on()
    assert link.send_failed_in_a_row == 5 and link.sent == 0
    link._port.broken = False  # type: ignore[attr-defined]
    link.switch_off()
    assert link.send_failed_in_a_row == 0 and link.unannounced() == 5


@pytest.mark.parametrize("identifier", [0x1A0, 0x224])
def test_what_changes_a_hand_for_good_is_never_sent(identifier):
    with pytest.raises(SchemaError, match="is never sent"):
        make()._send(Frame(identifier, bytes(8)))


def test_a_bus_off_is_remembered_until_positions_come_again():
    link = make()
    link.hear(Frame(0x40, bytes(8), error=True), 0)
    assert link.bus_off and link.bus_errors == 1
    link.hear(positions(0, 0), MS)
    assert not link.bus_off


@pytest.mark.parametrize("version", [V4, V5])
def test_the_observer_finds_the_speed_behind_the_steps_of_the_encoder(version):
    cfg = HandCfg(version=version.name)
    control = HandControl(cfg, version, [10.0] * 16)
    control.restart([0.0] * 16)
    speeds = []
    for cycle in range(1, 400):
        angle = round(0.8 * cycle * control.period / version.position_unit) * version.position_unit
        control.observe([angle] * 16, 1)
        speeds.append(control.joint_vel[3])
    # Differences of two reports would be off by a whole step: 0.03 or 0.5 rad/s.
    assert np.mean(speeds[100:]) == pytest.approx(0.8, rel=0.01)
    assert np.std(speeds[100:]) < 0.25 * version.position_unit / control.period


def test_torques_are_capped_by_version_and_robot_and_nothing_is_sent_for_what_is_no_number():
    cfg = HandCfg(kp=(1.0,) * 16, kd=(0.0,) * 16, current_fraction=0.5)
    control = HandControl(cfg, V4, [0.05] * 8 + [100.0] * 8)
    frames = control.torques([0.0] * 16, [9.0] * 7 + [math.nan] + [-9.0] * 8, None)
    assert control.commands[:7] == [60] * 7 and control.commands[7] == 0
    assert control.commands[8:] == [-(limit // 2) for limit in V4.command_limit[8:]]
    assert struct.unpack("<4h", frames[1].data) == tuple(control.commands[4:8]) and control.capped == 16
    control.torques([0.0] * 16, [0.01] * 16, [1e9] * 16)
    assert all(command <= 0.5 * limit for command, limit in zip(control.commands, V4.command_limit, strict=True))


def test_a_frame_that_python_can_refuses_is_one_that_was_not_sent():
    class Refusing:
        def send(self, frame: Frame) -> None:
            raise can.CanOperationError("no buffer space")

    link = HandLink(HandCfg(), Refusing())  # type: ignore[arg-type]
    link.zero()
    assert link.send_failed == 4
