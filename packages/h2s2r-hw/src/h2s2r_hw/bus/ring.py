"""Every record of one writer, for one reader, up to how many fit: what lies between a hot loop and a disk.

In:  records of one NumPy dtype.   Out: the same in order; how many were lost because the reader was too slow.
Not here: files (log), the newest record alone (slots).

The writer never waits: where the ring is full, the record is dropped and counted. Writer and reader own one counter each, so
that neither needs a lock. As with slots, x86-64 keeps the order of stores that this needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus import memory
from h2s2r_hw.bus.slots import HEADER, kind_of
from h2s2r_schemas.errors import H2S2RError

_KIND, _WRITTEN, _LOST, _READ = 0, 1, 2, 3


class Ring:
    """So many places for records.

    Args:
        dtype: of the records.
        capacity: how many may wait.
        buffer: ``size(dtype, capacity)`` bytes, zeros at first; new ones of this process if not given.

    Raises:
        H2S2RError: the buffer holds records of another layout, or is too small.
    """

    def __init__(self, dtype: np.dtype[Any], capacity: int, buffer: memoryview | None = None) -> None:
        size = self.size(dtype, capacity)
        buffer = memoryview(bytearray(size)) if buffer is None else buffer
        if buffer.nbytes < size or capacity < 1:
            raise H2S2RError(f"A ring of {capacity} records needs {size} bytes; the buffer has {buffer.nbytes}.")
        self.dtype, self.capacity = dtype, capacity
        self.buffer = buffer
        """What the other end may open this ring on."""
        own = bytearray(dtype.itemsize)
        self.record: np.ndarray[Any, Any] = np.frombuffer(own, dtype).reshape(())
        """() what ``append`` copies."""
        self.data = memoryview(own)
        """The bytes of ``record``, for ``struct.pack_into``."""
        self._header, self._places = buffer[:HEADER].cast("Q"), buffer[HEADER:size]
        self._rows = np.frombuffer(self._places, dtype)
        if self._header[_KIND] not in (0, kind_of(dtype)):
            raise H2S2RError(
                "The ring holds records of another layout: its writer is another version of this software."
            )
        self._header[_KIND] = kind_of(dtype)

    @staticmethod
    def size(dtype: np.dtype[Any], capacity: int) -> int:
        """[bytes] of the buffer that so many records need."""
        return HEADER + capacity * dtype.itemsize

    @classmethod
    def create(cls, path: Path, dtype: np.dtype[Any], capacity: int) -> Ring:
        """A new ring that another process may attach to.

        Raises:
            H2S2RError: it cannot be made there.
        """
        return cls(dtype, capacity, memory.create(path, cls.size(dtype, capacity)))

    @classmethod
    def attach(cls, path: Path, dtype: np.dtype[Any], capacity: int) -> Ring:
        """The ring that another process made.

        Raises:
            H2S2RError: there is none, or it is another one.
        """
        return cls(dtype, capacity, memory.attach(path, cls.size(dtype, capacity)))

    @property
    def written(self) -> int:
        """Records that found a place, ever."""
        return self._header[_WRITTEN]

    @property
    def lost(self) -> int:
        """Records that found none."""
        return self._header[_LOST]

    @property
    def waiting(self) -> int:
        """Records that have not been read."""
        return self._header[_WRITTEN] - self._header[_READ]

    def append(self) -> bool:
        """Add ``record``; whether there was a place for it. For the one writer."""
        written = self._header[_WRITTEN]
        if written - self._header[_READ] >= self.capacity:
            self._header[_LOST] += 1
            return False
        at = written % self.capacity * len(self.data)
        self._places[at : at + len(self.data)] = self.data
        self._header[_WRITTEN] = written + 1
        return True

    def peek(self, most: int) -> np.ndarray[Any, Any]:
        """(N) copies of the oldest records, at most so many; they stay until ``skip``. For the one reader."""
        read = self._header[_READ]
        count, first = min(most, self._header[_WRITTEN] - read), read % self.capacity
        until_end = min(count, self.capacity - first)
        rows = np.empty(count, self.dtype)
        rows[:until_end], rows[until_end:] = self._rows[first : first + until_end], self._rows[: count - until_end]
        return rows

    def skip(self, count: int) -> None:
        """Free the places of so many records: they were read for good."""
        self._header[_READ] += min(count, self.waiting)
