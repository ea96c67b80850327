"""Frames of the Allegro hand against frames computed by hand from the data sheet's units.

In:  bytes written out here.   Out: the same bytes, or the values they stand for.
Not here: the emulated hand (test_hand).
"""

from __future__ import annotations

import math

import pytest

from h2s2r_hw.drivers.allegro import (
    JOINT_NAMES,
    NEVER_SEND,
    V4,
    V5,
    Frame,
    FrameError,
    HandInfo,
    decode_error,
    decode_info,
    decode_positions,
    decode_pressure,
    decode_serial,
    decode_temperatures,
    encode_period,
    encode_torques,
    finger_of_position,
    hand_version,
    request_info,
    request_position,
    request_serial,
    servo_off,
    servo_on,
    zero_torques,
)
from h2s2r_schemas.errors import SchemaError


def test_identifiers_are_four_times_the_message_number():
    assert [servo_on(), servo_off()] == [Frame(4 * 0x40), Frame(4 * 0x41)]
    assert [request_info(), request_serial()] == [Frame(0x200, b"", True), Frame(0x220, b"", True)]
    assert request_position(3) == Frame(4 * 0x23, b"", True)
    assert [frame.identifier for frame in zero_torques()] == [4 * (0x60 + finger) for finger in range(4)]
    assert encode_period(3).identifier == 4 * 0x81
    assert [finger_of_position(4 * (0x20 + number)) for number in range(5)] == [0, 1, 2, 3, None]
    assert finger_of_position(0x81) is None
    sent = {frame.identifier for frame in (servo_on(), servo_off(), encode_period(3), *zero_torques())}
    assert not sent & set(NEVER_SEND)


def test_joints_are_fingers_from_base_to_tip():
    assert JOINT_NAMES[:5] == ("index_joint_0", "index_joint_1", "index_joint_2", "index_joint_3", "middle_joint_0")
    assert JOINT_NAMES[12:] == ("thumb_joint_0", "thumb_joint_1", "thumb_joint_2", "thumb_joint_3")


def test_periods_are_three_little_endian_numbers():
    assert encode_period(3).data == bytes.fromhex("030000000000")
    assert encode_period(2, 10, 1000).data == bytes.fromhex("02000a00e803")


def test_torques_of_version_4_are_1200_to_the_newton_metre():
    torque = (0.1, -0.1, 0.2, -0.2) + (0.0,) * 8 + (0.01, 1.0, -1.0, 0.2)
    frames = encode_torques(torque, V4)
    # 120, -120, 240, -240
    assert frames[0] == Frame(0x180, bytes.fromhex("780088fff00010ff"))
    assert frames[1] == Frame(0x184, bytes(8))
    # 12, then 1200 and -1200 limited to 405 and -270, then 240
    assert frames[3] == Frame(0x18C, bytes.fromhex("0c009501f2fef000"))


def test_torques_of_version_5_are_1430_milliamperes_to_the_newton_metre():
    frames = encode_torques((0.1, 0.1, -0.1, 1.0) + (0.0,) * 12, V5)
    # 143, then 143 limited to half of 240, -143, then 1430 limited to 240
    assert frames[0] == Frame(0x180, bytes.fromhex("8f00780071fff000"))
    assert V5.torque_limit()[0] == pytest.approx(0.168, abs=1e-3)


@pytest.mark.parametrize("version", [V4, V5])
def test_a_torque_that_is_no_number_becomes_none_and_infinity_the_limit(version):
    frames = encode_torques((math.nan, math.inf, -math.inf, 0.0) * 4, version)
    limits = version.command_limit
    for finger, frame in enumerate(frames):
        values = [int.from_bytes(frame.data[at : at + 2], "little", signed=True) for at in range(0, 8, 2)]
        assert values == [0, limits[4 * finger + 1], -limits[4 * finger + 2], 0]


def test_positions_have_the_unit_of_their_version():
    frame = Frame(0x8C, bytes.fromhex("e803000018fcff7f"))
    # 1000, 0, -1000, 32767 counts of 333.3° / 65536 and of 0.088°
    assert decode_positions(frame, V4) == pytest.approx([0.0887622, 0.0, -0.0887622, 2.9085024], abs=1e-6)
    assert decode_positions(frame, V5)[:3] == pytest.approx([1.5358897, 0.0, -1.5358897], abs=1e-6)
    assert V5.position_unit / V4.position_unit == pytest.approx(17.3, abs=0.01)


def test_a_hand_says_who_it_is():
    said = decode_info(Frame(0x200, bytes.fromhex("04001200012a03")))
    assert said == HandInfo(4, 0x12, "left", 42, servo_on=True, over_temperature=True, communication_fault=False)
    assert decode_info(Frame(0x200, bytes.fromhex("05000100001904"))).communication_fault
    assert decode_serial(Frame(0x220, b"SXARA001")) == "SXARA001"


def test_temperatures_are_one_number_or_one_byte_a_joint():
    assert decode_temperatures(Frame(0xE0, bytes.fromhex("2d000000"))) == (45,)
    assert decode_temperatures(Frame(0xE0, bytes.fromhex("fbffffff"))) == (-5,)
    assert decode_temperatures(Frame(0xE4, bytes.fromhex("2d2e2f30"))) == (45, 46, 47, 48)


def test_pressures_and_errors_of_version_5():
    assert decode_pressure(Frame(0x3C0, bytes.fromhex("e803000000000000"))) == (1000, 0)
    with pytest.raises(FrameError, match="5001"):
        decode_pressure(Frame(0x3C0, bytes.fromhex("8913000000000000")))
    assert decode_error(Frame(0x3B8, bytes((7, 0b0011_0101)))) == (
        7,
        ("voltage", "overheating", "electrical_shock", "overload"),
    )


@pytest.mark.parametrize(
    ("decode", "frame"),
    [
        (lambda frame: decode_positions(frame, V4), Frame(0x80, bytes(7))),
        (lambda frame: decode_positions(frame, V4), Frame(0x80, b"", True)),
        (decode_info, Frame(0x200, bytes(8))),
        (decode_info, Frame(0x200, bytes.fromhex("04001200022a01"))),
        (decode_serial, Frame(0x220, b"SHORT")),
        (decode_serial, Frame(0x220, b"\xff" * 8)),
        (decode_temperatures, Frame(0xE0, bytes(3))),
        (decode_pressure, Frame(0x140, bytes(4))),
        (decode_error, Frame(0x3B8, bytes(1))),
    ],
)
def test_a_frame_of_another_form_is_refused(decode, frame):
    with pytest.raises(FrameError):
        decode(frame)


def test_an_unknown_version_is_refused_with_those_there_are():
    with pytest.raises(SchemaError, match="v4, v5"):
        hand_version("v6")
