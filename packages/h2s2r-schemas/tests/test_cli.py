"""``h2s2r-schemas inspect``: says what a file or a recording is, and refuses what it cannot read in one line.

In:  files and recordings made here.   Out: text, JSON, exit status.
Not here: the checks themselves (test_files, test_demo).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc

import msgpack
import numpy as np
import pytest

from h2s2r_schemas.cli import main
from h2s2r_schemas.codec import encode, open_writer, save
from h2s2r_schemas.codec.files import content_hash
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.recordings import record_tiny, tiny_meta

EXAMPLES = examples()


def inspected(path, capsys):
    assert main(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def lines(path, capsys):
    assert main(["inspect", str(path)]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.requirement("H03")
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_message_can_be_inspected(name, tmp_path, capsys):
    save(EXAMPLES[name], tmp_path / "x.h2s")
    found = inspected(tmp_path / "x.h2s", capsys)
    assert (found["what"], found["schema"], found["version"]) == (name, EXAMPLES[name].schema, EXAMPLES[name].version)
    assert found["producer"].startswith("h2s2r-schemas ")
    assert (found["stretches"], found["bytes"]) == (1, (tmp_path / "x.h2s").stat().st_size)
    assert found["sha256"] == content_hash(tmp_path / "x.h2s")
    assert list(found["fields"]) == list(EXAMPLES[name].specs)
    assert f"what {name}" in lines(tmp_path / "x.h2s", capsys)


def test_the_producer_is_the_one_that_wrote_the_file(tmp_path, capsys):
    with open_writer(tmp_path / "x.h2s") as writer:
        data = msgpack.unpackb(encode(EXAMPLES["Symmetry"]))
        other = msgpack.packb({**data, "producer": "h2s2r-schemas 0.0.9"})
        writer._put(len(other).to_bytes(8, "little"), other)
        writer._count = 1
    assert inspected(tmp_path / "x.h2s", capsys)["producer"] == "h2s2r-schemas 0.0.9"


def test_ranges_units_and_missing_values_are_told(tmp_path, capsys):
    save(EXAMPLES["HandTrajectory"], tmp_path / "x.h2s")
    fields = inspected(tmp_path / "x.h2s", capsys)["fields"]
    keypoints = fields["p_world_keypoints"]
    assert (keypoints["dtype"], keypoints["shape"], keypoints["dims"]) == ("float64", [3, 21, 3], ["T", 21, 3])
    assert (keypoints["unit"], keypoints["nan"], keypoints["infinite"]) == ("m", 63, 0)
    assert (keypoints["min"], keypoints["max"]) == (pytest.approx(0.4), pytest.approx(1.02))
    assert fields["lost"]["true"] == 1
    found = lines(tmp_path / "x.h2s", capsys)
    assert "p_world_keypoints float64 (3, 21, 3) 0.4 … 1.02 m, 63 nan, 0 infinite" in found
    assert "lost bool (3) 1 true" in found


def test_nested_messages_poses_and_numbers_with_units_are_told(tmp_path, capsys):
    save(EXAMPLES["TaskSpec"], tmp_path / "x.h2s")
    found = lines(tmp_path / "x.h2s", capsys)
    assert "object.mass 0.3 kg" in found
    assert "scene.bodies.0.name table" in found
    assert "scene.wxyz_xyz_world_table float64 (7) [1, 0, 0, 0, 0.6, 0, 0] wxyz, m" in found
    assert "sources.recording 00112233445566778899aabbccddeeff" in found


def test_of_a_crowd_the_first_are_told_and_how_many_more(tmp_path, capsys):
    scene = EXAMPLES["Scene"]
    bodies = [scene.bodies[0].replace(name="table" if i == 0 else f"body {i}") for i in range(100)]
    save(scene.replace(bodies=bodies), tmp_path / "x.h2s")
    assert inspected(tmp_path / "x.h2s", capsys)["fields"]["bodies"]["more"] == 80
    assert "bodies.more 80" in lines(tmp_path / "x.h2s", capsys)


def test_a_long_log_is_told_over_all_its_stretches(tmp_path, capsys):
    log = EXAMPLES["MotionLog"].replace(joint_current=np.full((3, 4), np.nan))
    later = log.replace(
        time=log.time + 1.0,
        sequence=log.sequence + 10,
        joint_pos=np.full((3, 4), -2.0),
        joint_current=np.full((3, 4), 0.5),
        clamped=np.ones((3, 4), bool),
        outcome="failure",
        context=log.context.replace(zone="B"),
    )
    with open_writer(tmp_path / "x.h2s") as writer:
        writer.append(log)
        writer.append(later)
        writer.append(log.replace(time=log.time + 2.0, sequence=log.sequence + 20))
    found = inspected(tmp_path / "x.h2s", capsys)
    fields = found["fields"]
    assert found["stretches"] == 3
    assert fields["joint_pos"]["shape"] == [9, 4]
    assert (fields["joint_pos"]["min"], fields["joint_pos"]["max"]) == (-2.0, pytest.approx(1.1))
    assert (fields["sequence"]["min"], fields["sequence"]["max"]) == (10, 33)
    assert (fields["joint_current"]["nan"], fields["joint_current"]["max"]) == (24, 0.5)
    assert fields["clamped"]["true"] == 12
    assert fields["outcome"] == fields["context"]["zone"] == "differs between stretches"
    assert fields["context"]["payload_class"] == "light"


def test_many_poses_in_one_file_are_told_too(tmp_path, capsys):
    pose = EXAMPLES["HandPose"]
    with open_writer(tmp_path / "x.h2s") as writer:
        writer.append(pose)
        writer.append(pose.replace(confidence=np.zeros(21)))
    fields = inspected(tmp_path / "x.h2s", capsys)["fields"]
    assert fields["confidence"]["shape"] == [21]
    assert (fields["confidence"]["min"], fields["confidence"]["max"]) == (0.0, 0.9)


def test_a_long_log_is_told_without_holding_it(tmp_path, capsys):
    log = EXAMPLES["MotionLog"]
    rows = np.zeros((1000, 4))
    names = ("asked", "target", "pos", "vel", "torque", "sent", "residual")
    tables = {name: rows for name in log.specs if name.startswith("joint_") and name.endswith(names)}
    with open_writer(tmp_path / "x.h2s") as writer:
        for start in range(0, 100_000, 1000):
            ticks = np.arange(start, start + 1000)
            writer.append(
                log.replace(
                    sequence=ticks,
                    time=ticks / 200.0,
                    server_state=np.full(1000, 5, np.uint8),
                    command_sequence=ticks,
                    clamped=rows > 0,
                    joint_temperature=None,
                    **tables,
                )
            )
    tracemalloc.start()
    found = inspected(tmp_path / "x.h2s", capsys)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["fields"]["joint_pos"]["shape"] == [100_000, 4]
    assert found["bytes"] > 20 * 2**20
    assert peak < found["bytes"] / 10


def test_a_recording_is_told(tmp_path, capsys):
    folder = record_tiny(tmp_path / "a").folder
    found = inspected(folder, capsys)
    assert (found["what"], found["frames"], found["seconds"]) == ("Demo", 3, pytest.approx(0.2))
    assert (found["median_hz"], found["longest_gap_s"]) == (pytest.approx(10.0), pytest.approx(0.1))
    assert found["masks"] == {"object": 3, "hand": 2}
    assert found["fields"]["calibration"]["color"]["width"] == 8
    assert "depth_unit 0.001 m" in lines(folder, capsys)
    assert inspected(record_tiny(tmp_path / "b", frames=1).folder, capsys)["frames"] == 1
    (folder / "rgb/000001.png").write_bytes(b"")
    assert main(["inspect", str(folder)]) == 2
    assert "cut short" in capsys.readouterr().err


def test_a_text_does_not_steer_the_terminal(tmp_path, capsys):
    folder = record_tiny(tmp_path / "a", meta=tiny_meta().replace(source="\x1b[2J\nred", licence="x" * 500)).folder
    found = lines(folder, capsys)
    assert "source \\x1b[2J\\nred" in found
    assert f"licence {'x' * 79}…" in found


@pytest.mark.parametrize("content", [b"", b"nothing of ours", b"H2S2R\x00\x01\n"])
def test_what_cannot_be_read_is_one_line_and_status_2(content, tmp_path, capsys):
    (tmp_path / "x.h2s").write_bytes(content)
    with open_writer(tmp_path / "empty.h2s"):
        pass
    for name in ("x.h2s", "empty.h2s", "missing.h2s", "."):
        assert main(["inspect", str(tmp_path / name)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 4
    assert "Traceback" not in captured.err


def test_the_command_ends_quietly_when_nobody_reads_on(tmp_path):
    save(EXAMPLES["TaskSpec"], tmp_path / "x.h2s")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "h2s2r_schemas.cli", "inspect", str(tmp_path / "x.h2s")],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
