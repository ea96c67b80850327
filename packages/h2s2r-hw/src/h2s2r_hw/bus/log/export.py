"""A log as the message that everybody else reads.

In:  a log.   Out: ``MotionLog`` files.
Not here: the log's own bytes (blocks, reader).

``arm`` and ``hand`` give every tick of one device, with its joints. ``robot`` gives all joints in the robot's order at each
tick of the arm, the hand's as of its last tick before: for those who want one table and can do without the hand's other ticks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus.log.blocks import Kind, LogAbout
from h2s2r_hw.bus.log.reader import DTYPES, log_files, read_about, read_log
from h2s2r_hw.bus.records import JOINT_NAMES, NUM_ARM, NUM_HAND, NUM_JOINTS
from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINT_NAMES
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINT_NAMES
from h2s2r_schemas.artifacts import LogContext, MotionLog
from h2s2r_schemas.codec.files import open_writer
from h2s2r_schemas.errors import SchemaError

PARTS = ("arm", "hand", "robot")
_FIELDS = (
    "joint_pos_asked",
    "joint_pos_target",
    "joint_pos",
    "joint_vel",
    "joint_torque",
    "joint_torque_sent",
    "joint_residual",
)
#: Rows in one stretch of a file.
_STRETCH = 20_000
Rows = np.ndarray[Any, Any]


def export_log(path: Path, out: Path, part: str = "robot", outcome: str = "unknown") -> int:
    """Write a log, or one device's part of it, as a ``MotionLog``; returns its number of rows.

    Args:
        path: a file of the log, or the folder of the only one.
        out: the file to write.
        part: one of ``PARTS``.
        outcome: how the motion ended, where somebody knows: ``success`` or ``failure``.

    Raises:
        SchemaError: no log is there; no such part; a loop was started anew within it, so that ticks are numbered twice.
        OSError: ``out`` cannot be written.
    """
    if part not in PARTS:
        raise SchemaError(f"There is no part {part!r}; there are: {', '.join(PARTS)}.")
    about = read_about(log_files(path)[0])
    count, last = 0, -1
    with open_writer(out) as writer:
        for rows, joint_names in _stretches(path, part, about):
            if int(rows["sequence"][0]) <= last:
                raise SchemaError(f"{path}: a loop was started anew in this log; export its files one by one.")
            last = int(rows["sequence"][-1])
            writer.append(_message(rows, joint_names, about, outcome))
            count += len(rows)
        if not count:
            raise SchemaError(f"{path} holds no tick of the {part}.")
    return count


def _stretches(path: Path, part: str, about: LogAbout) -> Iterator[tuple[Rows, tuple[str, ...]]]:
    """Rows, enough of them at a time to make a stretch worth while, and the order of their joints."""
    if part == "robot":
        blocks, names = _together(path, about), about.joint_names
    else:
        wanted = Kind.ARM if part == "arm" else Kind.HAND
        blocks = (rows for kind, rows in read_log(path) if kind is wanted)
        names = ARM_JOINT_NAMES if part == "arm" else HAND_JOINT_NAMES
    kept: list[Rows] = []
    for rows in blocks:
        kept.append(rows)
        restarted = len(kept) > 1 and int(rows["sequence"][0]) <= int(kept[-2]["sequence"][-1])
        if restarted or sum(map(len, kept)) >= _STRETCH:
            yield from ((each, names) for each in (kept if restarted else [np.concatenate(kept)]))
            kept = []
    if kept:
        yield np.concatenate(kept), names


def _together(path: Path, about: LogAbout) -> Iterator[Rows]:
    """Rows of the arm with all joints, in the robot's order.

    The logger writes what waits of one part, then of the other: rows of the arm are kept until the hand's are known as far.
    """
    columns = np.array([JOINT_NAMES.index(name) for name in about.joint_names])
    arm: Rows = np.zeros(0, DTYPES[Kind.ARM])
    hand: Rows = np.zeros(0, DTYPES[Kind.HAND])
    for kind, rows in read_log(path):
        if kind is Kind.ARM:
            arm = _longer(arm, rows)
            ready = max(0, len(arm) - _STRETCH)
        else:
            hand = _longer(hand, rows)
            ready = _until(arm, hand["time_ns"][-1])
        if ready:
            yield _joined(arm[:ready], hand, columns)
            kept = _until(hand, arm["time_ns"][ready - 1]) - 1
            arm, hand = arm[ready:], hand[max(0, kept) :]
    if len(arm):
        yield _joined(arm, hand, columns)


def _longer(before: Rows, rows: Rows) -> Rows:
    return np.concatenate((before, rows))


def _until(rows: Rows, time_ns: int) -> int:
    """How many rows are of that time or earlier."""
    return int(np.count_nonzero(rows["time_ns"] <= time_ns))


def _joined(arm: Rows, hand: Rows, columns: np.ndarray[Any, Any]) -> Rows:
    """(N) rows of the arm with the hand's newest at each; zeros before its first."""
    kinds = [(name, "<i8") for name in ("sequence", "time_ns", "state", "command_sequence")]
    fields = [(name, "<f8", (len(columns),)) for name in _FIELDS]
    layout: Any = np.dtype([*kinds, ("joint_clamped", "?", (len(columns),)), *fields])
    both: Rows = np.zeros(len(arm), layout)
    for name, _ in kinds:
        both[name] = arm[name]
    newest = np.searchsorted(hand["time_ns"], arm["time_ns"], side="right") - 1
    known = newest >= 0
    for name in (*_FIELDS, "clamped"):
        values = np.zeros((len(arm), NUM_JOINTS))
        values[:, :NUM_ARM] = _bits(arm[name], NUM_ARM) if name == "clamped" else arm[name]
        of_hand = hand[name][newest[known]]
        values[known, NUM_ARM:] = _bits(of_hand, NUM_HAND) if name == "clamped" else of_hand
        both["joint_clamped" if name == "clamped" else name] = values[:, columns]
    return both


def _bits(masks: np.ndarray[Any, Any], joints: int) -> np.ndarray[Any, Any]:
    return (masks[:, None] >> np.arange(joints)) & 1 == 1


def _message(rows: Rows, joint_names: tuple[str, ...], about: LogAbout, outcome: str) -> MotionLog:
    names = rows.dtype.names or ()
    clamped = rows["joint_clamped"] if "joint_clamped" in names else _bits(rows["clamped"], len(joint_names))
    return MotionLog(
        robot_name=about.robot_name,
        robot_hash=about.robot_hash,
        joint_names=joint_names,
        emulated=about.emulated,
        context=LogContext(labels=about.labels),
        sequence=rows["sequence"],
        time=rows["time_ns"] * 1e-9,
        server_state=rows["state"].astype(np.uint8),
        command_sequence=rows["command_sequence"],
        clamped=clamped,
        joint_temperature=None,
        joint_current=None,
        outcome=outcome,
        **{name: rows[name] for name in _FIELDS},
    )
