"""What one recording with truth contributes to the figures, as plain numbers that can be kept in a file.

In:  a folder with ``truth.h2s``.   Out: a JSON-able mapping.
Not here: many of them (many), the errors themselves (track.judge, hand.judge).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_perception.frames import decode_all
from h2s2r_perception.hand.judge import judge
from h2s2r_perception.hand.landmarks import Landmarker
from h2s2r_perception.hand.path import track_hand
from h2s2r_perception.premanip import find_premanip
from h2s2r_perception.premanip.motion import motion_of
from h2s2r_perception.premanip.onset import find_onset
from h2s2r_perception.scene import find_scene
from h2s2r_perception.track.judge import judge_path, start_is_right
from h2s2r_perception.track.offline import ObjectTrack, track_in_camera
from h2s2r_perception.track.surface import SurfaceModel, object_mesh, surface_of
from h2s2r_perception.track.tracker import Tracker
from h2s2r_schemas.artifacts import HandTrajectory, ObjectTrajectory
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import Demo, DemoTruth, open_demo, truth_path
from h2s2r_schemas.errors import SchemaError


def measure_one(folder: Path, landmarker: Landmarker | None, speed: bool = False) -> dict[str, Any]:
    """Look at a recording, and compare with its truth.

    Args:
        folder: with ``truth.h2s``.
        landmarker: finds hands; the hand is left out if none.
        speed: whether to time the tracker, frame by frame, too.

    Raises:
        SchemaError: no truth, or no recording.
    """
    if not truth_path(folder).is_file():
        raise SchemaError(f"{folder} has no {truth_path(folder).name}: only rendered recordings can be judged by it.")
    demo, truth = open_demo(folder), load(truth_path(folder), DemoTruth)
    surface = surface_of(object_mesh(truth.object), truth.object.name)
    began = time.process_time()
    measured: dict[str, Any] = {"frames": len(demo), "seconds": float(demo.meta.time[-1] - demo.meta.time[0])}
    path = _object(demo, truth, surface, measured)
    hand = None
    if landmarker is not None:
        hand = _hand(demo, truth, landmarker, measured)
    _instant(path, hand, truth, measured)
    try:
        if path is not None:
            find_scene(demo, tracked=(truth.object, path))
    except SchemaError as error:
        measured["scene_refused"] = str(error)
    measured["see_s"] = time.process_time() - began
    if speed:
        measured["track_ms"] = _speed(demo, truth, surface)
    return measured


def _object(demo: Demo, truth: DemoTruth, surface: SurfaceModel, measured: dict[str, Any]) -> ObjectTrajectory | None:
    T_world_camera = demo.meta.calibration.T_world_camera
    try:
        track = track_in_camera(demo, surface, truth.object.symmetry)
    except SchemaError as error:
        # Nothing found is every frame flagged, and no right start.
        measured |= {"flagged": [True] * len(demo), "start_right": False, "object_refused": str(error)}
        measured |= {"add": [None] * len(demo), "rotation": [None] * len(demo), "turned": False}
        return None
    path = in_world(track, truth.object.name, demo)
    errors = judge_path(path, truth)
    T_world_object = T_world_camera @ track.start.T_camera_object
    Ts_world_object = truth.object_trajectory.Ts_world_object
    measured |= {
        "add": _plain(errors.add),
        "rotation": _plain(errors.rotation),
        "flagged": [bool(each) for each in errors.flagged],
        "turned": bool(errors.turned),
        "start_right": start_is_right(T_world_object, Ts_world_object[track.start_frame], truth.object, surface),
    }
    return path


def in_world(track: ObjectTrack, name: str, demo: Demo) -> ObjectTrajectory:
    """A track as a path in the world."""
    Ts_world_object = demo.meta.calibration.T_world_camera @ track.Ts_camera_object
    return ObjectTrajectory(
        object_name=name,
        time=track.time,
        wxyz_xyz_world_object=np.where(track.lost[:, None], np.nan, Ts_world_object.wxyz_xyz),
        confidence=track.confidence,
        lost=track.lost,
    )


def _hand(demo: Demo, truth: DemoTruth, landmarker: Landmarker, measured: dict[str, Any]) -> HandTrajectory | None:
    try:
        hand = track_hand(demo, landmarker)
    except SchemaError as error:
        measured["hand_refused"] = str(error)
        return None
    measured["hand"] = {name: _plain(values) for name, values in judge(hand, truth, demo.meta.calibration).items()}
    measured["side_right"] = hand.side == truth.hand_trajectory.side
    return hand


def _instant(
    path: ObjectTrajectory | None, hand: HandTrajectory | None, truth: DemoTruth, measured: dict[str, Any]
) -> None:
    """How many frames late first motion is found, and how far off the hand is that was taken; nothing where refused."""
    if path is None:
        return
    try:
        if hand is None:
            onset = find_onset(motion_of(path, truth.object))
        else:
            found = find_premanip(path, truth.object, hand)
            onset = found.onset
            off = found.hand.p_world_keypoints - truth.hand_trajectory.p_world_keypoints[found.frame]
            measured["premanip_hand"] = float(np.linalg.norm(off, axis=-1).mean())
            measured["premanip_before_contact"] = truth.contact_frame - found.frame
    except SchemaError as error:
        measured["premanip_refused"] = str(error)
    else:
        measured["first_motion_late"] = onset.frame - truth.first_motion_frame


def _speed(demo: Demo, truth: DemoTruth, surface: SurfaceModel) -> list[float]:
    """[ms] of processor time that each frame takes the tracker; decoding its pictures is not counted."""
    T_camera_object = demo.meta.calibration.T_world_camera.inv() @ truth.object_trajectory.Ts_world_object[0]
    tracker, spent = Tracker(surface), []
    for frame in decode_all(demo):
        follow: Callable[[], object] = (
            (lambda frame=frame: tracker.track(frame))
            if frame.index
            else (lambda frame=frame: tracker.begin(frame, T_camera_object))
        )
        began = time.process_time()
        follow()
        spent.append(1e3 * (time.process_time() - began))
    return spent[1:]


def _plain(values: np.ndarray) -> list[Any]:
    """An array as JSON knows it: nothing for what is not a number."""
    return [None if isinstance(each, float) and math.isnan(each) else each for each in np.asarray(values).tolist()]
