"""Every format becomes the same recording, and what would spoil it later is refused here."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from scenes_for_tests import CAMERA, Box, faces_rgb, look_at, render

from h2s2r_perception.cli import main
from h2s2r_perception.convert import ConvertCfg, convert, detect_form
from h2s2r_perception.frames import align_depth, decode, decode_all, deproject, project
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

K = (CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy)


@pytest.fixture(scope="module")
def pictures():
    """Three frames: (rgb, depth [m], object mask)."""
    box = Box((0.1, 0.08, 0.06), SE3.from_parts((1, 0, 0, 0), (0.0, 0.0, 0.03)), faces_rgb())
    found = [render([box], look_at((0.4, 0.1 * i, 0.5)), i) for i in range(3)]
    return [(frame.rgb, frame.depth, masks["object"]) for frame, masks in found]


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


def counts(depth, unit):
    return np.round(depth / unit).astype(np.uint16)


def make_foundationpose(folder, pictures, unit=0.001, names="{:07d}"):
    for index, (rgb, depth, mask) in enumerate(pictures):
        name = names.format(index)
        write(folder / f"rgb/{name}.png", rgb[..., ::-1])
        write(folder / f"depth/{name}.png", counts(depth, unit))
        write(folder / f"hand_masks/{name}.png", mask.astype(np.uint8))
    write(folder / f"masks/{names.format(0)}.png", pictures[0][2].astype(np.uint8) * 255)
    (folder / "cam_K.txt").write_text(f"{K[0]} 0 {K[2]}\n0 {K[1]} {K[3]}\n0 0 1\n")
    return folder


def make_tum(folder, pictures, times=(10.0, 10.033, 10.066)):
    lines = {"rgb": ["# time file"], "depth": ["# time file"]}
    for (rgb, depth, _), time in zip(pictures, times, strict=True):
        write(folder / f"rgb/{time}.png", rgb[..., ::-1])
        write(folder / f"depth/{time + 0.004:.3f}.png", counts(depth, 1 / 5000))
        lines["rgb"].append(f"{time} rgb/{time}.png")
        lines["depth"].append(f"{time + 0.004} depth/{time + 0.004:.3f}.png")
    for name, text in lines.items():
        (folder / f"{name}.txt").write_text("\n".join(text))
    return folder


def make_numbered(folder, pictures):
    for index, (rgb, depth, _) in enumerate(pictures):
        write(folder / f"rgb/{index:06d}.jpg", rgb[..., ::-1])
        write(folder / f"depth/{index:06d}.png", counts(depth, 0.001))
    told = dict(zip(("fx", "fy", "cx", "cy"), K, strict=True), depth_scale=0.001, fps=15, fps_known=False)
    (folder / "camera.json").write_text(json.dumps(told))
    (folder / "table.json").write_text(json.dumps({"T_world_camera": [0.5, 0.5, 0.5, 0.5, 1, 2, 3]}))
    return folder


def make_video(folder, pictures):
    writer = cv2.VideoWriter(
        str(folder / "a.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (CAMERA.width, CAMERA.height)
    )
    for index, (rgb, depth, _) in enumerate(pictures):
        writer.write(np.ascontiguousarray(rgb[..., ::-1]))
        write(folder / f"depth/{index}.png", counts(depth, 0.001))
    writer.release()
    return folder / "a.mp4"


MAKERS = {
    "foundationpose": (make_foundationpose, {}),
    "tum": (make_tum, {"intrinsics": K}),
    "numbered": (make_numbered, {}),
    "video": (make_video, {"intrinsics": K}),
}


@pytest.mark.parametrize("form", MAKERS)
def test_every_form_gives_the_same_recording(tmp_path, pictures, form):
    make, options = MAKERS[form]
    (tmp_path / "source").mkdir()
    source = make(tmp_path / "source", pictures)
    assert detect_form(source) == form
    demo = convert(source, tmp_path / "demo", ConvertCfg(**options))
    frames = list(decode_all(demo))
    assert len(frames) == 3 and demo.meta.time[0] == 0.0
    assert np.allclose(demo.meta.calibration.color.matrix(), CAMERA.matrix())
    for frame, (rgb, depth, _) in zip(frames, pictures, strict=True):
        assert np.abs(frame.depth - depth).max() < 6e-4
        assert np.median(np.abs(frame.rgb.astype(int) - rgb)) <= (0 if form in ("tum", "foundationpose") else 4)


def test_masks_times_and_camera_place_are_kept(tmp_path, pictures):
    demo = convert(make_foundationpose(tmp_path / "a", pictures), tmp_path / "demo", ConvertCfg(rate_hz=20.0))
    assert demo.meta.mask_names == ("object", "hand") and not demo.meta.time_measured
    assert demo.frames_with_mask("object") == [0] and demo.frames_with_mask("hand") == [0, 1, 2]
    assert np.allclose(demo.meta.time, (0.0, 0.05, 0.1))
    assert (decode(demo[0], demo.meta.calibration, demo.meta.depth_unit).masks["object"] == pictures[0][2]).all()
    stamped = make_foundationpose(tmp_path / "b", pictures, names="158103282{:010d}")
    assert convert(stamped, tmp_path / "demo_b").meta.time_measured
    placed = convert(make_numbered(tmp_path / "c", pictures), tmp_path / "demo_c")
    assert np.allclose(placed.meta.calibration.wxyz_xyz_world_camera, (0.5, 0.5, 0.5, 0.5, 1, 2, 3))
    assert not placed.meta.calibration.calibrated


def test_a_mix_up_of_units_is_caught(tmp_path, pictures):
    fine = make_foundationpose(tmp_path / "fine", pictures)
    with pytest.raises(SchemaError, match=r"0\.001.* would fit"):
        convert(fine, tmp_path / "demo", ConvertCfg(depth_unit=1.0))
    tenth = make_foundationpose(tmp_path / "tenth", pictures, unit=0.0001)
    with pytest.raises(SchemaError, match=r"0\.0001 m would fit"):
        convert(tenth, tmp_path / "demo")
    demo = convert(tenth, tmp_path / "demo", ConvertCfg(depth_unit=0.0001))
    assert np.abs(next(decode_all(demo)).depth - pictures[0][1]).max() < 1e-4
    whole_metres = make_foundationpose(tmp_path / "metres", [(rgb, np.ceil(d) / 1000, m) for rgb, d, m in pictures])
    with pytest.raises(SchemaError, match="cut to whole numbers"):
        convert(whole_metres, tmp_path / "other")
    nothing = make_foundationpose(tmp_path / "nothing", [(rgb, d * 0, m) for rgb, d, m in pictures])
    with pytest.raises(SchemaError, match="no depth at all"):
        convert(nothing, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_incomplete_sources_are_refused(tmp_path, pictures):
    folder = make_foundationpose(tmp_path / "a", pictures)
    with pytest.raises(SchemaError, match="another resolution"):
        convert(folder, tmp_path / "demo", ConvertCfg(intrinsics=(600, 600, 640, 360)))
    (folder / "depth/0000001.png").unlink()
    with pytest.raises(SchemaError, match="number 1 has only one"):
        convert(folder, tmp_path / "demo")
    with pytest.raises(SchemaError, match="no intrinsics"):
        convert(make_tum(tmp_path / "b", pictures), tmp_path / "demo")
    with pytest.raises(SchemaError, match="jumps back"):
        convert(make_tum(tmp_path / "c", pictures, (10.0, 9.5, 10.1)), tmp_path / "demo", ConvertCfg(intrinsics=K))
    with pytest.raises(SchemaError, match="none of tum"):
        detect_form(tmp_path)
    (tmp_path / "d").mkdir()
    video = make_video(tmp_path / "d", pictures)
    (tmp_path / "d/depth/2.png").unlink()
    with pytest.raises(SchemaError, match=r"3 frames.* 2 pictures"):
        convert(video, tmp_path / "demo", ConvertCfg(intrinsics=K))


def test_a_repeated_frame_is_left_out(tmp_path, pictures):
    source = make_tum(tmp_path / "a", pictures)
    listed = (source / "rgb.txt").read_text().splitlines()
    (source / "rgb.txt").write_text("\n".join([*listed[:2], listed[1], *listed[2:]]))
    assert len(convert(source, tmp_path / "demo", ConvertCfg(intrinsics=K))) == 3


def test_depth_of_another_camera_is_brought_onto_colour():
    T_world_color, T_color_depth = look_at((0.3, 0.1, 0.6)), SE3.exp((0.05, 0.0, 0.0, 0.0, 0.02, 0.0))
    box = Box((0.12, 0.1, 0.08), SE3.from_parts((1, 0, 0, 0), (0.0, 0.0, 0.04)), faces_rgb())
    seen, _ = render([box], T_world_color)
    other, _ = render([box], T_world_color @ T_color_depth)
    aligned = align_depth(
        other.depth, Calibration(color=CAMERA, depth=CAMERA, wxyz_xyz_color_depth=T_color_depth.wxyz_xyz)
    )
    both = (aligned > 0) & (seen.depth > 0)
    assert both.mean() > 0.8 and np.percentile(np.abs(aligned - seen.depth)[both], 90) < 0.002
    assert np.percentile(np.abs(other.depth - seen.depth)[both], 90) > 0.008  # so the shift did matter


def test_projection_undoes_deprojection():
    points = deproject(CAMERA, np.array([0.0, 300.0]), np.array([10.0, 200.0]), np.array([0.5, 2.0]))
    assert np.allclose(project(CAMERA, points), [[0.0, 10.0], [300.0, 200.0]])


def test_frames_outside_the_recording_are_refused(tmp_path, pictures):
    demo = convert(make_numbered(tmp_path / "a", pictures), tmp_path / "demo")
    assert [frame.index for frame in decode_all(demo, 1, 2)] == [1, 2]
    with pytest.raises(SchemaError, match="0 to 2"):
        list(decode_all(demo, 1, 3))


def test_the_command_converts_and_says_what_is_wrong(tmp_path, pictures, capsys):
    source = make_numbered(tmp_path / "a", pictures)
    assert main(["convert", str(source), "--out", str(tmp_path / "demo")]) == 0
    assert "3 frames" in capsys.readouterr().out and len(open_demo(tmp_path / "demo")) == 3
    assert main(["convert", str(source), "--out", str(tmp_path / "demo")]) == 2
    assert "exists" in capsys.readouterr().err


def test_the_real_recording(mug_real):
    _, demo = mug_real
    assert len(demo) == 129 and not demo.meta.time_measured
    frame = decode(demo[20], demo.meta.calibration, demo.meta.depth_unit)
    assert 0.6 < np.median(frame.depth[240:280, 260:300]) < 0.75
