"""Frames of the hand: identifiers, and eight bytes from values and back.

In:  values with units, or a frame.   Out: a frame, or values with units.
Not here: python-can's messages (whoever owns a bus converts), what to send when.

An identifier on the wire is four times the message's number plus the device's number, which is 0. All values are
little-endian.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from h2s2r_hw.drivers.allegro.versions import FINGERS, HandInfo, HandVersion
from h2s2r_schemas.errors import SchemaError

SERVO_ON, SERVO_OFF = 0x100, 0x104
SET_TORQUE = 0x180
SET_PERIOD = 0x204
INFO, SERIAL = 0x200, 0x220
POSITION, IMU, TEMPERATURE = 0x80, 0xC0, 0xE0
#: Two places that firmware of version 5 was seen to use: two fingertips each.
PRESSURE = (0x140, 0x148, 0x3C0, 0x3C8)
ERROR = 0x3B8
#: What changes a hand for good (bus settings) or moves it by itself (calibration): an operating server has no use for it.
NEVER_SEND = {0x1A0: "configuration", 0x224: "calibration"}

_FOUR = struct.Struct("<4h")
_THREE = struct.Struct("<3h")
_INFO = struct.Struct("<HHBBB")
_PRESSURE = struct.Struct("<2i")
_TEMPERATURE = struct.Struct("<i")
#: [Pa] readings beyond it are no pressures.
MAX_PRESSURE = 5000


class FrameError(SchemaError):
    """A frame is not what this hand sends. Whoever receives frames counts these and goes on."""


class Frame(NamedTuple):
    """One frame with an 11-bit identifier."""

    identifier: int
    data: bytes = b""
    remote: bool = False
    """Whether it asks for the frame of this identifier instead of being it."""
    error: bool = False
    """Whether it is no frame at all but the controller's report of an error; identifiers of those are SocketCAN's."""


def servo_on() -> Frame:
    """Let currents flow."""
    return Frame(SERVO_ON)


def servo_off() -> Frame:
    """Let no current flow. The only way to make a hand limp for sure: it holds the last current otherwise."""
    return Frame(SERVO_OFF)


def request_info() -> Frame:
    """Ask who it is. Some firmware of version 5 never answers."""
    return Frame(INFO, remote=True)


def request_serial() -> Frame:
    """Ask for the serial number."""
    return Frame(SERIAL, remote=True)


def request_position(finger: int) -> Frame:
    """Ask for the positions of one finger."""
    return Frame(POSITION + 4 * finger, remote=True)


def encode_period(position_ms: int, imu_ms: int = 0, temperature_ms: int = 0) -> Frame:
    """How often it reports [ms]; 0 for never."""
    return Frame(SET_PERIOD, _THREE.pack(position_ms, imu_ms, temperature_ms))


def encode_torques(joint_torque: tuple[float, ...], version: HandVersion) -> list[Frame]:
    """Four frames from (16) [N·m], limited to what the version may be sent; a torque that is not a number becomes 0."""
    commands: list[int] = []
    for torque, limit in zip(joint_torque, version.command_limit, strict=True):
        command = torque * version.torque_unit
        commands.append(0 if math.isnan(command) else round(max(-limit, min(limit, command))))
    return [Frame(SET_TORQUE + 4 * finger, _FOUR.pack(*commands[4 * finger : 4 * finger + 4])) for finger in range(4)]


def zero_torques() -> list[Frame]:
    """Four frames of no current."""
    return [Frame(SET_TORQUE + 4 * finger, bytes(8)) for finger in range(4)]


def finger_of_position(identifier: int) -> int | None:
    """Number of the finger whose positions a frame holds; None for other frames."""
    finger, rest = divmod(identifier - POSITION, 4)
    return finger if rest == 0 and 0 <= finger < len(FINGERS) else None


def decode_positions(frame: Frame, version: HandVersion) -> tuple[float, ...]:
    """(4) [rad] of one finger, base to tip.

    Raises:
        FrameError: another length.
    """
    return tuple(count * version.position_unit for count in _unpack(_FOUR, frame))


def decode_info(frame: Frame) -> HandInfo:
    """What a hand says of itself.

    Raises:
        FrameError: another length, or a side that does not exist.
    """
    hardware, firmware, kind, temperature, status = _unpack(_INFO, frame)
    if kind > 1:
        raise FrameError(f"The hand says it is of type {kind}; 0 is right and 1 is left.")
    side = "left" if kind else "right"
    return HandInfo(hardware, firmware, side, temperature, bool(status & 1), bool(status & 2), bool(status & 4))


def decode_serial(frame: Frame) -> str:
    """Eight characters; of a version 5 the third is its type (A or B) and the fourth its side (R or L).

    Raises:
        FrameError: another length, or no text.
    """
    try:
        text = frame.data.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if len(text) != 8:
        raise FrameError(f"A serial number of eight characters was expected, not {frame.data!r}.")
    return text


def decode_temperatures(frame: Frame) -> tuple[int, ...]:
    """[°C] (4) one per joint, or (1) where the frame holds one number.

    Four bytes can be either; one number of them is below 256, so that its upper bytes are 0 or, below freezing, 255.

    Raises:
        FrameError: another length.
    """
    (number,) = _unpack(_TEMPERATURE, frame)
    return (number,) if -128 <= number < 256 else tuple(frame.data)


def decode_pressure(frame: Frame) -> tuple[int, ...]:
    """(2) [Pa] of two fingertips of a version 5.

    Raises:
        FrameError: another length, or beyond what the sensors can read.
    """
    values = _unpack(_PRESSURE, frame)
    if not all(0 <= value <= MAX_PRESSURE for value in values):
        raise FrameError(f"Fingertip pressures of {values} Pa; they lie between 0 and {MAX_PRESSURE}.")
    return values


def decode_error(frame: Frame) -> tuple[int, tuple[str, ...]]:
    """Number of a motor of a version 5, and what it complains of.

    Raises:
        FrameError: another length.
    """
    if len(frame.data) != 2:
        raise FrameError(f"An error frame has 2 bytes; this one has {len(frame.data)}.")
    motor, flags = frame.data
    return motor, tuple(name for bit, name in _ERRORS.items() if flags >> bit & 1)


_ERRORS = {0: "voltage", 2: "overheating", 4: "electrical_shock", 5: "overload"}


def _unpack(layout: struct.Struct, frame: Frame) -> tuple[int, ...]:
    if len(frame.data) != layout.size or frame.remote:
        raise FrameError(f"Frame {frame.identifier:#x} has {len(frame.data)} bytes; {layout.size} were expected.")
    return layout.unpack(frame.data)
