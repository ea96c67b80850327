"""A real recording against labels made by eye: not truth, each label has a tolerance.

In:  a folder with pictures, ``camera.json``, a mesh, ``table.json`` and ``labels.json``.   Out: a flat mapping of figures.
Not here: rendered recordings (many).

``labels.json``: ``hand`` (side), ``clips`` (``name``, ``first``, ``last``, ``first_moves_2mm.frame``), ``mug_centre`` (``frame``,
``p_camera_mug`` [m], ``uncertainty_mm``), ``still_poses`` (``frames``, ``T_camera_object`` wxyz_xyz, ``uncertainty``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from h2s2r_perception.benchmark.one import in_world
from h2s2r_perception.convert import convert
from h2s2r_perception.hand.mediapipe_hands import open_landmarker
from h2s2r_perception.hand.path import track_hand
from h2s2r_perception.premanip.motion import motion_of
from h2s2r_perception.premanip.onset import find_onset
from h2s2r_perception.track.judge import FALSE_POSE
from h2s2r_perception.track.offline import ObjectTrack, track_in_camera
from h2s2r_perception.track.surface import load_mesh, object_mesh, surface_of
from h2s2r_schemas.artifacts import ObjectModel, Shape
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: [kg/m³] for a mass, which no figure depends on.
_DENSITY = 1000.0


def measure_real(folder: Path, hand: bool = True) -> dict[str, Any]:
    """Look at a real recording, whole and clip by clip, and compare with its labels.

    Args:
        folder: as above.
        hand: whether to look for the hand.

    Raises:
        SchemaError: a file is missing, or the object is not found at all.
    """
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    model = _model(next(iter(sorted(folder.glob("*.obj")))))
    surface = surface_of(object_mesh(model), model.name)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="h2s2r-real-") as place:
        demo = convert(folder, Path(place) / "demo")
        _place(demo, folder)
        whole = track_in_camera(demo, surface)
        found |= _against_labels(whole, labels, model)
        for clip in labels["clips"]:
            track = track_in_camera(demo, surface, frames=(clip["first"], clip["last"]))
            late = _late(track, demo, model, clip)
            if late is not None:
                found[f"real_late_{clip['name']}"] = late
            else:
                found[f"real_refused_{clip['name']}"] = True
        if hand:
            landmarker = open_landmarker()
            try:
                path = track_hand(demo, landmarker)
            finally:
                landmarker.close()
            found |= {"real_hand_side_right": path.side == labels["hand"], "real_hand_flagged": float(path.lost.mean())}
    return found


def _late(track: ObjectTrack, demo: Demo, model: ObjectModel, clip: Mapping[str, Any]) -> int | None:
    """By how many frames first motion is found after its label; none if it is refused."""
    try:
        onset = find_onset(motion_of(in_world(track, model.name, demo), model, track.first))
    except SchemaError:
        return None
    return onset.frame - int(clip["first_moves_2mm"]["frame"])


def _against_labels(track: ObjectTrack, labels: Mapping[str, Any], model: ObjectModel) -> dict[str, Any]:
    """How much more than their tolerance unflagged poses are away from labels, the worst of all; 0 is within."""
    centre, false = [0.0], 0
    for label in labels["mug_centre"]:
        if not track.lost[label["frame"]]:
            T_camera_object = track.Ts_camera_object[label["frame"]]
            off = float(np.linalg.norm(T_camera_object.translation - np.array(label["p_camera_mug"])))
            centre.append(1e3 * off - label["uncertainty_mm"])
            false += off > FALSE_POSE + 1e-3 * label["uncertainty_mm"]
    axis, roll = [0.0], [0.0]
    for label in labels["still_poses"]:
        T_camera_still = SE3(np.array(label["T_camera_object"]))
        for frame in range(label["frames"][0], label["frames"][1] + 1):
            if not track.lost[frame]:
                T_still_object = T_camera_still.inv() @ track.Ts_camera_object[frame]
                tilt = np.arccos(np.clip(T_still_object.rotate(np.array([0.0, 0.0, 1.0]))[2], -1.0, 1.0))
                axis.append(float(np.rad2deg(tilt)) - label["uncertainty"]["axis_deg"])
                turn = abs(float(np.rad2deg(T_still_object.log()[5])))
                roll.append(turn - label["uncertainty"]["roll_deg"])
    return {
        "real_centre_excess_mm": max(centre),
        "real_axis_excess_deg": max(axis),
        "real_roll_excess_deg": max(roll),
        "real_false_poses": int(false),
        "real_flagged": float(track.lost.mean()),
    }


def _place(demo: Demo, folder: Path) -> None:
    """Say where the camera is: as chosen in ``table.json``."""
    table = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    placed = demo.meta.calibration.replace(wxyz_xyz_world_camera=np.array(table["T_world_camera"]))
    demo.meta = demo.meta.replace(calibration=placed)


def _model(file: Path) -> ObjectModel:
    """The mesh as an object; of mass and inertia, which no figure depends on, only that they are possible."""
    mesh = load_mesh(file)
    hull: trimesh.Trimesh = mesh.convex_hull
    hull.density = _DENSITY
    shapes = [Shape(kind="mesh", vertices=each.vertices, faces=each.faces) for each in (mesh, hull)]
    return ObjectModel(
        name=file.stem,
        visual=(shapes[0],),
        collision=(shapes[1],),
        mass=float(hull.mass),
        center_of_mass=hull.center_mass,
        inertia=hull.moment_inertia,
    )
