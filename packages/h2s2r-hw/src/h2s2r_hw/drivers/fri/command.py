"""Command messages, client to cabinet: bytes from values and back.

In:  ``CommandMessage``, or a datagram.   Out: a datagram, or ``CommandMessage``.
Not here: what to command, and what the cabinet refuses.
"""

from __future__ import annotations

from typing import NamedTuple

from h2s2r_hw.drivers.fri.messages import COMMAND_ID, MONITORING_ID, DatagramError, FriVersion
from h2s2r_hw.drivers.fri.protobuf import (
    JointBlock,
    Value,
    frame,
    joint_vector,
    part,
    parts_in_order,
    read_int,
    read_joint_vector,
    read_varint,
    unframe,
    varint,
    walk,
)


class CommandMessage(NamedTuple):
    """One answer of a client. Joints in the order of ``JOINT_NAMES``."""

    sequence: int
    """Grows by one with each message sent."""
    reflected_sequence: int
    """Sequence of the monitoring message it answers."""
    joint_pos: tuple[float, ...] | None = None
    """(7) [rad] absolute."""
    joint_torque: tuple[float, ...] | None = None
    """(7) [N·m] added to the cabinet's own."""
    wrench: tuple[float, ...] | None = None
    """(6) [N, N·m] added to the cabinet's own: forces along x, y, z, then torques about A, B, C."""


def encode_command(command: CommandMessage, version: FriVersion) -> bytes:
    """A datagram."""
    sequence, reflected, joint_pos, joint_torque, wrench = command
    header = b"%b%b\x18%b" % (_PREFIX, varint(sequence), varint(reflected))
    payload = b"\x0a%c%b" % (len(header), header)
    data = b"" if joint_pos is None else joint_vector(1, joint_pos)
    if wrench is not None:
        data += joint_vector(2, wrench)
    if joint_torque is not None:
        data += joint_vector(3, joint_torque)
    if data:
        payload += part(2, data)
    return frame(payload, version)


def decode_command(datagram: bytes, version: FriVersion) -> CommandMessage:
    """The values of a datagram; tags it does not know are passed over.

    Raises:
        DatagramError: not a command message of this version.
    """
    data = unframe(datagram, version)
    parts = parts_in_order(data, len(data)) or dict(walk(data, 0, len(data)))
    sequence, reflected = read_header(data, parts.get(1), COMMAND_ID)
    values: dict[int, Value] = {}
    where = parts.get(2)
    if isinstance(where, tuple) and where[1] >= 0:
        if where[1] - where[0] == _ONE.size:
            # A position alone, as nearly always.
            read = _ONE.read(data, *where)
            if read is not None:
                return CommandMessage(sequence, reflected, read)
        values = dict(walk(data, *where))
    joint_pos, wrench, joint_torque = values.get(1), values.get(2), values.get(3)
    return CommandMessage(
        sequence,
        reflected,
        None if joint_pos is None else read_joint_vector(data, joint_pos),
        None if joint_torque is None else read_joint_vector(data, joint_torque),
        None if wrench is None else read_joint_vector(data, wrench),
    )


def read_header(data: bytes, where: Value | None, identifier: int) -> tuple[int, int]:
    """Own and reflected sequence number of a message.

    Raises:
        DatagramError: no header, one without its numbers, or another identifier.
    """
    if not isinstance(where, tuple) or where[1] < 0:
        raise DatagramError("The datagram has no header: it is no FRI message.")
    at, end = where
    prefix = _PREFIXES[identifier]
    if data.startswith(prefix, at):
        sequence, at = read_varint(data, at + len(prefix), end)
        if at < end and data[at] == _REFLECTED:
            reflected, at = read_varint(data, at + 1, end)
            if at == end:
                return sequence, reflected
    header = dict(walk(data, *where))
    if header.get(1) != identifier:
        raise DatagramError(f"The message's identifier is {header.get(1)}; it must be {identifier:#x}.")
    if 2 not in header or 3 not in header:
        raise DatagramError("The header has no sequence numbers.")
    return read_int(header[2]), read_int(header[3])


#: How a header of the usual order begins: the identifier, and the tag of the sequence number.
_PREFIXES = {each: b"\x08" + varint(each) + b"\x10" for each in (MONITORING_ID, COMMAND_ID)}
_PREFIX = _PREFIXES[COMMAND_ID]
_ONE = JointBlock(1)
_REFLECTED = 0x18
