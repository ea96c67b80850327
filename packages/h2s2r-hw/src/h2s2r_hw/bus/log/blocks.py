"""The bytes of a log file: blocks, each with a number and a checksum.

In:  records, gaps, marks.   Out: blocks, and back.
Not here: when which block is written (logger), whole logs (reader).

A file starts with an ``ABOUT`` block (JSON), and each block stands alone: a process that is killed in the middle of one loses
that one. ``END`` is the last block of a log that was closed, ``NEXT`` that of a file with a successor.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from h2s2r_schemas.errors import SchemaError

MAGIC = b"H2L1"
SUFFIX = ".h2log"
_HEAD = struct.Struct("<4sIQII")
_GAP = struct.Struct("<qqq")
#: [bytes] No block is larger.
MAX_PAYLOAD = 16 * 2**20


class Kind(IntEnum):
    """What a block holds."""

    ABOUT = 0
    ARM = 1
    HAND = 2
    GAP = 3
    MARK = 4
    NEXT = 5
    END = 6


class Gap(NamedTuple):
    """Ticks that are in no file."""

    part: Kind
    """``ARM`` or ``HAND``."""
    first: int
    """Number of the first one missing."""
    ticks: int
    """How many."""


class Block(NamedTuple):
    """One block that was read and is whole."""

    kind: Kind
    number: int
    """Grows by one from block to block, through all files of a log."""
    payload: bytes


@dataclass(frozen=True)
class LogAbout:
    """What a log file says of itself."""

    robot_name: str
    """``RobotSpec.name``."""
    robot_hash: str
    """``RobotSpec.hash()``."""
    joint_names: tuple[str, ...]
    """(J) the robot's joint order."""
    emulated: bool
    """True where no hardware moves."""
    server: str = ""
    """Software and version."""
    started: str = ""
    """When the log was begun: date and time of the PC."""
    layouts: Mapping[str, int] = field(default_factory=dict[str, int])
    """Checksum of the layout of each kind of record."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of ``LogContext``: what metrics are segmented by."""
    file: int = 0
    """Number of this file in its log."""

    def payload(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def read(cls, payload: bytes) -> LogAbout:
        """Back from JSON.

        Raises:
            SchemaError: it is not what ``payload`` writes.
        """
        try:
            values: dict[str, Any] = json.loads(payload)
            values["joint_names"] = tuple(values["joint_names"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise SchemaError(f"The log's description cannot be read: {error}.") from error


def encode_block(kind: Kind, number: int, payload: bytes) -> bytes:
    """One block."""
    checksum = zlib.crc32(payload, zlib.crc32(_HEAD.pack(MAGIC, kind, number, len(payload), 0)))
    return _HEAD.pack(MAGIC, kind, number, len(payload), checksum) + payload


def decode_block(data: memoryview) -> tuple[Block, int] | None:
    """The block at the start of these bytes and its length; None where there is no whole and undamaged one."""
    if len(data) < _HEAD.size:
        return None
    magic, kind, number, length, checksum = _HEAD.unpack_from(data)
    end = _HEAD.size + length
    if magic != MAGIC or kind > max(Kind) or length > MAX_PAYLOAD or end > len(data):
        return None
    payload = data[_HEAD.size : end]
    if zlib.crc32(payload, zlib.crc32(_HEAD.pack(magic, kind, number, length, 0))) != checksum:
        return None
    return Block(Kind(kind), number, bytes(payload)), end


def encode_gap(gap: Gap) -> bytes:
    """Payload of a ``GAP`` block."""
    return _GAP.pack(gap.part, gap.first, gap.ticks)


def decode_gap(payload: bytes) -> Gap:
    """Back.

    Raises:
        SchemaError: another length.
    """
    if len(payload) != _GAP.size:
        raise SchemaError(f"A gap block of {len(payload)} bytes.")
    part, first, ticks = _GAP.unpack(payload)
    return Gap(Kind(part), first, ticks)
