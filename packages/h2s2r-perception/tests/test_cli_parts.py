"""The commands for scene, object, calibration, live tracking and doctor: files come out, mistakes end with 2 and one sentence.

In:  command lines.   Out: files, text, exit status.
Not here: what the work itself does (test_scene, test_object, test_calibrate, test_record, test_networks).
"""

import cv2
import numpy as np
import pytest
import trimesh
from scenes_for_tests import Box, faces_rgb, look_at, render

from h2s2r_perception.cli.app import main
from h2s2r_schemas.artifacts import Calibration, ObjectModel, Scene
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.se3 import SE3


@pytest.fixture
def demo(tmp_path):
    """Five frames of a box that stands on a table; nobody knows where the camera is."""
    box = Box((0.15, 0.08, 0.10), SE3.from_parts(np.array([1.0, 0, 0, 0]), np.array([0.0, 0.0, 0.05])), faces_rgb(1))
    frame, _ = render([box], look_at(np.array([0.1, -0.6, 0.5])))
    meta = DemoMeta(
        name="made",
        calibration=Calibration(color=frame.camera, depth=frame.camera),
        depth_unit=0.001,
        licence="CC0-1.0",
    )
    counts = np.round(frame.depth * 1000).astype(np.uint16)
    encoded = [cv2.imencode(".png", one)[1].tobytes() for one in (frame.rgb[..., ::-1], counts)]
    with DemoWriter(tmp_path / "demo", meta) as writer:
        for index in range(5):
            writer.append(0.1 * index, *encoded)
    return tmp_path / "demo"


def test_from_a_recording_to_camera_scene_and_object(demo, tmp_path, capsys):
    camera, placed = tmp_path / "camera.h2s", tmp_path / "placed"
    assert main(["scene", "from-recording", str(demo), "--out", str(tmp_path / "no.h2s")]) == 2
    assert "calibrate it, or level it" in capsys.readouterr().err
    assert main(["calibrate", "level", str(demo), "--out", str(camera)]) == 0
    assert "chosen, not measured" in capsys.readouterr().out and not load(camera, Calibration).calibrated
    assert main(["calibrate", "apply", str(demo), str(camera), "--out", str(placed)]) == 0
    assert open_demo(placed).meta.calibration.wxyz_xyz_world_camera is not None
    assert main(["scene", "from-recording", str(placed), "--out", str(tmp_path / "scene.h2s")]) == 0
    assert "not a robot's" in capsys.readouterr().out
    assert [body.name for body in load(tmp_path / "scene.h2s", Scene).bodies] == ["table", "box"]
    made = [
        "object",
        "from-recording",
        str(demo),
        "--mass",
        "0.3",
        "--name",
        "carton",
        "--out",
        str(tmp_path / "o.h2s"),
    ]
    assert main([*made, "--preview", str(tmp_path / "o.png")]) == 0
    assert load(tmp_path / "o.h2s", ObjectModel).name == "carton" and (tmp_path / "o.png").is_file()
    assert "a box" in capsys.readouterr().out


def test_from_a_mesh_and_a_toml(tmp_path, capsys):
    trimesh.creation.box((160, 50, 200)).export(tmp_path / "box.stl")
    command = ["object", "from-scan", str(tmp_path / "box.stl"), "--mass", "0.3", "--out", str(tmp_path / "box.h2s")]
    assert main(command) == 2
    assert "does not say its unit" in capsys.readouterr().err
    assert main([*command, "--unit", "mm"]) == 0
    assert load(tmp_path / "box.h2s", ObjectModel).mass == pytest.approx(0.3)
    text = 'name = "t"\n[[fixture]]\nname = "table"\n[[fixture.part]]\nkind = "box"\nsize = [1.0, 1.0, 0.04]\n'
    (tmp_path / "scene.toml").write_text(text)
    assert main(["scene", "from-toml", str(tmp_path / "scene.toml"), "--out", str(tmp_path / "scene.h2s")]) == 0
    assert load(tmp_path / "scene.h2s", Scene).name == "t"


def test_calibration_with_a_mistake(demo, tmp_path, capsys):
    board = ["--square", "0.035", "--marker", "0.026", "--out", str(tmp_path / "c.h2s")]
    assert main(["calibrate", "board", str(demo), *board, "--at", "2", "0", "0", "0", "0", "0", "0"]) == 2
    assert "unit quaternion" in capsys.readouterr().err
    assert main(["calibrate", "board", str(demo), *board, "--at", "1", "0", "0", "0", "0", "0", "0"]) == 2
    assert "No charuco board" in capsys.readouterr().err


def test_what_is_missing_is_said(demo, tmp_path, capsys, monkeypatch):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "missing foundationpose" in said and "MANO: own licence" in said
    monkeypatch.setitem(__import__("sys").modules, "pyrealsense2", None)
    assert main(["record", "--out", str(tmp_path / "new")]) == 2
    assert "[realsense]" in capsys.readouterr().err and not (tmp_path / "new").exists()
    assert (
        main(["segment", str(demo), "cup=0,0,9,9", "--weights", str(tmp_path / "w.pt"), "--out", str(tmp_path / "m")])
        == 2
    )
    assert not (tmp_path / "m").exists()
