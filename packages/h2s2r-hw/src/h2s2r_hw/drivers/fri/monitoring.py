"""Monitoring messages, cabinet to client: bytes from values and back.

In:  ``MonitoringMessage``, or a datagram.   Out: a datagram, or ``MonitoringMessage``.
Not here: what the values mean for a session (server, emulators).

Cartesian poses, transformations and I/O are passed over: nothing here uses them.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from h2s2r_hw.drivers.fri.command import read_header
from h2s2r_hw.drivers.fri.messages import (
    MONITORING_ID,
    NUM_JOINTS,
    ClientCommandMode,
    ControlMode,
    DatagramError,
    DriveState,
    FriVersion,
    OperationMode,
    Overlay,
    Quality,
    SafetyState,
    SessionState,
)
from h2s2r_hw.drivers.fri.protobuf import (
    JointBlock,
    Value,
    double,
    frame,
    joint_vector,
    part,
    parts_in_order,
    read_double,
    read_int,
    read_joint_vector,
    read_varint,
    unframe,
    varint,
    walk,
)

_NO_VALUES: tuple[float, ...] = ()
_SECOND = 1_000_000_000


class MonitoringMessage(NamedTuple):
    """What the cabinet says in one period. Joints in the order of ``JOINT_NAMES``; empty where the message had none."""

    sequence: int
    """Grows by one with each message."""
    reflected_sequence: int
    """Sequence of the last command message the cabinet has."""
    session_state: SessionState
    quality: Quality
    send_period_ms: int
    """[ms] from message to message."""
    receive_multiplier: int
    """Every how many-th message wants an answer."""
    num_joints: int
    """7 for the arms we know."""
    safety_state: SafetyState
    operation_mode: OperationMode
    control_mode: ControlMode
    drive_states: tuple[DriveState, ...]
    """(7)."""
    measured_joint_pos: tuple[float, ...]
    """(7) [rad]."""
    measured_torque: tuple[float, ...]
    """(7) [N·m]."""
    commanded_joint_pos: tuple[float, ...]
    """(7) [rad]; empty in 2.x, where it does not exist."""
    commanded_torque: tuple[float, ...]
    """(7) [N·m]."""
    external_torque: tuple[float, ...]
    """(7) [N·m] as the cabinet estimates it."""
    time_ns: int
    """[ns] on the cabinet's clock (Unix time, may jump)."""
    ipo_joint_pos: tuple[float, ...] = _NO_VALUES
    """(7) [rad] of the cabinet's own motion; empty outside commanding states."""
    client_command_mode: ClientCommandMode = ClientCommandMode.NONE
    overlay: Overlay = Overlay.NONE
    tracking_performance: float = 0.0
    """1 where the arm follows all that is commanded; 0 outside COMMANDING_ACTIVE."""


def encode_monitoring(message: MonitoringMessage, version: FriVersion, identifier: int = MONITORING_ID) -> bytes:
    """A datagram. ``identifier`` is another one only to rehearse that fault."""
    header = b"\x08%b\x10%b" % (varint(identifier), varint(message.sequence))
    header += b"\x18" + varint(message.reflected_sequence)
    info = _info_part(
        message.num_joints, message.safety_state, message.drive_states, message.operation_mode, message.control_mode
    )
    data = _vectors(message, version)
    seconds, rest = divmod(message.time_ns, _SECOND)
    data += part(15, b"\x08" + varint(seconds) + b"\x10" + varint(rest))
    connection = _connection_part(
        message.session_state, message.quality, message.send_period_ms, message.receive_multiplier
    )
    payload = part(1, header) + info + part(3, data) + connection
    if message.ipo_joint_pos:
        ipo = joint_vector(1, message.ipo_joint_pos)
        ipo += bytes((0x50, message.client_command_mode, 0x58, message.overlay))
        payload += part(5, ipo + double(12, message.tracking_performance))
    return frame(payload, version)


def _vectors(message: MonitoringMessage, version: FriVersion) -> bytes:
    """All that is measured and commanded, joint by joint."""
    vectors = {1: message.measured_joint_pos, 2: message.measured_torque}
    if version.commanded_pos_in_monitoring:
        vectors[3] = message.commanded_joint_pos
    vectors |= {4: message.commanded_torque, 5: message.external_torque}
    if all(len(each) == NUM_JOINTS for each in vectors.values()):
        block = _FIVE if version.commanded_pos_in_monitoring else _FOUR
        return block.write(tuple(chain.from_iterable(vectors.values())))
    return b"".join(joint_vector(tag, each) for tag, each in vectors.items())


# As when they are read: these two parts hardly ever change.
@lru_cache(maxsize=64)
def _info_part(num_joints: int, safety: int, drives: tuple[DriveState, ...], operation: int, control: int) -> bytes:
    info = b"\x08" + varint(num_joints) + bytes((0x10, safety))
    info += b"".join(bytes((0x28, state)) for state in drives)
    return part(2, info + bytes((0x30, operation, 0x38, control)))


@lru_cache(maxsize=64)
def _connection_part(state: int, quality: int, send_period_ms: int, receive_multiplier: int) -> bytes:
    connection = bytes((0x08, state, 0x10, quality))
    return part(4, connection + b"\x18" + varint(send_period_ms) + b"\x20" + varint(receive_multiplier))


def decode_monitoring(datagram: bytes, version: FriVersion) -> MonitoringMessage:
    """The values of a datagram; tags it does not know are passed over.

    Raises:
        DatagramError: not a monitoring message of this version, or of one with enumerators we do not know.
    """
    data = unframe(datagram, version)
    parts = parts_in_order(data, len(data)) or dict(walk(data, 0, len(data)))
    sequence, reflected = read_header(data, parts.get(1), MONITORING_ID)
    try:
        return MonitoringMessage(
            sequence,
            reflected,
            *read_connection(_bytes(data, parts, 4)),
            *read_robot_info(_bytes(data, parts, 2)),
            *_monitor_data(data, parts.get(3), version),
            *_ipo_data(data, parts.get(5)),
        )
    except KeyError as error:
        raise unknown(error) from None


#: Outside commanding states.
NO_IPO = (_NO_VALUES, ClientCommandMode.NONE, Overlay.NONE, 0.0)


def unknown(error: KeyError) -> DatagramError:
    """What to say of an enumerator."""
    return DatagramError(f"The message has an enumerator {error} that this version of the FRI does not know.")


_SESSION: dict[Value, SessionState] = {each.value: each for each in SessionState}
_QUALITY: dict[Value, Quality] = {each.value: each for each in Quality}
_SAFETY: dict[Value, SafetyState] = {each.value: each for each in SafetyState}
_OPERATION: dict[Value, OperationMode] = {each.value: each for each in OperationMode}
_CONTROL: dict[Value, ControlMode] = {each.value: each for each in ControlMode}
_DRIVE: dict[Value, DriveState] = {each.value: each for each in DriveState}
COMMAND_MODE: dict[Value, ClientCommandMode] = {each.value: each for each in ClientCommandMode}
OVERLAY: dict[Value, Overlay] = {each.value: each for each in Overlay}


def _bytes(data: bytes, parts: dict[int, Value], tag: int) -> bytes:
    where = parts.get(tag)
    return b"" if where is None else data[slice(*_extent(where))]


def _extent(where: Value) -> tuple[int, int]:
    if not isinstance(where, tuple) or where[1] < 0:
        raise DatagramError(f"A part of the message was expected; this is {where}.")
    return where


# The next two parts hardly ever change from message to message, so what they were decoded to is kept.
@lru_cache(maxsize=64)
def read_connection(part: bytes) -> tuple[SessionState, Quality, int, int]:
    """Session state, quality, send period [ms], receive multiplier."""
    values = dict(walk(part, 0, len(part)))
    if 1 not in values or 2 not in values:
        raise DatagramError("The message has no session state or no quality.")
    return _SESSION[values[1]], _QUALITY[values[2]], read_int(values.get(3, 0)), read_int(values.get(4, 0))


@lru_cache(maxsize=64)
def read_robot_info(part: bytes) -> tuple[int, SafetyState, OperationMode, ControlMode, tuple[DriveState, ...]]:
    """Number of joints, safety state, operation mode, control mode, drive states."""
    pairs = walk(part, 0, len(part))
    values = dict(pairs)
    drives: list[DriveState] = []
    for value in (value for tag, value in pairs if tag == 5):
        if isinstance(value, tuple):  # packed
            at, end = value
            while at < end:
                number, at = read_varint(part, at, end)
                drives.append(_DRIVE[number])
        else:
            drives.append(_DRIVE[value])
    safety, operation, control = _SAFETY[values.get(2, 0)], _OPERATION[values.get(6, 0)], _CONTROL[values.get(7, 3)]
    return read_int(values.get(1, 0)), safety, operation, control, tuple(drives)


_Joints = tuple[float, ...]


def _monitor_data(
    data: bytes, where: Value | None, version: FriVersion
) -> tuple[_Joints, _Joints, _Joints, _Joints, _Joints, int]:
    """Measured position and torque, commanded position and torque, external torque, time [ns]."""
    if where is None:
        return _NO_VALUES, _NO_VALUES, _NO_VALUES, _NO_VALUES, _NO_VALUES, 0
    at, end = _extent(where)
    if version.commanded_pos_in_monitoring:
        read = _FIVE.read(data, at, end)
        if read is not None:
            return read[:7], read[7:14], read[14:21], read[21:28], read[28:], _time_ns(data, at + _FIVE.size, end)
    else:
        read = _FOUR.read(data, at, end)
        if read is not None:
            return read[:7], read[7:14], _NO_VALUES, read[14:21], read[21:], _time_ns(data, at + _FOUR.size, end)
    values = dict(walk(data, at, end))
    if 3 in values and not version.commanded_pos_in_monitoring:
        raise DatagramError(f"FRI {version.value} has no commanded joint position; the cabinet is of an older version.")
    one, two, three, four, five = (_joints(data, values.get(tag)) for tag in range(1, 6))
    return one, two, three, four, five, _time_ns(data, at, end)


def _ipo_data(data: bytes, where: Value | None) -> tuple[_Joints, ClientCommandMode, Overlay, float]:
    """Position of the cabinet's own motion, client command mode, overlay, tracking performance."""
    if where is None:
        return NO_IPO
    at, end = _extent(where)
    joint_pos = _ONE.read(data, at, end)
    if joint_pos is not None and end - at == _ONE.size + _IPO_END.size:
        tag_mode, mode, tag_overlay, overlay, tag_tracking, tracking = _IPO_END.unpack_from(data, at + _ONE.size)
        if (tag_mode, tag_overlay, tag_tracking) == _IPO_END_TAGS:
            return joint_pos, COMMAND_MODE[mode], OVERLAY[overlay], tracking
    values = dict(walk(data, at, end))
    tracking = read_double(data, values[12]) if 12 in values else 0.0
    return _joints(data, values.get(1)), COMMAND_MODE[values.get(10, 0)], OVERLAY[values.get(11, 0)], tracking


#: Client command mode, overlay and tracking performance, as they follow the joint position.
_IPO_END, _IPO_END_TAGS = struct.Struct("<BBBBBd"), (0x50, 0x58, 0x61)
_ONE, _FOUR, _FIVE = JointBlock(1), JointBlock(1, 2, 4, 5), JointBlock(1, 2, 3, 4, 5)


def _joints(data: bytes, where: Value | None) -> tuple[float, ...]:
    return _NO_VALUES if where is None else read_joint_vector(data, where)


def _time_ns(data: bytes, at: int, end: int) -> int:
    """Time stamp [ns] among the fields between two bytes; 0 without one."""
    if end - at > 2 and data[at] == _TAG_TIME and data[at + 1] == end - at - 2 and data[at + 2] == _TAG_SECONDS:
        seconds, at = read_varint(data, at + 3, end)
        if at < end and data[at] == _TAG_REST:
            rest, at = read_varint(data, at + 1, end)
            if at == end:
                return seconds * _SECOND + rest
    where = dict(walk(data, at, end)).get(15)
    if where is None:
        return 0
    time = dict(walk(data, *_extent(where)))
    return read_int(time.get(1, 0)) * _SECOND + read_int(time.get(2, 0))


_TAG_TIME, _TAG_SECONDS, _TAG_REST = 0x7A, 0x08, 0x10
