"""The newest record of one writer, for any number of readers, in one process or several.

In:  records of one NumPy dtype.   Out: the newest whole record, and how many there have been.
Not here: every record (ring), what a record means (records).

Nobody waits for anybody. There are two places: record ``n`` is written into place ``n % 2``, then the counter becomes ``n``.
While the writer is anywhere within record ``n + 1``, record ``n`` stays whole; a reader that finds the counter unchanged after
copying has therefore copied a whole record, even if the writer died in the middle of the next one. It copies again only when a
write was finished meanwhile.

That stores become visible in their order is what x86-64 promises. Other processors may reorder them; ``selftest`` says so.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus import memory
from h2s2r_schemas.errors import H2S2RError

#: [bytes] before the first record: the dtype's checksum, the counter, and room up to a cache line.
HEADER = 64
_KIND, _COUNT = 0, 1
#: How often a reader copies before it leaves the record as it was. A writer at 1 kHz would have to be 1000 times as fast.
_ATTEMPTS = 8


def kind_of(dtype: np.dtype[Any]) -> int:
    """Checksum of a record's layout, so that two versions of the software do not misread each other."""
    return zlib.crc32(repr((dtype.descr, dtype.itemsize)).encode()) or 1


class Slot:
    """One record.

    Fill ``record`` and call ``write()``; or call ``read()`` and look at ``record``. It is this object's own copy: what others
    write appears in it with ``read()`` only. Neither allocates or blocks.

    Args:
        dtype: of the record.
        buffer: ``size(dtype)`` bytes, zeros at first; new ones of this process if not given. Two objects on the same buffer see
            the same slot.

    Raises:
        H2S2RError: the buffer holds records of another layout, or is too small.
    """

    def __init__(self, dtype: np.dtype[Any], buffer: memoryview | None = None) -> None:
        buffer = memoryview(bytearray(self.size(dtype))) if buffer is None else buffer
        if buffer.nbytes < self.size(dtype):
            raise H2S2RError(f"A slot needs {self.size(dtype)} bytes; the buffer has {buffer.nbytes}.")
        self.buffer = buffer
        """What others may open this slot on."""
        own = bytearray(dtype.itemsize)
        self.record: np.ndarray[Any, Any] = np.frombuffer(own, dtype).reshape(())
        """() this object's copy."""
        self.data = memoryview(own)
        """The bytes of ``record``, for ``struct.pack_into`` and ``unpack_from``, which hot loops find cheaper."""
        self._header = buffer[:HEADER].cast("Q")
        length = dtype.itemsize
        self._places = (buffer[HEADER : HEADER + length], buffer[HEADER + length : HEADER + 2 * length])
        kind = kind_of(dtype)
        if self._header[_KIND] not in (0, kind):
            raise H2S2RError(
                "The slot holds records of another layout: its writer is another version of this software."
            )
        self._header[_KIND] = kind

    @staticmethod
    def size(dtype: np.dtype[Any]) -> int:
        """[bytes] of the buffer that a record needs."""
        return HEADER + 2 * dtype.itemsize

    @classmethod
    def create(cls, path: Path, dtype: np.dtype[Any]) -> Slot:
        """A new slot that other processes may attach to.

        Raises:
            H2S2RError: it cannot be made there.
        """
        return cls(dtype, memory.create(path, cls.size(dtype)))

    @classmethod
    def attach(cls, path: Path, dtype: np.dtype[Any]) -> Slot:
        """The slot that another process made.

        Raises:
            H2S2RError: there is none, or its records have another layout.
        """
        return cls(dtype, memory.attach(path, cls.size(dtype)))

    @property
    def count(self) -> int:
        """How many records have been written."""
        return self._header[_COUNT]

    def write(self) -> int:
        """Publish ``record``; returns how many there are now. Only one object may write."""
        count = self._header[_COUNT] + 1
        self._places[count & 1][:] = self.data
        self._header[_COUNT] = count
        return count

    def read(self, first: int | None = None) -> int:
        """Bring ``record``, or so many bytes of it, up to date; returns its number, 0 if nothing was ever written.

        Where a record stays unreadable, as its writer is too fast, ``record`` is mixed and the answer is -1.
        """
        for _ in range(_ATTEMPTS):
            count = self._header[_COUNT]
            if count == 0:
                return 0
            self.data[:first] = self._places[count & 1][:first]
            if self._header[_COUNT] == count:
                return count
        return -1
