"""Messages as files: whole, hashed, streamed, and never half-written.

In:  examples and long logs.   Out: equality, bounded memory, the right ``SchemaError``.
Not here: bytes without a file (test_encoding), recordings (test_demo).
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from h2s2r_schemas.artifacts import MotionLog, ObjectTrajectory
from h2s2r_schemas.codec import files, iter_load, load, open_writer, save, whole_file, write_whole
from h2s2r_schemas.codec.files import content_hash
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


def test_optional_rows_are_joined_too_and_none_stays_none(tmp_path):
    temperature = np.full((3, 23), np.nan)
    parts = [stretch(start, 3).replace(joint_temperature=temperature + start) for start in (0, 3)]
    with open_writer(tmp_path / "log.h2s") as writer:
        for part in parts:
            writer.append(part)
    whole = load(tmp_path / "log.h2s", MotionLog)
    assert whole.joint_temperature.shape == (6, 23)
    assert whole.joint_current is None
    with open_writer(tmp_path / "log.h2s") as writer:
        writer.append(parts[0])
        writer.append(parts[1].replace(joint_temperature=None))
    with pytest.raises(SchemaError, match="joint_temperature differs between stretches"):
        load(tmp_path / "log.h2s")


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


def test_a_wrong_number_of_messages_is_found_although_the_hash_fits(tmp_path):
    path = tmp_path / "x.h2s"
    save(EXAMPLES["Symmetry"], path)
    content = path.read_bytes()[:-40] + (2).to_bytes(8, "little")
    path.write_bytes(content + hashlib.sha256(content).digest())
    with pytest.raises(SchemaError, match="damaged"):
        load(path)


def test_a_wrong_class_is_named(tmp_path):
    save(EXAMPLES["Scene"], tmp_path / "x.h2s")
    with pytest.raises(SchemaError, match="This is a Scene; a ObjectTrajectory is wanted here"):
        load(tmp_path / "x.h2s", ObjectTrajectory)


def test_a_damaged_message_names_its_file_and_place(tmp_path):
    path = tmp_path / "log.h2s"
    with open_writer(path) as writer:
        writer.append(stretch(0, 3))
        writer.append(stretch(3, 3))
    blob = bytearray(path.read_bytes())
    blob[blob.rindex(b"joint_pos_asked")] ^= 1
    path.write_bytes(blob)
    with pytest.raises(SchemaError, match=r"log\.h2s, message 1: A field of MotionLog is 'koint_pos_asked'"):
        load(path)


@pytest.mark.requirement("H03")
def test_the_content_hash_is_that_of_the_content(tmp_path):
    path = tmp_path / "x.h2s"
    stored = save(EXAMPLES["TaskSpec"], path)
    assert stored == content_hash(path) == hashlib.sha256(path.read_bytes()[:-32]).hexdigest()
    assert save(EXAMPLES["TaskSpec"].replace(name="other"), path) != stored
    path.write_bytes(path.read_bytes()[:-40] + path.read_bytes()[-32:])
    with pytest.raises(SchemaError):
        content_hash(path)


def test_what_could_not_be_read_back_is_not_saved(tmp_path):
    # Each shape is small, and valid; all together are more entries than decode takes.
    shape = EXAMPLES["Shape"]
    body = EXAMPLES["SceneBody"].replace(shapes=(shape,) * 500)
    crowded = EXAMPLES["Scene"].replace(bodies=[body.replace(name="table" if i == 0 else f"b{i}") for i in range(30)])
    save(EXAMPLES["Scene"], tmp_path / "x.h2s")
    with pytest.raises(SchemaError, match="A message of more than 65536 entries"):
        save(crowded, tmp_path / "x.h2s")
    assert load(tmp_path / "x.h2s") == EXAMPLES["Scene"]


def test_a_message_over_the_block_limit_is_refused_when_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BLOCK", 1000)
    with pytest.raises(SchemaError, match="at most 1000 are allowed"):
        save(object_trajectory(100), tmp_path / "x.h2s")
    assert os.listdir(tmp_path) == []


def test_permissions_are_those_of_any_new_file(tmp_path, request):
    request.addfinalizer(functools.partial(os.umask, os.umask(0o022)))
    save(EXAMPLES["Scene"], tmp_path / "x.h2s")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "x.h2s").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*missing to save x\.h2s in: make it first"):
        save(EXAMPLES["Scene"], tmp_path / "missing" / "x.h2s")


def test_a_log_whose_append_was_cut_off_is_never_finished(tmp_path, monkeypatch):
    path = tmp_path / "log.h2s"

    class Full:
        """A stream on a disk that fills up after some bytes."""

        def __init__(self, stream):
            self.stream, self.room = stream, 5000

        def write(self, data):
            self.stream.write(data[: self.room])
            self.room -= len(data)
            if self.room < 0:
                raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="could not be written"), open_writer(path) as writer:
        writer.append(stretch(0, 1))
        monkeypatch.setattr(writer, "_stream", Full(writer._stream))
        with pytest.raises(OSError, match="No space left"):
            writer.append(stretch(1, 50))
        # A caller that goes on regardless gets no file, rather than a file that cannot be read.
    assert os.listdir(tmp_path) == []


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


def test_the_content_is_durable_before_its_name_is(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(files.os, name, lambda *a, _name=name, _real=real: (calls.append(_name), _real(*a)))
    save(EXAMPLES["Scene"], tmp_path / "x.h2s")
    assert calls == ["fsync", "replace", "fsync"]


def test_kills_leave_the_old_file_or_the_new_one():
    counts = save_kills(points=20, seed=3)
    assert counts["save_losses"] == 0
    # Open, three writes, flush, fsync, replace and the folder's fsync, before and after each: fewer were not counted.
    assert counts["save_steps"] >= 16
    assert counts["save_found_old"] + counts["save_found_new"] == 20 + counts["save_steps"]
    assert min(counts["save_found_old"], counts["save_found_new"]) > 0


def test_a_file_may_hold_a_longer_message_than_the_wire(tmp_path):
    long = object_trajectory(100_000)
    save(long, tmp_path / "long.h2s")
    assert load(tmp_path / "long.h2s") == long


def test_a_file_is_read_without_importing_its_class_first(tmp_path):
    save(EXAMPLES["Fault"], tmp_path / "x.h2s")
    code = "import sys; from h2s2r_schemas.codec import load; sys.stdout.write(type(load(sys.argv[1])).__name__)"
    command = [sys.executable, "-c", code, str(tmp_path / "x.h2s")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "Fault"


def test_other_files_are_written_whole_too(tmp_path):
    path = tmp_path / "notes.txt"
    write_whole(path, b"old")
    with pytest.raises(ValueError, match="stop"), whole_file(path) as stream:
        stream.write(b"half of the n")
        raise ValueError("stop")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["notes.txt"]
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
