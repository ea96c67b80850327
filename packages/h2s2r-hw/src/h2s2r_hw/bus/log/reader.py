"""Read a log back, and say what is missing in it.

In:  a file or folder of a log.   Out: its blocks; ``LogReport``.
Not here: ``MotionLog`` (export).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus.log.blocks import SUFFIX, Block, Gap, Kind, LogAbout, decode_block, decode_gap
from h2s2r_hw.bus.log.logger import LAYOUTS
from h2s2r_hw.bus.records import ARM_LOG, HAND_LOG
from h2s2r_schemas.errors import SchemaError

DTYPES = {Kind.ARM: ARM_LOG, Kind.HAND: HAND_LOG}


@dataclass
class LogReport:
    """What is in a log, and what is not."""

    about: LogAbout
    """As its first file says."""
    files: int = 0
    """Files of it."""
    rows: dict[Kind, int] = field(default_factory=lambda: {Kind.ARM: 0, Kind.HAND: 0})
    """Ticks in it."""
    first: dict[Kind, int] = field(default_factory=dict[Kind, int])
    """Number of the first tick."""
    last: dict[Kind, int] = field(default_factory=dict[Kind, int])
    """Number of the last one."""
    seconds: float = 0.0
    """[s] from the first to the last tick."""
    gaps: list[Gap] = field(default_factory=list[Gap])
    """Ticks that the logger knew it lost."""
    marks: list[str] = field(default_factory=list[str])
    """Remarks."""
    restarts: int = 0
    """Times that a loop began to count anew."""
    wrong: list[str] = field(default_factory=list[str])
    """What should not be: damaged blocks, missing files, ticks missing without a gap. Empty for a log that can be trusted."""
    next_block: int | None = None
    """Number that the next block must have; none before the first."""
    ended: bool = False
    """Whether the log was closed; one of a server that was killed is not."""

    @property
    def lost(self) -> int:
        """Ticks lost, of both parts."""
        return sum(gap.ticks for gap in self.gaps)

    @property
    def lossless(self) -> bool:
        """Whether every tick from the first to the last is there."""
        return not self.gaps and not self.wrong


def log_files(path: Path) -> list[Path]:
    """All files of the log to which a file belongs, or of the only log in a folder.

    Raises:
        SchemaError: there is none, or several.
    """
    folder = path if path.is_dir() else path.parent
    logs: dict[str, list[Path]] = {}
    for found in sorted(folder.glob(f"*{SUFFIX}")):
        logs.setdefault(found.name.rpartition("-")[0], []).append(found)
    wanted = list(logs) if path.is_dir() else [path.name.rpartition("-")[0]]
    if len(wanted) != 1 or wanted[0] not in logs or not path.exists():
        raise SchemaError(f"{path}: a file of a log is expected, or a folder with one log; found: {sorted(logs)}.")
    return logs[wanted[0]]


def read_blocks(path: Path, wrong: list[str]) -> Iterator[Block]:
    """The blocks of one file up to a damaged one, which is added to ``wrong``."""
    with open(path, "rb") as stream:
        if not path.stat().st_size:
            wrong.append(f"{path.name} is empty")
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            at = 0
            while at < len(data):
                with data[at:] as rest:
                    found = decode_block(rest)
                if found is None:
                    wrong.append(f"{path.name} is damaged or cut at byte {at} of {len(data)}")
                    return
                block, length = found
                at += length
                yield block


def read_file(file: Path, report: LogReport) -> Iterator[tuple[Kind, np.ndarray[Any, Any]]]:
    """The ticks in one file, after those that the report knows already."""
    report.files, report.ended = report.files + 1, False
    for block in read_blocks(file, report.wrong):
        if report.next_block is not None and block.number != report.next_block:
            report.wrong.append(f"{file.name}: block {block.number} comes where {report.next_block} should")
        report.next_block = block.number + 1
        report.ended = block.kind is Kind.END
        rows = _take(report, block)
        if rows is not None:
            yield block.kind, rows


def read_log(path: Path, report: LogReport | None = None) -> Iterator[tuple[Kind, np.ndarray[Any, Any]]]:
    """All ticks in the order in which they were written: which part, and (N) records of ``ARM_LOG`` or ``HAND_LOG``.

    Args:
        path: as for ``log_files``.
        report: filled in on the way, if given.

    Raises:
        SchemaError: no log is there, or one of another version.
    """
    files = log_files(path)
    report = report or LogReport(read_about(files[0]))
    for file in files:
        yield from read_file(file, report)


def read_about(file: Path) -> LogAbout:
    """What a file says of itself.

    Raises:
        SchemaError: it is no log, or its records have another layout.
    """
    wrong: list[str] = []
    for block in read_blocks(file, wrong):
        if block.kind is Kind.ABOUT:
            about = LogAbout.read(block.payload)
            if dict(about.layouts) != LAYOUTS:
                raise SchemaError(f"{file} was written by another version ({about.server}): read it with that one.")
            return about
        break
    raise SchemaError(f"{file} is no log of this server{''.join(': ' + each for each in wrong)}.")


def inspect_log(path: Path) -> LogReport:
    """Read all of a log.

    Raises:
        SchemaError: no log is there, or one of another version.
    """
    report = LogReport(read_about(log_files(path)[0]))
    first_ns: list[int] = []
    last_ns: list[int] = []
    for _, rows in read_log(path, report):
        first_ns.append(int(rows["time_ns"][0]))
        last_ns.append(int(rows["time_ns"][-1]))
    report.seconds = (max(last_ns) - min(first_ns)) * 1e-9 if first_ns else 0.0
    return report


def _take(report: LogReport, block: Block) -> np.ndarray[Any, Any] | None:
    if block.kind is Kind.GAP:
        report.gaps.append(decode_gap(block.payload))
    elif block.kind is Kind.MARK:
        report.marks.append(block.payload.decode(errors="replace"))
    if block.kind not in DTYPES:
        return None
    kind, rows = block.kind, np.frombuffer(block.payload, DTYPES[block.kind])
    first, last = int(rows["sequence"][0]), int(rows["sequence"][-1])
    before = report.last.get(kind)
    if before is not None and first <= before:
        report.restarts += 1
    elif before is not None:
        known = sum(gap.ticks for gap in report.gaps if gap.part is kind and before < gap.first < first)
        if first - before - 1 != known:
            report.wrong.append(f"{kind.name.lower()} ticks {before + 1} to {first - 1} are missing without a word")
    if last - first + 1 != len(rows):
        report.wrong.append(f"{kind.name.lower()} ticks within {first} to {last} are missing without a word")
    report.first.setdefault(kind, first)
    report.last[kind] = last
    report.rows[kind] += len(rows)
    return rows
