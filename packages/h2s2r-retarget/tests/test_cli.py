"""``h2s2r-retarget``: files in, files and text out; what cannot be done is one line.

In:  hands made here.   Out: messages on disk, exit status.
Not here: the work itself (test_retarget, test_check …).
"""

from __future__ import annotations

import numpy as np
import pytest
from hands_for_tests import human_hand

from h2s2r_retarget.cli import main
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, RobotPose, RobotTrajectory
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.testing.examples import examples

T_WORLD_WRIST = SE3.from_rotation_matrix(np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]), np.array([0.5, 0.0, 0.3]))
HAND = HandPose(
    side="right", p_world_keypoints=human_hand(0.2, T_world_wrist=T_WORLD_WRIST), confidence=np.ones(21), time=1.5
)


def path() -> HandTrajectory:
    hands = np.stack([human_hand(curl, T_world_wrist=T_WORLD_WRIST) for curl in np.linspace(0.1, 0.4, 5)])
    return HandTrajectory(
        side="right",
        time=np.arange(5) / 30,
        p_world_keypoints=hands,
        confidence=np.ones((5, 21)),
        lost=np.zeros(5, bool),
    )


def test_fit_writes_what_it_found(tmp_path, capsys):
    save(HAND, tmp_path / "hand.h2s")
    assert main(["fit", str(tmp_path / "hand.h2s"), "--out", str(tmp_path / "robot.h2s")]) == 0
    assert load(tmp_path / "robot.h2s", RobotPose).robot_name == "iiwa14_allegro"
    assert "out of the hand's reach" in capsys.readouterr().out
    save(path(), tmp_path / "hands.h2s")
    assert (
        main(["fit", str(tmp_path / "hands.h2s"), "--robot", "iiwa14_leap", "--out", str(tmp_path / "path.h2s")]) == 0
    )
    assert load(tmp_path / "path.h2s", RobotTrajectory).ok.all()
    assert "5 of 5 frames reached" in capsys.readouterr().out


def test_fit_takes_a_scene_and_the_drop_rules(tmp_path, capsys):
    save(examples()["Scene"], tmp_path / "scene.h2s")
    save(HAND, tmp_path / "hand.h2s")
    save(path(), tmp_path / "hands.h2s")
    around = ["--scene", str(tmp_path / "scene.h2s"), "--out", str(tmp_path / "robot.h2s")]
    assert main(["fit", str(tmp_path / "hand.h2s"), "--avoid-collisions", *around]) == 0
    assert main(["fit", str(tmp_path / "hands.h2s"), "--drop-jumps", "--stretch-time", *around]) == 0
    assert load(tmp_path / "robot.h2s", RobotTrajectory).ok.all()
    assert "frames reached" in capsys.readouterr().out


def test_view_writes_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    save(HAND, tmp_path / "hand.h2s")
    main(["fit", str(tmp_path / "hand.h2s"), "--out", str(tmp_path / "robot.h2s")])
    picture = tmp_path / "x.png"
    assert main(["view", str(tmp_path / "hand.h2s"), str(tmp_path / "robot.h2s"), "--png", str(picture)]) == 0
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert main(["view", str(tmp_path / "robot.h2s"), str(tmp_path / "robot.h2s"), "--png", str(picture)]) == 2


def test_check_says_what_it_found(capsys):
    assert main(["check", "iiwa14_allegro"]) == 0
    assert "nothing found" in capsys.readouterr().out


def test_what_cannot_be_done_is_one_line(tmp_path, capsys):
    save(examples()["Scene"], tmp_path / "scene.h2s")
    out = str(tmp_path / "out.h2s")
    assert main(["fit", str(tmp_path / "scene.h2s"), "--out", out]) == 2
    assert main(["fit", str(tmp_path / "missing.h2s"), "--out", out]) == 2
    far = HAND.replace(p_world_keypoints=HAND.p_world_keypoints + [2.0, 0.0, 0.0])
    save(far, tmp_path / "far.h2s")
    assert main(["fit", str(tmp_path / "far.h2s"), "--out", out]) == 2
    assert main(["fit", str(tmp_path / "far.h2s"), "--robot", "nobody", "--out", out]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 4
    assert "a HandPose or a HandTrajectory is wanted" in said[0]
    assert "misses the palm by" in said[2]
    assert "iiwa14_allegro, iiwa14_leap, iiwa14_umi" in said[3]
    assert not (tmp_path / "out.h2s").exists()
