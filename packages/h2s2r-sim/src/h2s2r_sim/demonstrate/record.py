"""Film a demonstration: a recording like any other, and the truth beside it.

In:  a task, a seed, a folder.   Out: a ``Demo`` with ``truth.h2s`` and BOP's ``scene_gt.json``.
Not here: what happens (script), what it looks like (stage), the faults of the camera (camera).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from h2s2r_schemas.artifacts import Calibration, HandTrajectory, ObjectTrajectory
from h2s2r_schemas.codec import save
from h2s2r_schemas.demo import Demo, DemoMeta, DemoTruth, DemoWriter, open_demo
from h2s2r_schemas.demo.layout import TRUTH
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.camera import D435, DepthFaults, Exposure, expose, measure_depth
from h2s2r_sim.demonstrate.direction import Direction, direct
from h2s2r_sim.demonstrate.pictures import encode_colour, encode_depth, encode_mask
from h2s2r_sim.demonstrate.script import Script
from h2s2r_sim.demonstrate.script.contact import Surfaces, hand_distance
from h2s2r_sim.demonstrate.stage.stage import MASK_NAMES, Picture, Stage

#: [m] an anchor point of the object must be from its place before the object counts as moved.
FIRST_MOTION = 5e-4
#: [m] between flesh and object that counts as contact: what a frame can show.
CONTACT = 5e-4
LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class RecordCfg:
    """How a demonstration is filmed."""

    width: int = 640
    """[px]"""
    height: int = 480
    """[px]"""
    rate_hz: float = 30.0
    """[Hz] of the camera."""
    faults: DepthFaults = field(default_factory=lambda: D435)
    """Of the depth camera."""
    depth_unit: float = 0.001
    """[m] that one count of a depth picture stands for."""
    jpeg_quality: int = 92
    """Of the colour pictures, 1 to 95."""
    png_compression: int = 1
    """Of depth and masks, 0 to 9; larger is smaller and slower."""
    masks: bool = True
    """Whether to write what is seen of object and hand."""


#: Few bytes: a quarter of the pixels, 12 frames a second, no noise of a background. The bundled recording is filmed by it.
SMALL = RecordCfg(
    width=320, height=240, rate_hz=12.0, faults=replace(D435, far=1.5), jpeg_quality=80, png_compression=9
)
#: The bundled recording.
BUNDLED = Path(__file__).parents[1] / "assets" / "recordings" / "snackbox_push"


def record_demo(
    task: str | Path,
    seed: int,
    folder: Path,
    cfg: RecordCfg | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Demo:
    """Film one demonstration; the same task, seed and ``cfg`` give the same bytes.

    Args:
        task: as for ``direct``.
        seed: of everything that differs between two recordings of a task.
        folder: where the recording will be; it must not exist.
        cfg: see ``RecordCfg``.
        progress: called with the frames done and to do.

    Raises:
        SchemaError: as ``direct``; or the folder exists.
        NoGraphicsError: nothing here can draw pictures, or encode them; the message says what to install.
    """
    cfg = cfg or RecordCfg()
    direction = direct(task, seed, cfg.width, cfg.height)
    frames = expose(direction.script.duration, cfg.rate_hz, cfg.faults, direction.rng)
    truth = _truth(direction, frames)
    with DemoWriter(folder, _meta(direction, seed, cfg)) as writer:
        for index, (frame, pictures) in enumerate(_film(direction, frames, cfg)):
            writer.append(frame.time, *pictures)
            if progress:
                progress(index + 1, len(frames))
        save(truth, writer.folder / TRUTH)
        (writer.folder / "scene_gt.json").write_text(json.dumps(_bop_truth(direction, truth)), encoding="utf-8")
    return open_demo(folder)


def _film(
    direction: Direction, frames: list[Exposure], cfg: RecordCfg
) -> Iterator[tuple[Exposure, tuple[bytes, bytes, dict[str, bytes]]]]:
    """Each frame with its colour, depth and masks, encoded."""
    script, pictures, shown = direction.script, (b"", b"", {}), -1.0
    camera, T_world_camera = direction.camera, direction.T_world_camera
    with Stage(direction.task, direction.look, camera, T_world_camera, script.manner.side) as stage:
        for frame in frames:
            if frame.color_time != shown:
                shown = frame.color_time
                picture = _seen(stage, script, frame, cfg.masks)
                measured = measure_depth(picture.depth, camera, cfg.faults, direction.rng)
                pictures = _encoded(picture, measured, cfg)
            yield frame, pictures


def _seen(stage: Stage, script: Script, frame: Exposure, masks: bool) -> Picture:
    """What a perfect camera sees: colour and masks at one time, depth at another. What nobody asks for is not drawn."""
    shown, measured = frame.color_time, frame.depth_time
    there = script.T_world_object(shown), script.hand(shown)
    if measured == shown:
        return stage.picture(*there)
    depth = stage.depth(script.T_world_object(measured), script.hand(measured))
    if masks:
        return replace(stage.picture(*there), depth=depth)
    return Picture(stage.colour(*there), depth, {})


def _encoded(picture: Picture, measured: np.ndarray, cfg: RecordCfg) -> tuple[bytes, bytes, dict[str, bytes]]:
    names = MASK_NAMES if cfg.masks else ()
    return (
        encode_colour(picture.rgb, cfg.jpeg_quality),
        encode_depth(measured, cfg.depth_unit, cfg.png_compression),
        {name: encode_mask(picture.masks[name], cfg.png_compression) for name in names},
    )


def _meta(direction: Direction, seed: int, cfg: RecordCfg) -> DemoMeta:
    task, manner = direction.task, direction.script.manner
    calibration = Calibration(
        color=direction.camera,
        depth=direction.camera,
        wxyz_xyz_world_camera=direction.T_world_camera.wxyz_xyz,
        calibrated=True,
        residual_px=0.0,
        method="rendered: the camera was put there",
    )
    return DemoMeta(
        name=f"{task.name}-{seed}",
        calibration=calibration,
        depth_unit=cfg.depth_unit,
        licence=LICENCE,
        mask_names=MASK_NAMES if cfg.masks else (),
        source="rendered by h2s2r-sim",
        notes={"task": task.name, "seed": str(seed), "side": manner.side, "hand_scale": f"{manner.hand_scale:.4f}"},
    )


def _truth(direction: Direction, frames: list[Exposure]) -> DemoTruth:
    """What really happens: every frame by when its colour was taken."""
    script, task = direction.script, direction.task
    shown = [frame.color_time for frame in frames]
    time = np.array([frame.time for frame in frames])
    Ts_world_object = SE3(np.stack([script.T_world_object(at).wxyz_xyz for at in shown]))
    hands = [script.hand(at) for at in shown]
    p_world_anchor = SE3(Ts_world_object.wxyz_xyz[:, None]).apply(task.anchor_points)
    moved = np.linalg.norm(p_world_anchor - p_world_anchor[0], axis=-1).max(axis=-1) > FIRST_MOTION
    first_motion = int(np.argmax(moved)) if moved.any() else len(frames) - 1
    surfaces = Surfaces(task.object, Ts_world_object[0])
    touching = (index for index in range(first_motion) if hand_distance(hands[index], surfaces) < CONTACT)
    return DemoTruth(
        object=task.object,
        scene=task.scene,
        object_trajectory=ObjectTrajectory(
            object_name=task.object.name,
            time=time,
            wxyz_xyz_world_object=Ts_world_object.wxyz_xyz,
            confidence=np.ones(len(time)),
            lost=np.zeros(len(time), bool),
        ),
        hand_trajectory=HandTrajectory(
            side=script.manner.side,
            time=time,
            p_world_keypoints=np.stack([hand.keypoints() for hand in hands]),
            confidence=np.ones((len(time), 21)),
            lost=np.zeros(len(time), bool),
        ),
        contact_frame=next(touching, first_motion),
        first_motion_frame=first_motion,
    )


def _bop_truth(direction: Direction, truth: DemoTruth) -> dict[str, list[dict[str, object]]]:
    """``scene_gt.json``: rotation and translation [mm] of object 1 in the camera, by frame."""
    Ts_camera_object = direction.T_world_camera.inv() @ truth.object_trajectory.Ts_world_object
    rotations, translations = Ts_camera_object.rotation_matrix(), 1000.0 * Ts_camera_object.translation
    return {
        str(index): [
            {
                "cam_R_m2c": rotations[index].ravel().tolist(),
                "cam_t_m2c": translations[index].tolist(),
                "obj_id": 1,
            }
        ]
        for index in range(len(rotations))
    }
