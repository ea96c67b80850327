"""The little of the protobuf wire format that the FRI needs: a walker by tag, and tagged doubles.

In:  bytes.   Out: pairs of tag and value; or the reverse.
Not here: which tag means what (monitoring, command). Stock protobuf is the witness in the tests.

The walker accepts what any protobuf parser accepts: fields in any order, unknown tags, packed or unpacked repetition.
"""

from __future__ import annotations

import struct
import zlib
from typing import Union

from h2s2r_hw.drivers.fri.messages import MAX_DATAGRAM, NUM_JOINTS, DatagramError, FriVersion

#: A varint, where a part of the message lies, or where a double lies (start only, so -1 as its end).
Value = Union[int, "tuple[int, int]"]

_DOUBLE = struct.Struct("<d")
_JOINTS = struct.Struct("<" + "Bd" * NUM_JOINTS)
_JOINTS_SIZE = _JOINTS.size
_JOINTS_PART = struct.Struct("<BB" + "Bd" * NUM_JOINTS)
_TAG_DOUBLE = 0x09
_FIVE_BYTES, _FIVE_BYTES_CONTINUE = 0x80_8080_8080, 0x80_8080_80
_FRAME = struct.Struct("<I")


def varint(value: int) -> bytes:
    """An unsigned number as protobuf writes it."""
    # Counters without a loop.
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if value < 0x20_0000:
        return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def part(tag: int, body: bytes) -> bytes:
    """A part of a message: tag (below 16), length, body."""
    if len(body) < 0x80:
        return b"%c%c%b" % (tag << 3 | 2, len(body), body)
    return bytes((tag << 3 | 2,)) + varint(len(body)) + body


def joint_vector(tag: int, values: tuple[float, ...]) -> bytes:
    """A part that holds one unpacked double per joint; any number of joints is written, seven fast."""
    if len(values) == NUM_JOINTS:
        a, b, c, d, e, f, g = values
        return _JOINTS_PART.pack(tag << 3 | 2, _JOINTS_SIZE, 9, a, 9, b, 9, c, 9, d, 9, e, 9, f, 9, g)
    return part(tag, b"".join(b"\x09" + _DOUBLE.pack(value) for value in values))


def double(tag: int, value: float) -> bytes:
    """One tagged double (tag below 16)."""
    return bytes((tag << 3 | 1,)) + _DOUBLE.pack(value)


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number, and where it ends.

    Raises:
        DatagramError: it is cut off, or longer than 64 bits.
    """
    # Numbers of one, two or three bytes (counters) and of five (time stamps) without a loop.
    if end - at >= 3:
        first, second = data[at], data[at + 1]
        if first < 0x80:
            return first, at + 1
        if second < 0x80:
            return first & 0x7F | second << 7, at + 2
        third = data[at + 2]
        if third < 0x80:
            return first & 0x7F | (second & 0x7F) << 7 | third << 14, at + 3
        if end - at >= 5:
            word = int.from_bytes(data[at : at + 5], "little")
            if word & _FIVE_BYTES == _FIVE_BYTES_CONTINUE:
                word = (
                    word & 0x7F
                    | word >> 1 & 0x3F80
                    | word >> 2 & 0x1F_C000
                    | word >> 3 & 0xFE0_0000
                    | word >> 4 & 0x7_F000_0000
                )
                return word, at + 5
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise DatagramError(f"A number at byte {at} is cut off or longer than 64 bits.")


def walk(data: bytes, at: int, end: int) -> list[tuple[int, Value]]:
    """All fields between two bytes, in their order: tag and value.

    Raises:
        DatagramError: something is cut off, or of a kind that protobuf does not have.
    """
    found: list[tuple[int, Value]] = []
    add = found.append
    while at < end:
        key = data[at]
        at += 1
        if key > 0x7F:
            key, at = read_varint(data, at - 1, end)
        kind = key & 7
        if kind == 0:
            if at < end and data[at] < 0x80:
                add((key >> 3, data[at]))
                at += 1
            else:
                value, at = read_varint(data, at, end)
                add((key >> 3, value))
        elif kind == 2:
            if at < end and data[at] < 0x80:
                size = data[at]
                at += 1
            else:
                size, at = read_varint(data, at, end)
            add((key >> 3, (at, at + size)))
            at += size
        elif kind in (1, 5):
            add((key >> 3, (at, -1)))
            at += 8 if kind == 1 else 4
        else:
            raise DatagramError(f"Byte {at - 1} starts a field of kind {kind}, which no FRI message has.")
    if at != end:
        raise DatagramError(f"A field ends at byte {at}; the part it is in ends at {end}: the datagram is cut off.")
    return found


def read_joint_vector(data: bytes, where: Value) -> tuple[float, ...]:
    """The doubles of a part; seven unpacked ones fast.

    Raises:
        DatagramError: it is no part, or holds something else.
    """
    if not isinstance(where, tuple) or where[1] < 0:
        raise DatagramError(f"Joint values are a part of the message; this is {where}.")
    start, end = where
    if end - start == _JOINTS_SIZE:
        t0, a, t1, b, t2, c, t3, d, t4, e, t5, f, t6, g = _JOINTS.unpack_from(data, start)
        if t0 == t1 == t2 == t3 == t4 == t5 == t6 == _TAG_DOUBLE:
            return (a, b, c, d, e, f, g)
    values: list[float] = []
    for tag, value in walk(data, start, end):
        if tag != 1:
            continue
        if not isinstance(value, tuple):
            raise DatagramError("Joint values are doubles; this is a whole number.")
        first, last = (value[0], value[0] + 8) if value[1] < 0 else value
        if (last - first) % 8 or last > end:
            raise DatagramError("Joint values are doubles of 8 bytes each.")
        values += [_DOUBLE.unpack_from(data, at)[0] for at in range(first, last, 8)]
    return tuple(values)


def parts_in_order(data: bytes, end: int) -> dict[int, Value] | None:
    """Where the parts 1, 2, 3, … of a message lie, if it is made of nothing else; None if it is not."""
    found: dict[int, Value] = {}
    at, tag = 0, 1
    while at + 2 < end:
        if data[at] != tag << 3 | 2:
            return None
        size = data[at + 1]
        at += 2
        if size > 0x7F:
            if data[at] > 0x7F:
                return None
            size = size & 0x7F | data[at] << 7
            at += 1
        found[tag] = (at, at + size)
        at, tag = at + size, tag + 1
    return found if at == end else None


class JointBlock:
    """Several joint vectors in a row, read at once where they lie exactly as every cabinet writes them.

    Args:
        tags: of the vectors, in their order.
    """

    def __init__(self, *tags: int) -> None:
        self.size = len(tags) * (2 + _JOINTS_SIZE)
        self._doubles = struct.Struct("<" + ("2x" + "xd" * NUM_JOINTS) * len(tags))
        filled = b"".join(joint_vector(tag, (0.0,) * NUM_JOINTS) for tag in tags)
        fixed = (b"\xff\xff" + (b"\xff" + bytes(8)) * NUM_JOINTS) * len(tags)
        self._expected, self._mask = int.from_bytes(filled, "little"), int.from_bytes(fixed, "little")

    def read(self, data: bytes, at: int, end: int) -> tuple[float, ...] | None:
        """All doubles, one vector after the other; None if anything else lies there."""
        if end - at < self.size:
            return None
        if int.from_bytes(data[at : at + self.size], "little") & self._mask != self._expected:
            return None
        return self._doubles.unpack_from(data, at)

    def write(self, values: tuple[float, ...]) -> bytes:
        """The bytes of all doubles, one vector after the other."""
        # What is packed has zeros where tags and lengths belong.
        packed = int.from_bytes(self._doubles.pack(*values), "little")
        return (packed | self._expected).to_bytes(self.size, "little")


def read_double(data: bytes, where: Value) -> float:
    """One double.

    Raises:
        DatagramError: it is something else, or cut off.
    """
    if not isinstance(where, tuple) or where[1] >= 0 or where[0] + 8 > len(data):
        raise DatagramError(f"A double was expected; this is {where}.")
    return _DOUBLE.unpack_from(data, where[0])[0]


def read_int(where: Value) -> int:
    """One number that is not a double.

    Raises:
        DatagramError: it is something else.
    """
    if isinstance(where, tuple):
        raise DatagramError(f"A whole number was expected; this is a part of the message at {where}.")
    return where


def frame(payload: bytes, version: FriVersion) -> bytes:
    """A datagram: the payload, with length and CRC-32 around it where the version has them."""
    if not version.framed:
        return payload
    return _FRAME.pack(len(payload)) + payload + _FRAME.pack(zlib.crc32(payload))


def unframe(datagram: bytes, version: FriVersion) -> bytes:
    """The payload of a datagram.

    Raises:
        DatagramError: too long, or length or CRC-32 do not fit.
    """
    size = len(datagram)
    if size > MAX_DATAGRAM:
        raise DatagramError(f"A datagram of {size} bytes; none is larger than {MAX_DATAGRAM}.")
    if not version.framed:
        return datagram
    if size < 8 or _FRAME.unpack_from(datagram)[0] != size - 8:
        raise DatagramError(
            f"FRI {version.value} writes the length of the payload in front of it; this datagram of {size} bytes has none that "
            "fits. Is the cabinet of another version?"
        )
    payload = datagram[4:-4]
    if _FRAME.unpack_from(datagram, size - 4)[0] != zlib.crc32(payload):
        raise DatagramError("The CRC-32 of a datagram does not fit its payload.")
    return payload
