"""Wonik's Allegro hand, versions 4 and 5, on a CAN bus.

In:  torques [N·m] and requests, or frames.   Out: frames, or positions [rad] and states.
Not here: buses, loops, controllers (server), a hand that is not there (emulators).
"""

from h2s2r_hw.drivers.allegro.frames import (
    NEVER_SEND,
    Frame,
    FrameError,
    decode_error,
    decode_info,
    decode_positions,
    decode_pressure,
    decode_serial,
    decode_temperatures,
    encode_period,
    encode_torques,
    finger_of_position,
    request_info,
    request_position,
    request_serial,
    servo_off,
    servo_on,
    zero_torques,
)
from h2s2r_hw.drivers.allegro.versions import (
    FINGERS,
    JOINT_NAMES,
    V4,
    V5,
    VERSIONS,
    HandInfo,
    HandVersion,
    hand_version,
)

__all__ = [
    "FINGERS",
    "JOINT_NAMES",
    "NEVER_SEND",
    "V4",
    "V5",
    "VERSIONS",
    "Frame",
    "FrameError",
    "HandInfo",
    "HandVersion",
    "decode_error",
    "decode_info",
    "decode_positions",
    "decode_pressure",
    "decode_serial",
    "decode_temperatures",
    "encode_period",
    "encode_torques",
    "finger_of_position",
    "hand_version",
    "request_info",
    "request_position",
    "request_serial",
    "servo_off",
    "servo_on",
    "zero_torques",
]
