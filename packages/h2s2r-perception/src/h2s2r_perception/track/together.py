"""What two passes over a recording say together.

In:  ``Tracked`` per frame, of each pass.   Out: poses, confidence and flags; whether both follow the same thing.
Not here: the passes (offline), following frame by frame (tracker).
"""

from __future__ import annotations

import logging

import numpy as np

from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.tracker import Tracked
from h2s2r_schemas.artifacts import Symmetry
from h2s2r_schemas.artifacts.success import align_symmetry
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

_LOG = logging.getLogger(__name__)
#: Of two things that passes follow, the object is the one that moves: so many times as far as the other.
_MOVED_MORE = 3.0
#: Frames in which an outline must be seen well before its size says anything.
_COUNTED = 10
#: [m], [rad] within which two passes mean the same pose.
_SAME_PLACE, _SAME_TURN = 0.008, float(np.deg2rad(8.0))
#: By how much one pass must fit better than the other, on average this many frames around, to be believed against it.
_BETTER, _AROUND = 0.02, 4


def follows_another(one: dict[int, Tracked], other: dict[int, Tracked], surface: SurfaceModel) -> str:
    """Which of two passes follows another thing, which does not move: ``first``, ``second``; empty if they follow the same, or
    both move. Two things are what lies farther apart, in most frames, than the surface reaches from its centre.
    """
    paths = [
        np.array(
            [
                np.full(3, np.nan) if each.lost else each.T_camera_object.apply(surface.centre)
                for each in (found[index] for index in sorted(found))
            ]
        )
        for found in (one, other)
    ]
    apart = np.linalg.norm(paths[0] - paths[1], axis=-1)
    reach = float(np.linalg.norm(surface.points - surface.centre, axis=-1).max())
    if np.isnan(apart).all() or np.nanmedian(apart) < reach:
        return ""
    first, second = (float(np.nanmax(np.linalg.norm(path - np.nanmedian(path, 0), axis=-1))) for path in paths)
    if max(first, second) < _MOVED_MORE * min(first, second):
        return ""
    return "first" if first < second else "second"


def mean_quality(tracked: dict[int, Tracked]) -> float:
    """Of a whole pass, 0 to 1; lost frames count for nothing."""
    return float(np.mean([0.0 if one.lost else one.fit.quality for one in tracked.values()]))


def growth_of(tracked: list[Tracked], name: str, cfg: TrackCfg) -> float:
    """Median share by which outlines are seen larger than they should be, over the frames that fit well.

    Raises:
        SchemaError: it is more than errors of pictures explain.
    """
    good = [each.fit.growth for each in tracked if not each.lost and each.fit.agreement.fit > cfg.poor_fit]
    good = [each for each in good if np.isfinite(each)]
    if len(good) < _COUNTED:
        return float("nan")
    growth = float(np.median(good))
    said = (
        f"{name} is seen {abs(growth):.1%} {'larger' if growth > 0 else 'smaller'} in the pictures than its mesh is at the depth "
        f"that was measured; {cfg.growth:.0%} are allowed. Check the focal length (of another resolution or camera: the "
        "calibration's fx and fy), the scale of the mesh, and that of depth."
    )
    if abs(growth) > cfg.growth:
        raise SchemaError(said)
    if abs(growth) > cfg.growth / 3:
        _LOG.warning(said)
    return growth


def agree(one: list[Tracked], other: list[Tracked], symmetry: Symmetry) -> tuple[SE3, np.ndarray, np.ndarray]:
    """One pose per frame from two passes: (T) poses (NaN where lost), (T) confidence, (T) lost."""
    window, middle = np.ones(2 * _AROUND + 1), slice(_AROUND, _AROUND + len(one))
    count = np.convolve(np.ones(len(one)), window)[middle]
    better = np.array(
        [a.fit.quality * (not a.lost) - b.fit.quality * (not b.lost) for a, b in zip(one, other, strict=True)]
    )
    better = np.convolve(better, window)[middle] / count
    poses, confidence = [], []
    for a, b, lead in zip(one, other, better, strict=True):
        T_camera_object, sure = _both(a, b, float(lead), symmetry)
        poses.append(T_camera_object.wxyz_xyz if sure > 0 else np.full(7, np.nan))
        confidence.append(sure)
    return SE3(np.array(poses)), np.array(confidence), np.array(confidence) <= 0


def _both(one: Tracked, other: Tracked, lead: float, symmetry: Symmetry) -> tuple[SE3, float]:
    """What two passes say together; ``lead`` is by how much the first fits better around this frame."""
    if one.lost or other.lost:
        found = other if one.lost else one
        return found.T_camera_object, found.confidence
    T_camera_object = align_symmetry(other.T_camera_object, one.T_camera_object, symmetry)
    place, angle = T_camera_object.distance(one.T_camera_object)
    weigh = [one.fit.quality, other.fit.quality]
    if place < _SAME_PLACE and angle < _SAME_TURN:
        share = np.array(weigh[1] / max(sum(weigh), 1e-6))
        return one.T_camera_object.interpolate(T_camera_object, share), max(one.confidence, other.confidence)
    if abs(lead) < _BETTER:
        return one.T_camera_object, 0.0
    found = one if lead > 0 else other
    return found.T_camera_object, 0.5 * found.confidence
