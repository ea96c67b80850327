"""Messages as files: whole, hashed, streamed, and never half-written.

In:  examples and long logs.   Out: equality, bounded memory, the right ``SchemaError``.
Not here: bytes without a file (test_encoding), recordings (test_demo).
"""

from __future__ import annotations

import errno
import os
import tracemalloc

import numpy as np
import pytest

from h2s2r_schemas.artifacts import MotionLog, ObjectTrajectory
from h2s2r_schemas.codec import files, iter_load, load, open_writer, save
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.kills import save_kills
from h2s2r_schemas.testing.paths import object_trajectory

EXAMPLES = examples()


def stretch(start: int, rows: int) -> MotionLog:
    """Rows ``start`` to ``start + rows`` of a 23-joint log at 200 Hz."""
    ticks = np.arange(start, start + rows)
    table = np.outer(ticks, np.ones(23)) * 1e-6
    return EXAMPLES["MotionLog"].replace(
        joint_names=[f"j{i}" for i in range(23)],
        sequence=ticks,
        time=ticks / 200.0,
        server_state=np.full(rows, 5, np.uint8),
        command_sequence=ticks,
        clamped=np.zeros((rows, 23), bool),
        joint_temperature=None,
        **{
            f"joint_{name}": table
            for name in ("pos_asked", "pos_target", "pos", "vel", "torque", "torque_sent", "residual")
        },
    )


@pytest.mark.requirement("H03")
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_round_trip(name, tmp_path):
    save(EXAMPLES[name], tmp_path / "x.h2s")
    assert load(tmp_path / "x.h2s") == EXAMPLES[name]
    assert load(tmp_path / "x.h2s", type(EXAMPLES[name])) == EXAMPLES[name]
    assert os.listdir(tmp_path) == ["x.h2s"]


def test_same_message_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(EXAMPLES["TaskSpec"], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_stretches_of_a_log_are_joined(tmp_path):
    with open_writer(tmp_path / "log.h2s") as writer:
        for start in range(0, 500, 100):
            writer.append(stretch(start, 100))
    assert load(tmp_path / "log.h2s", MotionLog) == stretch(0, 500)
    assert [len(part.time) for part in iter_load(tmp_path / "log.h2s", MotionLog)] == [100] * 5


def test_a_ten_minute_log_needs_no_ten_minutes_of_memory(tmp_path):
    rows_per_stretch, stretches = 1000, 120  # 120,000 ticks: ten minutes at 200 Hz
    tracemalloc.start()
    with open_writer(tmp_path / "log.h2s") as writer:
        for i in range(stretches):
            writer.append(stretch(i * rows_per_stretch, rows_per_stretch))
    rows = sum(len(part.time) for part in iter_load(tmp_path / "log.h2s", MotionLog))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = (tmp_path / "log.h2s").stat().st_size
    assert rows == rows_per_stretch * stretches
    assert size > 100 * 2**20
    assert peak < size / 10


def test_what_cannot_be_joined_is_refused(tmp_path):
    path = tmp_path / "x.h2s"
    with pytest.raises(SchemaError, match="cannot be appended"), open_writer(path) as writer:
        writer.append(EXAMPLES["HandPose"])
        writer.append(EXAMPLES["Scene"])
    assert not path.exists()
    with open_writer(path) as writer:
        writer.append(EXAMPLES["HandPose"])
        writer.append(EXAMPLES["HandPose"])
    with pytest.raises(SchemaError, match="is not a log"):
        load(path)
    with open_writer(path) as writer:
        writer.append(stretch(0, 3))
        writer.append(stretch(3, 3).replace(robot_name="other"))
    with pytest.raises(SchemaError, match="robot_name differs between stretches"):
        load(path)
    with open_writer(path):
        pass
    with pytest.raises(SchemaError, match="holds no message"):
        load(path)


def test_damage_anywhere_is_found(tmp_path):
    path = tmp_path / "x.h2s"
    save(EXAMPLES["ObjectTrajectory"], path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in [*range(0, 24), *rng.integers(0, len(good), 100), *range(len(good) - 48, len(good))]:
        damaged = bytearray(good)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(SchemaError):
            load(path)
    for cut in (0, 4, 8, 12, 100, len(good) - 32, len(good) - 1):
        path.write_bytes(good[:cut])
        with pytest.raises(SchemaError):
            load(path)
    path.write_bytes(good + b"\0")
    with pytest.raises(SchemaError, match="damaged"):
        load(path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + good)
    with pytest.raises(SchemaError, match="not an h2s2r file"):
        load(path)


def test_a_wrong_class_is_named(tmp_path):
    save(EXAMPLES["Scene"], tmp_path / "x.h2s")
    with pytest.raises(SchemaError, match="This is a Scene; a ObjectTrajectory is wanted here"):
        load(tmp_path / "x.h2s", ObjectTrajectory)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(failing, tmp_path, monkeypatch):
    path = tmp_path / "x.h2s"
    save(EXAMPLES["HandPose"], path)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, failing, full)
    with pytest.raises(OSError, match="No space left"):
        save(EXAMPLES["Scene"], path)
    monkeypatch.undo()
    assert load(path) == EXAMPLES["HandPose"]
    assert os.listdir(tmp_path) == ["x.h2s"]


def test_kills_leave_the_old_file_or_the_new_one():
    counts = save_kills(points=12, seed=3)
    assert counts["save_losses"] == 0
    assert counts["save_found_old"] + counts["save_found_new"] == 12


def test_a_file_may_hold_a_longer_message_than_the_wire(tmp_path):
    long = object_trajectory(100_000)
    save(long, tmp_path / "long.h2s")
    assert load(tmp_path / "long.h2s") == long
