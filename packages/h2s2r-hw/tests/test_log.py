"""What the loops append reaches the disk whole, or is recorded as missing, whatever happens to reader, disk and process.

In:  rings, disks that are slow, full or broken.   Out: logs read back.
Not here: the logger's process (test_supervisor), messages (schemas).
"""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from h2s2r_hw.bus.log import LOG_MARK, LOG_STATUS, LogAbout, Logger, export_log, inspect_log, read_log
from h2s2r_hw.bus.log.blocks import Gap, Kind
from h2s2r_hw.bus.records import ARM_LOG, HAND_LOG, JOINT_NAMES
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot
from h2s2r_schemas.artifacts import MotionLog
from h2s2r_schemas.codec.files import load
from h2s2r_schemas.errors import H2S2RError, SchemaError

#: Joints of the robot in another order than the drivers'.
ROBOT = tuple(reversed(JOINT_NAMES))
ABOUT = LogAbout("iiwa14_allegro", "0123456789abcdef", ROBOT, emulated=True, started="a")


class Rig:
    """A logger with its rings."""

    def __init__(self, folder: Path, capacity: int = 1000, **more: object) -> None:
        self.folder = folder
        self.arm, self.hand, self.status = Ring(ARM_LOG, capacity), Ring(HAND_LOG, capacity), Slot(LOG_STATUS)
        self.marks = Ring(LOG_MARK, 8)
        more = {"reserve": 0, "marks": self.marks, **more}
        self.logger = Logger(folder, ABOUT, self.arm, self.hand, self.status, **more)  # type: ignore[arg-type]
        self.ticks = [0, 0]

    def live(self, seconds: float) -> None:
        """The arm ticks every 5 ms, the hand every 3 ms."""
        until = self.ticks[0] + round(seconds / 0.005)
        while self.ticks[0] < until:
            part = 0 if 5 * self.ticks[0] <= 3 * self.ticks[1] else 1
            ring, period = (self.arm, 5), (self.hand, 3)
            ring, period = (ring, period)[part]
            record, tick = ring.record, self.ticks[part]
            record["sequence"], record["time_ns"] = tick, tick * period * 1_000_000
            record["command_sequence"], record["clamped"] = tick // 10, 1 << tick % 7
            for name in ("joint_pos", "joint_pos_asked", "joint_pos_target", "joint_vel"):
                record[name] = np.arange(len(record[name])) + tick
            ring.append()
            self.ticks[part] += 1

    def step(self) -> dict[str, int]:
        self.logger.step(self.ticks[0] * 5_000_000)
        return {name: int(self.status.record[name]) for name in LOG_STATUS.names}

    def close(self) -> None:
        self.logger.close(self.ticks[0] * 5_000_000)


def test_a_ring_keeps_order_and_counts_what_found_no_place():
    ring = Ring(np.dtype([("n", "<i8")]), 5)
    reader = Ring(np.dtype([("n", "<i8")]), 5, ring.buffer)
    for number in range(7):
        ring.record["n"] = number
        assert ring.append() == (number < 5)
    assert (reader.waiting, reader.lost) == (5, 2)
    assert reader.peek(3)["n"].tolist() == [0, 1, 2]
    reader.skip(3)
    for number in range(7, 10):
        ring.record["n"] = number
        assert ring.append()
    assert reader.peek(99)["n"].tolist() == [3, 4, 7, 8, 9]
    reader.skip(99)
    assert reader.peek(99)["n"].tolist() == []
    assert not ring.lost - 2


def test_a_ring_of_another_layout_or_too_small_a_buffer_is_refused():
    ring = Ring(ARM_LOG, 2)
    with pytest.raises(H2S2RError, match="another layout"):
        Ring(np.dtype([("n", "<i8")]), 2, ring.buffer)
    with pytest.raises(H2S2RError, match="needs"):
        Ring(ARM_LOG, 3, ring.buffer)


def test_every_tick_is_in_the_log(tmp_path):
    rig = Rig(tmp_path)
    for _ in range(10):
        rig.live(0.1)
        status = rig.step()
    assert status["ok"] and (status["arm_rows"], status["hand_rows"]) == (200, rig.ticks[1])
    rig.close()
    report = inspect_log(tmp_path)
    assert report.rows == {Kind.ARM: 200, Kind.HAND: rig.ticks[1]}
    assert report.lossless and report.ended and report.seconds == pytest.approx(0.995)
    rows = np.concatenate([rows for kind, rows in read_log(tmp_path) if kind is Kind.ARM])
    assert rows["sequence"].tolist() == list(range(200))
    assert rows["joint_pos"][7].tolist() == [7.0 + joint for joint in range(7)]


def test_a_log_goes_on_from_file_to_file(tmp_path):
    closed: list[Path] = []
    rig = Rig(tmp_path, file_bytes=200_000, closed=closed.append)
    for _ in range(10):
        rig.live(0.2)
        rig.step()
    rig.close()
    report = inspect_log(tmp_path)
    assert report.files == len(closed) > 3 and report.lossless and report.rows[Kind.ARM] == 400
    closed[1].unlink()
    assert any("block" in each for each in inspect_log(tmp_path).wrong)


def test_a_reader_that_is_too_slow_leaves_a_gap_that_says_what_is_missing(tmp_path):
    rig = Rig(tmp_path, capacity=100)
    rig.live(0.2)
    rig.step()
    rig.live(1.0)
    rig.step()
    rig.live(0.2)
    rig.step()
    rig.close()
    report = inspect_log(tmp_path)
    assert Gap(Kind.ARM, 140, 100) in report.gaps
    assert not report.wrong and report.ended and not report.lossless
    assert report.lost == rig.arm.lost + rig.hand.lost
    assert report.rows[Kind.ARM] + 100 == rig.ticks[0]


def test_a_gap_at_the_very_end_is_recorded_too(tmp_path):
    rig = Rig(tmp_path, capacity=100)
    rig.live(1.0)
    rig.close()
    report = inspect_log(tmp_path)
    assert Gap(Kind.ARM, 100, 100) in report.gaps and report.rows[Kind.ARM] == 100


def test_a_disk_at_its_reserve_is_not_filled_and_goes_on_later(tmp_path):
    left = [10_000]
    rig = Rig(tmp_path, reserve=5000, free=lambda path: left[0])
    rig.live(0.3)
    assert rig.step()["ok"]
    left[0] = 4999
    rig.live(0.3)
    status = rig.step()
    assert (status["ok"], status["error"], status["arm_rows"]) == (0, errno.ENOSPC, 60)
    assert status["arm_waiting"] == 60
    left[0] = 10_000
    rig.live(0.3)
    assert rig.step()["ok"]
    rig.close()
    assert inspect_log(tmp_path).lossless


class Broken:
    """A file on a disk that is full after some bytes."""

    def __init__(self, stream, room):
        self.stream, self.room = stream, room

    def write(self, data):
        if len(data) > self.room:
            self.stream.write(data[: self.room])
            raise OSError(errno.ENOSPC, "full")
        self.room -= len(data)
        return self.stream.write(data)

    def __getattr__(self, name):
        return getattr(self.stream, name)


def test_a_block_that_is_cut_by_a_full_disk_is_taken_back(tmp_path):
    rig = Rig(tmp_path)
    rig.live(0.1)
    rig.step()
    whole = rig.logger._stream
    rig.logger._stream = Broken(whole, 5000)  # type: ignore[assignment]
    rig.live(0.3)
    status = rig.step()
    assert (status["ok"], status["error"]) == (0, errno.ENOSPC)
    rig.logger._stream = whole
    rig.live(0.1)
    assert rig.step()["ok"]
    rig.close()
    report = inspect_log(tmp_path)
    assert report.lossless and report.rows == {Kind.ARM: rig.ticks[0], Kind.HAND: rig.ticks[1]}


def test_a_logger_without_a_folder_says_so_and_loses_nothing_meanwhile(tmp_path):
    rig = Rig(tmp_path / "later")
    rig.live(0.1)
    assert (rig.step()["ok"], rig.step()["error"]) == (0, errno.ENOENT)
    (tmp_path / "later").mkdir()
    rig.live(0.3)
    assert rig.step()["ok"]
    rig.close()
    assert inspect_log(tmp_path / "later").lossless


def test_a_killed_server_leaves_a_log_that_is_whole_up_to_then(tmp_path):
    rig = Rig(tmp_path)
    rig.live(0.3)
    rig.step()
    (file,) = tmp_path.iterdir()
    whole = inspect_log(tmp_path)
    assert whole.lossless and not whole.ended
    with open(file, "ab") as stream:
        stream.write(b"H2L1 half a block")
    cut = inspect_log(tmp_path)
    assert cut.rows == whole.rows and "damaged or cut" in cut.wrong[0]


def test_a_flipped_bit_is_noticed(tmp_path):
    rig = Rig(tmp_path)
    for _ in range(5):
        rig.live(0.1)
        rig.step()
    rig.close()
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert "damaged" in inspect_log(tmp_path).wrong[0]


def test_a_loop_that_starts_anew_begins_a_new_file(tmp_path):
    rig = Rig(tmp_path)
    rig.live(0.2)
    rig.step()
    rig.ticks = [0, 0]
    rig.live(0.2)
    rig.step()
    rig.close()
    report = inspect_log(tmp_path)
    assert (report.restarts, report.wrong, report.rows[Kind.ARM]) == (2, [], 80)
    with pytest.raises(SchemaError, match="started anew"):
        export_log(tmp_path, tmp_path / "out.h2s2r", "arm")


def test_export_gives_every_tick_of_a_part_and_all_joints_of_the_robot(tmp_path):
    rig = Rig(tmp_path)
    for _ in range(7):
        rig.live(0.15)
        rig.step()
    rig.marks.record["time_ns"], rig.marks.record["text"] = 1_500_000_000, "hello"
    rig.marks.append()
    rig.close()
    assert export_log(tmp_path, tmp_path / "arm.h2s2r", "arm") == rig.ticks[0]
    arm = load(tmp_path / "arm.h2s2r", MotionLog)
    assert arm.sequence.tolist() == list(range(rig.ticks[0]))
    assert arm.clamped[3].tolist() == [joint == 3 for joint in range(7)]
    assert export_log(tmp_path, tmp_path / "hand.h2s2r", "hand", "success") == rig.ticks[1]
    hand = load(tmp_path / "hand.h2s2r", MotionLog)
    assert (len(hand.joint_names), hand.outcome) == (16, "success")
    assert export_log(tmp_path, tmp_path / "robot.h2s2r") == rig.ticks[0]
    robot = load(tmp_path / "robot.h2s2r", MotionLog)
    assert robot.joint_names == ROBOT
    for tick in (0, 20, 100):
        # The hand's last tick at or before that of the arm; driver order is the robot's reversed.
        fingers = tick * 5 // 3
        expected = [tick + joint for joint in range(7)] + [fingers + joint for joint in range(16)]
        assert robot.joint_pos[tick].tolist() == expected[::-1]
    assert inspect_log(tmp_path).marks == ["1.500000 s: hello"]
    with pytest.raises(SchemaError, match="no part"):
        export_log(tmp_path, tmp_path / "x", "leg")


def test_what_is_no_log_is_refused(tmp_path):
    with pytest.raises(SchemaError, match="expected"):
        inspect_log(tmp_path)
    (tmp_path / "a-00000.h2log").write_bytes(b"")
    with pytest.raises(SchemaError, match="no log"):
        inspect_log(tmp_path)
