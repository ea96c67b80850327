"""``h2s2r-schemas inspect``: says what a file is, and refuses what it cannot read in one line.

In:  files and recordings made here.   Out: text, JSON, exit status.
Not here: the checks themselves (test_files, test_demo).
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from h2s2r_schemas.cli import main
from h2s2r_schemas.codec import open_writer, save
from h2s2r_schemas.testing.examples import examples

EXAMPLES = examples()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_message_can_be_inspected(name, tmp_path, capsys):
    save(EXAMPLES[name], tmp_path / "x.h2s")
    assert main(["inspect", str(tmp_path / "x.h2s"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["what"], found["version"], found["stretches"]) == (name, 1, 1)
    assert list(found["fields"]) == list(EXAMPLES[name].specs)
    assert len(found["sha256"]) == 64
    assert main(["inspect", str(tmp_path / "x.h2s")]) == 0
    assert name in capsys.readouterr().out


def test_ranges_units_and_missing_values_are_told(tmp_path, capsys):
    save(EXAMPLES["HandTrajectory"], tmp_path / "x.h2s")
    main(["inspect", str(tmp_path / "x.h2s"), "--json"])
    keypoints = json.loads(capsys.readouterr().out)["fields"]["p_world_keypoints"]
    assert keypoints["type"] == "float64 (3, 21, 3)"
    assert keypoints["unit"] == "m"
    assert keypoints["min"] == pytest.approx(0.4)
    assert keypoints["max"] == pytest.approx(1.02)
    assert keypoints["not_finite"] == 63


def test_the_range_of_a_long_log_spans_all_its_stretches(tmp_path, capsys):
    log = EXAMPLES["MotionLog"]
    with open_writer(tmp_path / "x.h2s") as writer:
        writer.append(log)
        writer.append(log.replace(time=log.time + 1.0, sequence=log.sequence + 10, joint_pos=np.full((3, 4), -2.0)))
    main(["inspect", str(tmp_path / "x.h2s"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["stretches"] == 2
    assert found["fields"]["joint_pos"]["min"] == -2.0
    assert found["fields"]["joint_pos"]["max"] == pytest.approx(1.1)


@pytest.mark.parametrize("content", [b"", b"nothing of ours", b"H2S2R\x00\x01\n"])
def test_what_cannot_be_read_is_one_line_and_status_2(content, tmp_path, capsys):
    (tmp_path / "x.h2s").write_bytes(content)
    assert main(["inspect", str(tmp_path / "x.h2s")]) == 2
    assert main(["inspect", str(tmp_path / "missing.h2s")]) == 2
    assert main(["inspect", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 3
    assert "Traceback" not in captured.err
