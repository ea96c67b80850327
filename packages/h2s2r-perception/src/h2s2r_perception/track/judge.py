"""How far a found path of an object is from the truth, and the figures that a set of recordings is judged by.

In:  ``ObjectTrajectory``, ``DemoTruth``.   Out: ``PathErrors`` of one recording, figures of many by name.
Not here: finding the path (offline), how long it takes (bench).

Two poses that look the same are the same here. The turns that an object declares as its symmetry are undone frame by frame.
Those that its shape alone has, the half turns of a plain box, are undone once for a whole recording: depth cannot tell which of
them is meant, but whoever chose one has to stay with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_perception.track.likeness import shape_turns
from h2s2r_perception.track.surface import SurfaceModel, object_mesh, surface_of
from h2s2r_schemas.artifacts import ObjectModel, ObjectTrajectory, Symmetry
from h2s2r_schemas.artifacts.success import align_symmetry
from h2s2r_schemas.demo import DemoTruth
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: [m] mean distance of the surface beyond which a pose that was not flagged is false (issue of this package: 2 cm).
FALSE_POSE = 0.02
#: [m], [rad] within which a first pose is right: the tracker goes on from there by itself.
START_PLACE, START_TURN = 0.01, float(np.deg2rad(10.0))


@dataclass(frozen=True)
class PathErrors:
    """Errors of one recording; a frame that is flagged has NaN."""

    add: np.ndarray
    """(T) [m] mean distance of points of the surface from where they are (ADD), poses that look the same counting as one."""
    rotation: np.ndarray
    """(T) [rad] angle to the truth, symmetry-aware."""
    flagged: np.ndarray
    """(T) whether the path says itself that it does not know."""
    turned: bool
    """Whether the path has the object turned, all along, by a turn that its shape has but its model does not declare."""

    @property
    def false(self) -> np.ndarray:
        """(T) whether a pose is more than 2 cm off and not flagged."""
        return ~self.flagged & (np.nan_to_num(self.add) > FALSE_POSE)


def judge_path(found: ObjectTrajectory, truth: DemoTruth) -> PathErrors:
    """Errors of a path, frame by frame.

    Args:
        found: the path, in the world; it may be a part of the recording.
        truth: of the recording.

    Raises:
        SchemaError: a time of the path is not one of the recording's.
    """
    true = truth.object_trajectory
    index = np.clip(np.searchsorted(true.time, found.time - 1e-6), 0, len(true.time) - 1)
    if not np.allclose(true.time[index], found.time, atol=1e-6):
        raise SchemaError("The path has times that are not frames of the recording: is it this recording's truth?")
    flagged = np.asarray(found.lost, bool)
    kept = np.flatnonzero(~flagged)
    add, rotation = np.full(len(flagged), np.nan), np.full(len(flagged), np.nan)
    if not len(kept):
        return PathErrors(add, rotation, flagged, False)
    surface = surface_of(object_mesh(truth.object), truth.object.name)
    tried = [
        _errors(
            found.Ts_world_object[kept] @ T_object_turned,
            true.Ts_world_object[index[kept]],
            truth.object.symmetry,
            surface,
        )
        for T_object_turned in shape_turns(surface)
    ]
    best = int(np.argmin([float(np.median(distance)) for distance, _ in tried]))
    add[kept], rotation[kept] = tried[best]
    return PathErrors(add, rotation, flagged, best > 0)


def start_is_right(T_world_object: SE3, T_world_true: SE3, model: ObjectModel, surface: SurfaceModel) -> bool:
    """Whether a first pose is within 1 cm and 10° of the truth, turns that look the same counting as none."""
    for T_object_turned in shape_turns(surface):
        T_world_same = align_symmetry(T_world_object @ T_object_turned, T_world_true, model.symmetry)
        middles = [one.apply(surface.centre) for one in (T_world_same, T_world_true)]
        _, angle = T_world_same.distance(T_world_true)
        if float(np.linalg.norm(middles[0] - middles[1])) < START_PLACE and float(angle) < START_TURN:
            return True
    return False


def figures(recordings: Sequence[PathErrors]) -> dict[str, float | int]:
    """Figures of a set of recordings: of all frames together, those that are flagged left out of the errors.

    Returns:
        ``add_mean_mm``, ``add_p99_mm``, ``add_max_mm``, ``rotation_p99_deg`` (none of them if every frame is flagged),
        ``flagged_percent``, ``false_poses`` (unflagged frames more than 2 cm off), ``frames``.

    Raises:
        SchemaError: no recording.
    """
    if not recordings:
        raise SchemaError("No recording to judge: give at least one path with its truth.")
    flagged = np.concatenate([one.flagged for one in recordings])
    add = 1e3 * np.concatenate([one.add for one in recordings])[~flagged]
    angle = np.rad2deg(np.concatenate([one.rotation for one in recordings]))[~flagged]
    counted: dict[str, float | int] = {
        "frames": len(flagged),
        "flagged_percent": 100.0 * float(flagged.mean()),
        "false_poses": int(sum(int(one.false.sum()) for one in recordings)),
    }
    if not len(add):
        return counted
    return counted | {
        "add_mean_mm": float(add.mean()),
        "add_p99_mm": float(np.percentile(add, 99)),
        "add_max_mm": float(add.max()),
        "rotation_p99_deg": float(np.percentile(angle, 99)),
    }


def _errors(
    Ts_world_found: SE3, Ts_world_true: SE3, symmetry: Symmetry, surface: SurfaceModel
) -> tuple[np.ndarray, np.ndarray]:
    """ADD (T) [m] and angle (T) [rad], the declared symmetry undone."""
    Ts_world_same = align_symmetry(Ts_world_found, Ts_world_true, symmetry)
    _, angle = Ts_world_same.distance(Ts_world_true)
    points = surface.points[:: max(1, len(surface.points) // 500)]
    apart = [SE3(Ts_world_object.wxyz_xyz[:, None]).apply(points) for Ts_world_object in (Ts_world_same, Ts_world_true)]
    return np.linalg.norm(apart[0] - apart[1], axis=-1).mean(axis=-1), np.asarray(angle)
