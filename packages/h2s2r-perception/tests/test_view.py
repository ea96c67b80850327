"""What was found, drawn: that it is where it should be, and that what is flagged shows."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from recordings_for_tests import BOX, record_push

from h2s2r_perception.cli import main
from h2s2r_perception.premanip import find_premanip
from h2s2r_perception.view import Finding
from h2s2r_perception.view.browser import cloud, show
from h2s2r_perception.view.overlay import Overlay, save_overlay
from h2s2r_perception.view.plots import save_paths, save_premanip
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.errors import SchemaError


@pytest.fixture(scope="module")
def finding(tmp_path_factory):
    demo, path, hand = record_push(tmp_path_factory.mktemp("view") / "demo")
    return Finding(demo, BOX, path, hand, find_premanip(path, BOX, hand))


def lost_at(path, index):
    """The same path, one frame of it lost."""
    lost = np.arange(len(path.time)) == index
    name = "wxyz_xyz_world_object" if hasattr(path, "wxyz_xyz_world_object") else "p_world_keypoints"
    values = getattr(path, name)
    nothing = lost.reshape(-1, *[1] * (values.ndim - 1))
    sure = path.confidence * ~lost.reshape(-1, *[1] * (path.confidence.ndim - 1))
    return path.replace(**{name: np.where(nothing, np.nan, values), "confidence": sure, "lost": lost})


def test_the_outline_is_drawn_around_the_object(finding):
    with_box = Overlay(replace(finding, hand=None, premanip=None)).picture(5)
    without = Overlay(replace(finding, hand=None, premanip=None, path=None)).picture(5)
    assert with_box.shape == (480, 640, 3)
    drawn = (np.abs(with_box.astype(int) - without).max(axis=-1) > 40)[100:]
    rows, columns = np.nonzero(drawn)
    # The box is in the middle of the picture and covers a sixth of its width or more.
    assert abs(columns.mean() - 320) < 40 and 100 < np.ptp(columns) < 400 and 60 < np.ptp(rows) < 300


def test_lost_frames_and_the_instant_are_framed(finding):
    plain = Overlay(finding).picture(3)
    assert not (plain[4, 4] == (255, 40, 40)).all()
    lost = Overlay(replace(finding, path=lost_at(finding.path, 3), premanip=None)).picture(3)
    assert (lost[4, 300] == (255, 40, 40)).all()
    no_hand = Overlay(replace(finding, hand=lost_at(finding.hand, 3), premanip=None)).picture(3)
    assert (no_hand[4, 300] == (255, 40, 40)).all()
    instant = Overlay(finding).picture(finding.premanip.frame)
    assert (instant[4, 300] == (60, 255, 90)).all()


def test_the_video_holds_all_frames_and_rests_on_the_instant(finding, tmp_path):
    steps = []
    file = save_overlay(finding, tmp_path / "new" / "out.mp4", (2, 15), lambda *step: steps.append(step))
    video = cv2.VideoCapture(str(file))
    inside = 2 <= finding.premanip.frame <= 15
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == 14 + 14 * inside
    assert steps[-1] == (14, 14)
    with pytest.raises(SchemaError, match="0 to 29"):
        save_overlay(finding, tmp_path / "out.mp4", (2, 30))


def test_plots_are_pictures_with_something_in_them(finding, tmp_path):
    pytest.importorskip("matplotlib", reason="plots need the extra [view]")
    marked = replace(finding, path=lost_at(finding.path, 20))
    for file in (
        save_paths(marked, tmp_path / "a" / "paths.png"),
        save_premanip(finding.premanip, tmp_path / "why.png"),
    ):
        picture = cv2.imread(str(file))
        assert picture.shape[0] > 400 and picture.std() > 10
    with pytest.raises(SchemaError, match="nothing to plot"):
        save_paths(Finding(finding.demo), tmp_path / "paths.png")
    with pytest.raises(SchemaError, match="ObjectModel"):
        Finding(finding.demo, path=finding.path)


def test_the_cloud_lies_on_the_table_and_the_object(finding):
    points, colours, time = cloud(finding, 5)
    assert time == pytest.approx(5 / 30) and colours.shape == points.shape
    inside = finding.path.Ts_world_object[5].inv().apply(points)
    assert (np.abs(inside) < np.array((0.085, 0.055, 0.04))).all(axis=1).sum() > 200
    assert abs(np.median(points[:, 2])) < 0.005


def test_the_browser_steps_through_the_frames(finding):
    viser = pytest.importorskip("viser")
    server = show(replace(finding, path=lost_at(finding.path, 4)), port=0)
    try:
        assert isinstance(server, viser.ViserServer)
    finally:
        server.stop()


def test_commands_find_the_instant_and_draw_it(finding, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="plots need the extra [view]")
    for name, what in (("box", BOX), ("path", finding.path), ("hand", finding.hand)):
        save(what, tmp_path / f"{name}.h2s")
    demo, box, path, hand = (
        str(each) for each in (finding.demo.folder, *(tmp_path / f"{n}.h2s" for n in ("box", "path", "hand")))
    )
    out, plot = str(tmp_path / "pose.h2s"), str(tmp_path / "why.png")
    assert main(["premanip", demo, path, box, hand, "--out", out, "--plot", plot]) == 0
    assert finding.premanip.reason in capsys.readouterr().out
    np.testing.assert_array_equal(load(out).p_world_keypoints, finding.premanip.hand.p_world_keypoints)
    assert main(["premanip", demo, path, box, hand, "--out", out, "--frames", "3:29"]) == 0
    assert f"frame {finding.premanip.frame})" in capsys.readouterr().out
    assert main(["premanip", demo, path, box, hand, "--out", out, "--frames", "40:50"]) == 2
    assert "none of 40 to 50" in capsys.readouterr().err
    assert main(["clips", demo, path, box, "--hand", hand]) == 0
    assert "--frames 0:" in capsys.readouterr().out
    video, paths = str(tmp_path / "o.mp4"), str(tmp_path / "p.png")
    found = ["--object", box, "--path", path, "--hand", hand, "--premanip"]
    assert main(["view", demo, *found, "--video", video, "--frames", "0:20", "--plot", paths]) == 0
    assert capsys.readouterr().out.count("written") == 2
    assert main(["view", demo, "--premanip", "--video", video]) == 2
