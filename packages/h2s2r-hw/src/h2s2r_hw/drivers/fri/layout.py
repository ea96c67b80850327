"""Monitoring messages read at once, where they have the shape of one before.

In:  the payload of a monitoring message.   Out: its values in a row, or nothing where its shape is another.
Not here: messages of any shape (monitoring), what the values mean.

A cabinet writes the same fields in the same order for hours. So the first message of a length is taken apart field by field,
and what is learned, which bytes are fixed and where the values stand, reads the next ones with one comparison and one
``struct``. A message that differs in any fixed byte is left to those who look at every field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from h2s2r_hw.drivers.fri.messages import MONITORING_ID, NUM_JOINTS, FriVersion
from h2s2r_hw.drivers.fri.protobuf import varint

_HEADER = b"\x08" + varint(MONITORING_ID) + b"\x10"
#: Longest length of a varint that is read here: numbers below 2³⁵.
_LONGEST = 5


class _Shape:
    """A format under construction: bytes that are fixed, and values between them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.format, self.fixed = data, 0, "<", bytearray()

    def same(self, expected: bytes) -> bool:
        """These bytes, in every message."""
        if self.data[self.at : self.at + len(expected)] != expected:
            return False
        self.format += f"{len(expected)}x"
        self.fixed += b"\xff" * len(expected)
        self.at += len(expected)
        return True

    def size(self, tag: int, most: int = 0x7F) -> int:
        """Tag and length of a part; -1 where there is another tag, or a longer part."""
        if self.at + 2 >= len(self.data) or self.data[self.at] != tag << 3 | 2:
            return -1
        size, wide = self.data[self.at + 1], 2
        if size > 0x7F and most > 0x7F:
            size, wide = size & 0x7F | self.data[self.at + 2] << 7, 3
        known = self.same(self.data[self.at : self.at + wide])
        return size if known and size <= most else -1

    def raw(self, count: int) -> bool:
        """So many bytes as they are."""
        self.format += f"{count}s"
        self.fixed += bytes(count)
        self.at += count
        return self.at <= len(self.data)

    def number(self) -> bool:
        """A varint of as many bytes as here."""
        for count in range(1, _LONGEST + 1):
            if self.at + count <= len(self.data) and self.data[self.at + count - 1] < 0x80:
                self.format += f"{count}s"
                self.fixed += b"\x80" * count
                self.at += count
                return True
        return False

    def joints(self, *tags: int) -> bool:
        """Vectors of one unpacked double per joint."""
        for tag in tags:
            if not self.same(bytes((tag << 3 | 2, 9 * NUM_JOINTS))):
                return False
            for _ in range(NUM_JOINTS):
                if not self.same(b"\x09"):
                    return False
                self.format += "d"
                self.fixed += bytes(8)
                self.at += 8
        return self.at <= len(self.data)


class Layout:
    """One shape. Made by ``learn``.

    Args:
        shape: complete.
        has_ipo: whether it ends with the cabinet's own motion.
    """

    def __init__(self, shape: _Shape, has_ipo: bool) -> None:
        self._unpack = struct.Struct(shape.format).unpack
        self._mask = int.from_bytes(shape.fixed, "little")
        self._expected = int.from_bytes(shape.data, "little") & self._mask
        self.has_ipo = has_ipo
        """Whether seven positions, mode, overlay and tracking performance end the row."""

    def read(self, data: bytes) -> tuple[Any, ...] | None:
        """Sequence numbers, robot info, joint vectors, time, connection, and the cabinet's own motion in a row; numbers as the
        bytes of their varints. None where anything that was fixed differs. ``data`` has the length that was learned.
        """
        if int.from_bytes(data, "little") & self._mask != self._expected:
            return None
        return self._unpack(data)


def learn(data: bytes, version: FriVersion) -> Layout | None:
    """The layout of a message; None where it is not written as cabinets write it, which then is read field by field."""
    shape = _Shape(data)
    vectors = (1, 2, 3, 4, 5) if version.commanded_pos_in_monitoring else (1, 2, 4, 5)
    if shape.size(1) < 0 or not (shape.same(_HEADER) and shape.number() and shape.same(b"\x18") and shape.number()):
        return None
    info = shape.size(2)
    if info < 0 or not shape.raw(info) or shape.size(3, 0x3FFF) < 0 or not shape.joints(*vectors):
        return None
    if shape.size(15) < 0 or not (shape.same(b"\x08") and shape.number() and shape.same(b"\x10") and shape.number()):
        return None
    connection = shape.size(4)
    if connection < 0 or not shape.raw(connection):
        return None
    has_ipo = shape.at < len(data)
    if has_ipo and not (shape.size(5) >= 0 and shape.joints(1) and _end_of_ipo(shape)):
        return None
    return Layout(shape, has_ipo) if shape.at == len(data) and len(shape.fixed) == len(data) else None


def _end_of_ipo(shape: _Shape) -> bool:
    """Client command mode, overlay and tracking performance."""
    known = shape.same(b"\x50") and shape.number() and shape.same(b"\x58") and shape.number() and shape.same(b"\x61")
    shape.format += "d"
    shape.fixed += bytes(8)
    shape.at += 8
    return known


def _two(word: int) -> int:
    return word & 0x7F | word >> 1 & 0x3F80


def _three(word: int) -> int:
    return word & 0x7F | word >> 1 & 0x3F80 | word >> 2 & 0x1F_C000


def _four(word: int) -> int:
    return word & 0x7F | word >> 1 & 0x3F80 | word >> 2 & 0x1F_C000 | word >> 3 & 0xFE0_0000


def _five(word: int) -> int:
    return word & 0x7F | word >> 1 & 0x3F80 | word >> 2 & 0x1F_C000 | word >> 3 & 0xFE0_0000 | word >> 4 & 0x7_F000_0000


_BY_LENGTH: tuple[Callable[[int], int], ...] = (int, int, _two, _three, _four, _five)


def number(data: bytes) -> int:
    """Of the bytes of a varint, 1 to 5."""
    return _BY_LENGTH[len(data)](int.from_bytes(data, "little"))
