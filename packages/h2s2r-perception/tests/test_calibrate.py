"""The camera's place by a board, by a board on the flange, by choice; bad ones are refused.

In:  pictures of printed boards, rendered with truth.   Out: poses within a millimetre or two and a tenth of a degree.
Not here: the intrinsics.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes_for_tests import look_at, render

from h2s2r_perception.calibrate import (
    BoardCfg,
    calibrate_board,
    calibrate_hand_eye,
    find_board,
    level_camera,
    read_flange_poses,
)
from h2s2r_perception.frames import RGBDFrame
from h2s2r_schemas.artifacts import Calibration, CameraIntrinsics
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

CAMERA = CameraIntrinsics(width=640, height=480, fx=610.0, fy=612.0, cx=322.0, cy=241.0)
CHARUCO = BoardCfg()
TAGS = BoardCfg("apriltag", 3, 2, 0.09, 0.07)
#: Lies on the table, seen upright by a camera behind it: its z points down into the table.
T_WORLD_BOARD = SE3.exp(np.array([0.5, 0.1, 0.02, 0, 0, 0])) @ SE3.exp(np.array([0, 0, 0, np.pi, 0, 0]))
T_WORLD_CAMERA = look_at(np.array([0.55, -0.45, 0.5]), (0.62, 0.0, 0.0))


def photograph(cfg, T_camera_board, index=0, time=0.0, depth_scale=1.0):
    """A picture of a board, with depth."""
    board = cfg.board()
    per_metre = 4000.0
    size = np.array([cfg.columns, cfg.rows]) * cfg.square - (cfg.square - cfg.marker) * (cfg.kind == "apriltag")
    printed = board.generateImage(tuple(int(v) for v in np.rint(size * per_metre)), marginSize=0)
    # Pixel p of the print shows (p + 0.5) / per_metre of the board.
    to_board = np.array([[1 / per_metre, 0, 0.5 / per_metre], [0, 1 / per_metre, 0.5 / per_metre], [0, 0, 1]])
    matrix, T = T_camera_board.as_matrix(), CAMERA.matrix()
    homography = T @ matrix[:3, [0, 1, 3]] @ to_board
    fine = np.diag([2.0, 2.0, 1.0]) @ np.array([[1, 0, 0.25], [0, 1, 0.25], [0, 0, 1]])
    grey = cv2.warpPerspective(printed, fine @ homography, (1280, 960), flags=cv2.INTER_AREA, borderValue=190)
    grey = cv2.resize(grey, (640, 480), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(index).normal(0, 2, grey.shape)
    rgb = np.repeat(np.clip(grey + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    v, u = np.mgrid[:480, :640]
    rays = np.stack(((u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)), -1)
    normal = T_camera_board.rotate(np.array([0.0, 0.0, 1.0]))
    depth = np.clip((T_camera_board.translation @ normal) / (rays @ normal), 0, 3.0) * depth_scale
    return RGBDFrame(index, time, rgb, depth.astype(np.float32), CAMERA)


def recorded(folder, frames):
    meta = DemoMeta(
        name="board", calibration=Calibration(color=CAMERA, depth=CAMERA), depth_unit=0.001, licence="CC0-1.0"
    )
    with DemoWriter(folder, meta) as writer:
        for frame in frames:
            counts = np.round(frame.depth * 1000).astype(np.uint16)
            encoded = [cv2.imencode(".png", picture)[1].tobytes() for picture in (frame.rgb[..., ::-1], counts)]
            writer.append(frame.time, *encoded)
    return open_demo(folder)


@pytest.mark.parametrize("cfg", [CHARUCO, TAGS])
def test_a_board_at_a_known_place_tells_where_the_camera_stands(tmp_path, cfg):
    T_camera_board = T_WORLD_CAMERA.inv() @ T_WORLD_BOARD
    demo = recorded(tmp_path / "demo", [photograph(cfg, T_camera_board, i, 0.1 * i) for i in range(3)])
    found = calibrate_board(demo, cfg, T_WORLD_BOARD)
    moved, turned = found.calibration.T_world_camera.distance(T_WORLD_CAMERA)
    assert moved < 0.003 and np.rad2deg(turned) < 0.3
    assert found.frames == 3 and found.residual_px < 0.4 and found.residual < 0.0006
    assert abs(found.depth_residual) < 0.003
    assert found.calibration.calibrated and found.calibration.residual_px == found.residual_px


def test_a_bad_calibration_is_refused(tmp_path):
    T_camera_board = T_WORLD_CAMERA.inv() @ T_WORLD_BOARD
    good = photograph(CHARUCO, T_camera_board)
    demo = recorded(tmp_path / "demo", [good])
    with pytest.raises(SchemaError, match="printers scale"):
        calibrate_board(demo, replace(CHARUCO, square=0.0315, marker=0.0234), T_WORLD_BOARD)
    with pytest.raises(SchemaError, match="No apriltag board"):
        calibrate_board(demo, TAGS, T_WORLD_BOARD)
    bent = good.rgb.copy()
    v, u = np.mgrid[:480, :640].astype(np.float32)
    bent = cv2.remap(bent, u + 5 * np.sin(v / 15).astype(np.float32), v, cv2.INTER_LINEAR)
    with pytest.raises(SchemaError, match=r"is off by .* px"):
        calibrate_board(recorded(tmp_path / "bent", [replace(good, rgb=bent)]), CHARUCO, T_WORLD_BOARD)
    shifted = SE3.exp(np.array([0.01, 0, 0, 0, 0, 0])) @ T_camera_board
    moved = [photograph(CHARUCO, T, i, float(i)) for i, T in enumerate((T_camera_board, shifted))]
    with pytest.raises(SchemaError, match="differs by"):
        calibrate_board(recorded(tmp_path / "moved", moved), CHARUCO, T_WORLD_BOARD)


@pytest.mark.parametrize(
    ("cfg", "says"),
    [
        (BoardCfg(marker=0.05), "0 < marker < square"),
        (BoardCfg(kind="chess"), "charuco, apriltag"),
        (BoardCfg(dictionary="5X5"), "no dictionary"),
        (BoardCfg(columns=1), "at least 2×2"),
    ],
)
def test_a_board_that_cannot_be(cfg, says):
    with pytest.raises(SchemaError, match=says):
        find_board(photograph(CHARUCO, T_WORLD_CAMERA.inv() @ T_WORLD_BOARD), cfg)


def wave(folder, turns, still=True):
    """Frames of a board on the flange in many poses, the flange's poses as a file, and how it is held."""
    T_flange_board = SE3.exp(np.array([-0.12, -0.09, 0.05, 0.1, -0.2, 0.3]))
    towards = look_at(np.array([0.61, -0.07, 0.1]), T_WORLD_CAMERA.translation)  # z of the board away from the camera
    T_world_middle = towards @ SE3.exp(np.array([0, 0, 0, 0, np.pi, 0])) @ SE3.exp(np.array([-0.12, -0.09, 0, 0, 0, 0]))
    frames, lines = [], ["time,qw,qx,qy,qz,x,y,z"]
    for index, twist in enumerate(turns):
        T_world_board = T_world_middle @ SE3.exp(np.asarray(twist, float))
        T_world_flange = T_world_board @ T_flange_board.inv()
        frames.append(photograph(CHARUCO, T_WORLD_CAMERA.inv() @ T_world_board, index, float(index)))
        for late in (-0.1, 0.1):
            drift = SE3.exp(np.array([0.0 if still else 0.02 * late, 0, 0, 0, 0, 0]))
            values = (drift @ T_world_flange).wxyz_xyz
            lines.append(",".join(f"{value:.7f}" for value in (index + late, *values)))
    (folder / "flange.csv").write_text("\n".join(lines))
    return recorded(folder / "demo", frames), folder / "flange.csv"


def turns(count, axes=3, seed=0):
    rng = np.random.default_rng(seed)
    scale = np.array([0.03, 0.03, 0.03, *(0.3 * (np.arange(3) < axes))])
    return rng.uniform(-1, 1, (count, 6)) * scale


def test_a_board_on_the_flange_tells_where_the_camera_stands(tmp_path):
    demo, poses = wave(tmp_path, turns(10))
    found = calibrate_hand_eye(demo, CHARUCO, read_flange_poses(poses))
    moved, turned = found.calibration.T_world_camera.distance(T_WORLD_CAMERA)
    assert moved < 0.003 and np.rad2deg(turned) < 0.3
    assert found.frames >= 8 and found.residual_px < 0.6 and found.residual < 0.003


def test_hand_eye_refuses_what_it_cannot_know(tmp_path):
    for name in ("alike", "moving", "late"):
        (tmp_path / name).mkdir()
    demo, poses = wave(tmp_path / "alike", turns(7, axes=1))
    with pytest.raises(SchemaError, match="about one axis"):
        calibrate_hand_eye(demo, CHARUCO, read_flange_poses(poses))
    demo, poses = wave(tmp_path / "moving", turns(7), still=False)
    with pytest.raises(SchemaError, match=r"In 0 of \d frames .* stand still"):
        calibrate_hand_eye(demo, CHARUCO, read_flange_poses(poses))
    # Poses of another moment than the pictures: the robot was elsewhere.
    lines = (tmp_path / "alike" / "flange.csv").read_text().splitlines()
    demo, poses = wave(tmp_path / "late", turns(9))
    lines = poses.read_text().splitlines()
    times = [line.split(",")[0] for line in lines[1:]]
    shuffled = [line.split(",", 1)[1] for line in lines[5:]] + [line.split(",", 1)[1] for line in lines[1:5]]
    poses.write_text("\n".join([lines[0], *(",".join(pair) for pair in zip(times, shuffled, strict=True))]))
    with pytest.raises(SchemaError, match="is off by"):
        calibrate_hand_eye(demo, CHARUCO, read_flange_poses(poses))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("t,w,x\n", "the header time,qw"),
        ("time,qw,qx,qy,qz,x,y,z\n0,1,0,0,0,0,0\n", "8 finite numbers"),
        ("time,qw,qx,qy,qz,x,y,z\n0,one,0,0,0,0,0,0\n", "line 2"),
        ("time,qw,qx,qy,qz,x,y,z\n0,1,0,0,0,0,0,0\n", "1 poses"),
        ("time,qw,qx,qy,qz,x,y,z\n0,1,0,0,0,0,0,0\n1,2,0,0,0,0,0,0\n", "line 3: the quaternion's length is 2"),
        ("time,qw,qx,qy,qz,x,y,z\n0,1,0,0,0,0,0,0\n0,1,0,0,0,0,0,0\n", "line 3: time must grow"),
    ],
)
def test_a_file_of_flange_poses_with_a_mistake(tmp_path, text, says):
    (tmp_path / "flange.csv").write_text(text)
    with pytest.raises(SchemaError, match=says):
        read_flange_poses(tmp_path / "flange.csv")


def test_a_world_that_is_chosen_is_level_and_says_so(tmp_path):
    truth = look_at(np.array([0.1, -0.7, 0.6]), (0.0, 0.0, 0.0))
    frame, _ = render([], truth)
    meta = DemoMeta(
        name="bare",
        calibration=Calibration(color=frame.camera, depth=frame.camera),
        depth_unit=0.001,
        licence="CC0-1.0",
    )
    with DemoWriter(tmp_path / "demo", meta) as writer:
        counts = np.round(frame.depth * 1000).astype(np.uint16)
        writer.append(0.0, *(cv2.imencode(".png", one)[1].tobytes() for one in (frame.rgb[..., ::-1], counts)))
    demo = open_demo(tmp_path / "demo")
    chosen = level_camera(demo, forward="away")
    T_chosen_world = chosen.T_world_camera @ truth.inv()
    assert T_chosen_world.rotate(np.array([0.0, 0.0, 1.0])) == pytest.approx((0, 0, 1), abs=0.005)
    assert T_chosen_world.apply(np.zeros(3)) == pytest.approx((0.6, 0.0, 0.0), abs=0.005)
    assert not chosen.calibrated and "chosen" in chosen.method
    for arguments, says in [({"forward": "up"}, "there are right"), ({"frame": 3}, "of 0 to 0")]:
        with pytest.raises(SchemaError, match=says):
            level_camera(demo, **arguments)
