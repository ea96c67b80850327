"""Keypoints marked by a person, and the command ``hand``."""

import json
from pathlib import Path

import numpy as np
import pytest

from h2s2r_perception.cli.hand import add
from h2s2r_perception.cli.hand import run as run_hand
from h2s2r_perception.frames import project
from h2s2r_perception.hand.given import read_keypoints
from h2s2r_perception.hand.path import fit_path, from_landmarks
from h2s2r_schemas.artifacts import HandTrajectory
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import DemoTruth, open_demo, truth_path
from h2s2r_schemas.errors import H2S2RError, SchemaError

BUNDLED = Path(__file__).parents[2] / "h2s2r-sim/src/h2s2r_sim/assets/recordings/snackbox_push"


@pytest.fixture(scope="module")
def bundled():
    if not BUNDLED.is_dir():
        pytest.skip("the bundled recording is h2s2r-sim's: it is there in a checkout")
    return open_demo(BUNDLED), load(truth_path(BUNDLED), DemoTruth)


@pytest.fixture
def keypoints(bundled, tmp_path):
    """A file in which somebody marked two frames, to the pixel."""
    demo, truth = bundled
    p_camera = demo.meta.calibration.T_world_camera.inv().apply(truth.hand_trajectory.p_world_keypoints)
    pixels = np.round(project(demo.meta.calibration.color, p_camera))
    path = tmp_path / "marked.json"
    path.write_text(json.dumps({"side": "right", "frames": {str(i): pixels[i].tolist() for i in (20, 30)}}))
    return path


def command(*arguments: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return run_hand(parser.parse_args(["hand", *arguments]))


@pytest.mark.requirement("H10")
def test_marked_frames_become_a_hand(bundled, keypoints):
    demo, truth = bundled
    side, given = read_keypoints(keypoints, demo)
    path = fit_path(demo, from_landmarks(demo, given), side=side, fewest=1)
    assert np.flatnonzero(~path.lost).tolist() == [20, 30] and path.side == "right"
    error = np.linalg.norm(path.p_world_keypoints - truth.hand_trajectory.p_world_keypoints, axis=-1)[[20, 30]]
    assert error.mean() < 0.020


def test_the_command_writes_them(keypoints, tmp_path, capsys):
    out = tmp_path / "hand.h2s"
    assert command(str(BUNDLED), "--out", str(out), "--keypoints", str(keypoints)) == 0
    assert "right hand, 84 frames, 82 lost" in capsys.readouterr().out
    assert load(out, HandTrajectory).side == "right"


def test_the_command_refuses_what_keypoints_say_already(keypoints, tmp_path):
    with pytest.raises(H2S2RError, match="leave out --task"):
        command(str(BUNDLED), "--out", str(tmp_path / "h"), "--keypoints", str(keypoints), "--side", "left")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "is not a file of keypoints"),
        ('{"side": "both", "frames": {"3": []}}', "it is left or right"),
        ('{"side": "left", "frames": {}}', "marks no frame"),
        ('{"side": "left", "frames": {"300": []}}', "the recording has 0 to 83"),
        ('{"side": "left", "frames": {"3": [[1, 2]]}}', "21 pairs of pixels"),
        (json.dumps({"side": "left", "frames": {"3": [[1000, 2]] * 21}}), "outside its 320×240 pixels"),
    ],
)
def test_a_file_that_is_something_else_is_refused(bundled, tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(SchemaError, match=message):
        read_keypoints(path, bundled[0])
