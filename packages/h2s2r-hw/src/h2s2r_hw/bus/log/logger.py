"""What the logger does: takes records from rings and appends them to a file, for ever, whatever the disk does.

In:  rings, a folder.   Out: files of a log; ``LOG_STATUS``: whether it can be relied on.
Not here: its process (processes), bytes (blocks), refusing to arm without a log (server).

When less than a reserve is left on the disk, or a write fails, nothing more is written and the status says so: a robot that
follows goes on holding the newest minute in its rings, one that stands cannot be armed. What the rings could not hold is
recorded as a gap once writing goes on.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from h2s2r_hw.bus.log.blocks import SUFFIX, Gap, Kind, LogAbout, encode_block, encode_gap
from h2s2r_hw.bus.records import ARM_LOG, HAND_LOG
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot, kind_of

#: Logger -> gateway (which refuses to arm where ``ok`` is 0 or the record is old), and whoever looks at the server.
LOG_STATUS: np.dtype[Any] = np.dtype(
    [
        ("number", "<i8"),  # grows with each write
        ("time_ns", "<i8"),  # of this write
        ("ok", "<i8"),  # 1: what the loops append reaches the disk
        ("free_bytes", "<i8"),  # on the disk
        ("error", "<i8"),  # errno of the last write that failed, 0 for none; ENOSPC also where the reserve is reached
        ("file", "<i8"),  # number of the file that is written
        ("bytes", "<i8"),  # written, in all files
        ("arm_rows", "<i8"),
        ("hand_rows", "<i8"),
        ("arm_lost", "<i8"),  # ticks recorded as gaps
        ("hand_lost", "<i8"),
        ("arm_waiting", "<i8"),  # records in the ring
        ("hand_waiting", "<i8"),
    ]
)
#: Gateway -> logger, through a ring: a remark for the log.
LOG_MARK: np.dtype[Any] = np.dtype([("time_ns", "<i8"), ("text", "S256")])
LAYOUTS = {"arm": kind_of(ARM_LOG), "hand": kind_of(HAND_LOG)}
_ROWS_PER_BLOCK = 1024
_SYNC_NS = 1_000_000_000
_PARTS = ((Kind.ARM, "arm"), (Kind.HAND, "hand"))


class Logger:
    """Writes one log.

    Args:
        folder: where its files go.
        about: what they say of themselves; ``layouts`` and ``file`` are filled in.
        arm: ring of ``ARM_LOG``.
        hand: ring of ``HAND_LOG``.
        status: slot of ``LOG_STATUS``.
        reserve: [bytes] left free on the disk.
        file_bytes: size after which the next file begins.
        free: [bytes] free at a path.
        closed: told each file that is complete.
        marks: ring of ``LOG_MARK``, if anybody makes remarks.
    """

    def __init__(
        self,
        folder: Path,
        about: LogAbout,
        arm: Ring,
        hand: Ring,
        status: Slot,
        reserve: int = 256 * 2**20,
        file_bytes: int = 256 * 2**20,
        free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
        closed: Callable[[Path], None] = lambda path: None,
        marks: Ring | None = None,
    ) -> None:
        self._folder, self._about = folder, replace(about, layouts=LAYOUTS)
        self._rings, self._status, self._marks = {Kind.ARM: arm, Kind.HAND: hand}, status, marks
        self._reserve, self._file_bytes, self._free, self._closed = reserve, file_bytes, free, closed
        self._stream: BinaryIO | None = None
        self._path = folder
        self._file = self._number = self._size = 0
        self._total = self._synced_ns = self._looked_ns = 0
        self._error = self._left = 0
        self._next: dict[Kind, int | None] = {Kind.ARM: None, Kind.HAND: None}
        self._rows, self._lost = {Kind.ARM: 0, Kind.HAND: 0}, {Kind.ARM: 0, Kind.HAND: 0}

    def step(self, now_ns: int) -> int:
        """Write what waits; returns how many records were. To be called several times a second, and never in a loop's process."""
        written = 0
        if self._room(now_ns):
            try:
                self._open()
                for kind in self._rings:
                    written += self._drain(kind)
                self._note()
                self._sync(now_ns)
                self._error = 0
            except OSError as error:
                self._error = error.errno or errno.EIO
                self._cut()
        self._tell(now_ns)
        return written

    def close(self, now_ns: int) -> None:
        """Write what waits, and the end."""
        while self.step(now_ns):
            pass
        if self._stream is not None and not self._error:
            for kind, ring in self._rings.items():
                self._gap(kind, ring.lost - self._lost[kind])
            self._finish(Kind.END)
        self._tell(now_ns)

    def _room(self, now_ns: int) -> bool:
        """Whether the reserve is untouched; looked at four times a second."""
        if now_ns - self._looked_ns >= _SYNC_NS // 4 or self._looked_ns == 0:
            self._looked_ns = now_ns
            try:
                self._left = self._free(self._folder)
            except OSError as error:
                self._left, self._error = 0, error.errno or errno.EIO
                return False
        if self._left < self._reserve:
            self._error = errno.ENOSPC
            return False
        return True

    def _open(self) -> None:
        if self._stream is not None:
            return
        self._path = self._folder / f"{self._about.started or 'log'}-{self._file:05}{SUFFIX}"
        self._stream = open(self._path, "xb", buffering=0)  # noqa: SIM115 - stays open until the file is full
        self._size = 0
        self._put(Kind.ABOUT, replace(self._about, file=self._file).payload())

    def _drain(self, kind: Kind) -> int:
        ring, written = self._rings[kind], 0
        while True:
            rows = ring.peek(_ROWS_PER_BLOCK)
            if not len(rows):
                return written
            rows = self._unbroken(kind, rows)
            self._put(kind, rows.tobytes())
            ring.skip(len(rows))
            self._next[kind] = int(rows["sequence"][-1]) + 1
            self._rows[kind] += len(rows)
            written += len(rows)
            if self._size >= self._file_bytes:
                self._finish(Kind.NEXT)
                self._open()

    def _note(self) -> None:
        """Write what somebody remarked, and when."""
        marks = self._marks
        for row in () if marks is None else marks.peek(marks.capacity):
            self._put(Kind.MARK, b"%.6f s: %s" % (int(row["time_ns"]) * 1e-9, bytes(row["text"])))
            if marks is not None:
                marks.skip(1)

    def _unbroken(self, kind: Kind, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The first of these rows whose numbers follow each other; what is missing before them is recorded first."""
        expected, first = self._next[kind], int(rows["sequence"][0])
        if expected is not None and first < expected:
            # The loop was started anew, and counts from the beginning.
            self._finish(Kind.NEXT)
            self._open()
        elif expected is not None and first > expected:
            self._next[kind] = first
            self._gap(kind, first - expected, expected)
        breaks = np.flatnonzero(np.diff(rows["sequence"]) != 1)
        return rows[: breaks[0] + 1] if len(breaks) else rows

    def _gap(self, kind: Kind, count: int, first: int | None = None) -> None:
        if count > 0:
            self._put(Kind.GAP, encode_gap(Gap(kind, (self._next[kind] or 0) if first is None else first, count)))
            self._lost[kind] += count

    def _put(self, kind: Kind, payload: bytes) -> None:
        """One whole block, or none."""
        assert self._stream is not None
        block = encode_block(kind, self._number, payload)
        if self._stream.write(block) != len(block):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._number, self._size, self._total = self._number + 1, self._size + len(block), self._total + len(block)

    def _cut(self) -> None:
        """Take back what was written of a block that failed."""
        if self._stream is None:
            return
        try:
            self._stream.truncate(self._size)
            self._stream.seek(self._size)
            if self._size == 0:
                self._stream.close()
                self._stream = None
                self._path.unlink()
        except OSError:
            # The reader stops at a damaged block; what follows goes into a new file.
            self._stream, self._file = None, self._file + 1

    def _finish(self, kind: Kind) -> None:
        assert self._stream is not None
        self._put(kind, b"")
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._stream, self._file = None, self._file + 1
        self._closed(self._path)

    def _sync(self, now_ns: int) -> None:
        if self._stream is not None and now_ns - self._synced_ns >= _SYNC_NS:
            os.fdatasync(self._stream.fileno())
            self._synced_ns = now_ns

    def _tell(self, now_ns: int) -> None:
        record = self._status.record
        record["number"] += 1
        record["time_ns"], record["ok"] = now_ns, int(self._error == 0)
        record["free_bytes"], record["error"] = self._left, self._error
        record["file"], record["bytes"] = self._file, self._total
        for kind, name in _PARTS:
            record[f"{name}_rows"], record[f"{name}_lost"] = self._rows[kind], self._lost[kind]
            record[f"{name}_waiting"] = self._rings[kind].waiting
        self._status.write()
