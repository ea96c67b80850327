"""A small recording with everything in it: a box on a table that a hand of balls comes to, pushes, and leaves.

In:  a folder, what is to be wrong with it.   Out: a ``Demo``, and the true paths of box and hand.
Not here: rendered recordings (sim).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from scenes_for_tests import CAMERA, Ball, Box, faces_rgb, look_at, render

from h2s2r_schemas.artifacts import (
    Calibration,
    CameraIntrinsics,
    HandTrajectory,
    ObjectModel,
    ObjectTrajectory,
    Shape,
)
from h2s2r_schemas.demo import Demo, DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.se3 import SE3

SIZE, RATE = (0.16, 0.10, 0.07), 30.0
BOX = ObjectModel(
    name="box",
    visual=(Shape(kind="box", size=SIZE),),
    collision=(Shape(kind="box", size=SIZE),),
    mass=0.3,
    center_of_mass=(0.0, 0.0, 0.0),
    inertia=np.diag((3.7e-4, 7.6e-4, 8.9e-4)),
)
T_WORLD_CAMERA = look_at((0.4, -0.4, 0.45), (0.0, 0.0, 0.03))
_SKIN = (205, 150, 125)


@dataclass(frozen=True)
class Push:
    """What happens, and what is wrong."""

    frames: int = 30
    begins: int = 14
    """Frame after which the box moves."""
    hand: bool = True
    box: bool = True
    second_box: bool = False
    """One that looks the same and stays where it is; masks show both."""
    no_depth: bool = False
    hidden: tuple[int, int] = (0, 0)
    """Frames from which to which the box is not there: taken out of the picture."""
    repeated: tuple[int, ...] = ()
    """Frames that show the one before."""
    dropped: tuple[int, ...] = ()
    """Frames that are not there; their time passes."""
    camera: CameraIntrinsics = field(default_factory=lambda: CAMERA)
    """That the recording says it was made with."""


def true_paths(push: Push) -> tuple[ObjectTrajectory, HandTrajectory]:
    """Of the box, and of 21 points around three balls, in the world; every frame, dropped ones too."""
    index = np.arange(push.frames)
    share = np.clip((index - push.begins) / 12, 0.0, 1.0)
    share = share * share * (3 - 2 * share)
    T_world_start = SE3.from_parts(np.array((1.0, 0, 0, 0)), np.array((0.0, 0.0, SIZE[2] / 2)))
    Ts_world_box = T_world_start @ SE3.exp(share[:, None] * np.array((0.08, 0, 0, 0, 0, 0.7)))
    away = 0.012 * np.maximum(0, push.begins - 2 - index)
    p_box = np.stack([np.array((-0.105, 0.003 * k - 0.03, 0.03)) for k in range(21)])
    p_box = p_box - away[:, None, None] * np.array((1.0, 0.0, -0.5))
    lost = np.zeros(push.frames, bool)
    path = ObjectTrajectory(
        object_name="box",
        time=index / RATE,
        wxyz_xyz_world_object=Ts_world_box.wxyz_xyz,
        confidence=np.ones(push.frames),
        lost=lost,
    )
    hand = HandTrajectory(
        side="right",
        time=index / RATE,
        p_world_keypoints=SE3(Ts_world_box.wxyz_xyz[:, None]).apply(p_box),
        confidence=np.ones((push.frames, 21)),
        lost=lost,
    )
    return path, hand


def record_push(folder, push: Push | None = None) -> tuple[Demo, ObjectTrajectory, HandTrajectory]:
    """Film it."""
    push = push or Push()
    path, hand = true_paths(push)
    calibration = Calibration(
        color=push.camera, depth=push.camera, wxyz_xyz_world_camera=T_WORLD_CAMERA.wxyz_xyz, calibrated=True
    )
    meta = DemoMeta(
        name="push",
        calibration=calibration,
        depth_unit=0.001,
        licence="CC0-1.0",
        mask_names=("object",),
        time_measured=True,
    )
    pictures, masks = (b"", b""), {}
    with DemoWriter(folder, meta) as writer:
        for index in range(push.frames):
            if index in push.dropped:
                continue
            if index not in push.repeated:
                *pictures, mask = _pictures(push, index, path, hand)
                masks = {"object": mask} if index == 0 and push.box else {}
            writer.append(index / RATE, *pictures, masks if index == 0 else {})
    return open_demo(folder), path, hand


def _pictures(push: Push, index: int, path: ObjectTrajectory, hand: HandTrajectory) -> tuple[bytes, bytes, bytes]:
    things: list[Box | Ball] = []
    if push.box and not push.hidden[0] <= index < push.hidden[1]:
        things.append(Box(SIZE, path.Ts_world_object[index], faces_rgb(3)))
    if push.second_box:
        T_world_other = SE3.from_parts(np.array((1.0, 0, 0, 0)), np.array((0.02, 0.22, SIZE[2] / 2)))
        things.append(Box(SIZE, T_world_other, faces_rgb(3)))
    if push.hand:
        things += [Ball(0.022, hand.p_world_keypoints[index, each], _SKIN) for each in (0, 10, 20)]
    frame, masks = render(things, T_WORLD_CAMERA, index, noise_px=0.05)
    depth = np.zeros_like(frame.depth) if push.no_depth else frame.depth
    colour = cv2.imencode(".png", frame.rgb[..., ::-1])[1].tobytes()
    mask = cv2.imencode(".png", masks.get("object", np.zeros(depth.shape, bool)).astype(np.uint8) * 255)[1].tobytes()
    return colour, cv2.imencode(".png", np.round(depth / 0.001).astype(np.uint16))[1].tobytes(), mask
