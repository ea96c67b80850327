"""The object's path through a whole recording: both directions of time, one answer, what is not sure is flagged.

In:  ``Demo``, ``ObjectModel``.   Out: ``ObjectTrajectory`` in the world; ``ObjectTrack`` with what it was made of.
Not here: following frame by frame (tracker), the first pose (start).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from h2s2r_perception.frames import RGBDFrame, decode
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.smooth import smooth_path
from h2s2r_perception.track.start import Start, find_start, search
from h2s2r_perception.track.surface import SurfaceModel, object_mesh, surface_of
from h2s2r_perception.track.tracker import Tracked, Tracker
from h2s2r_schemas.artifacts import ObjectModel, ObjectTrajectory, Symmetry
from h2s2r_schemas.artifacts.success import align_symmetry
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: Frames that are tried for the first pose, spread over the recording, and the score at which no further one is.
_TRIES, _GOOD = 9, 0.6
#: Least score of the first pose.
_LEAST = 0.4
#: [m], [rad] within which both directions of time mean the same pose.
_SAME_PLACE, _SAME_TURN = 0.008, float(np.deg2rad(8.0))
#: By how much one direction must fit better to be believed against the other.
_BETTER = 0.04


@dataclass(frozen=True)
class ObjectTrack:
    """Where the object was, in the camera frame."""

    time: np.ndarray
    """(T) [s]"""
    Ts_camera_object: SE3
    """(T) poses; NaN where lost."""
    confidence: np.ndarray
    """(T) 0 to 1; 0 where lost."""
    lost: np.ndarray
    """(T) whether the object was not found, or the two directions of time contradict each other."""
    first: int
    """Frame of the recording that ``time[0]`` belongs to."""
    start: Start
    """The first pose, and its score."""
    start_frame: int
    """Frame of the recording in which it was found."""


def track_object(
    demo: Demo,
    model: ObjectModel,
    cfg: TrackCfg | None = None,
    frames: tuple[int, int] | None = None,
    mask: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ObjectTrajectory:
    """The object's path through a recording, in the world.

    Args:
        demo: the recording; its calibration says where the camera stands.
        model: the object.
        cfg: settings.
        frames: first and last frame to use; all if none.
        mask: name of masks in the recording that show the object, to start from; none to find it.
        progress: called with frames done and frames in all.

    Raises:
        SchemaError: the camera's place is not known, there are no such frames, or the object is not found in any.
    """
    T_world_camera = demo.meta.calibration.T_world_camera  # said before the work, not after it
    track = track_in_camera(
        demo, surface_of(object_mesh(model), model.name), model.symmetry, cfg, frames, mask, progress
    )
    Ts_world_object = T_world_camera @ track.Ts_camera_object
    return ObjectTrajectory(
        object_name=model.name,
        time=track.time,
        wxyz_xyz_world_object=np.where(track.lost[:, None], np.nan, Ts_world_object.wxyz_xyz),
        confidence=track.confidence,
        lost=track.lost,
    )


def track_in_camera(
    demo: Demo,
    surface: SurfaceModel,
    symmetry: Symmetry | None = None,
    cfg: TrackCfg | None = None,
    frames: tuple[int, int] | None = None,
    mask: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ObjectTrack:
    """The same in the camera frame, for a surface; arguments and errors as for ``track_object``."""
    cfg, symmetry = cfg or TrackCfg(), symmetry or Symmetry()
    first, last = (0, len(demo) - 1) if frames is None else frames
    if not 0 <= first <= last < len(demo):
        raise SchemaError(f"Frames {first} to {last} of a recording of 0 to {len(demo) - 1}: choose a range within it.")
    start_frame, start = _find_start(demo, surface, cfg, first, last, mask)
    done, total = 0, 2 * (last - first + 1)

    def follow(order: range, T_camera_object: SE3) -> dict[int, Tracked]:
        nonlocal done
        tracker, found = Tracker(surface, cfg), {}
        for index in order:
            frame = _frame(demo, index)
            found[index] = tracker.track(frame) if found else tracker.begin(frame, T_camera_object)
            done += 1
            if progress is not None:
                progress(min(done, total), total)
        return found

    away = {**follow(range(start_frame, last + 1), start.T_camera_object)}
    if start_frame > first:
        away |= follow(range(start_frame, first - 1, -1), start.T_camera_object)
    # And back: what was hidden when it came is often clear when it leaves.
    back = follow(range(last, start_frame, -1), away[last].T_camera_object)
    if start_frame > first:
        back |= follow(range(first, start_frame), away[first].T_camera_object)
    indices = range(first, last + 1)
    Ts_camera_object, confidence, lost = _agree(
        [away[i] for i in indices], [back.get(i, away[i]) for i in indices], symmetry
    )
    time = demo.meta.time[first : last + 1]
    Ts_camera_object = smooth_path(time, Ts_camera_object, lost)
    return ObjectTrack(time, Ts_camera_object, confidence, lost, first, start, start_frame)


def _frame(demo: Demo, index: int) -> RGBDFrame:
    return decode(demo[index], demo.meta.calibration, demo.meta.depth_unit)


def _find_start(
    demo: Demo, surface: SurfaceModel, cfg: TrackCfg, first: int, last: int, mask: str | None
) -> tuple[int, Start]:
    """The frame in which the object is found best, and how."""
    if mask is not None:
        named = [index for index in demo.frames_with_mask(mask) if first <= index <= last]
        if not named:
            raise SchemaError(f"No frame from {first} to {last} has a mask {mask!r}.")
        frame = _frame(demo, named[0])
        return named[0], find_start(frame, [frame.masks[mask]], surface, None, cfg)[0]
    best: tuple[int, Start] | None = None
    trouble = ""
    for index in _spread(first, last):
        try:
            found = search(_frame(demo, index), surface, cfg)[0]
        except SchemaError as error:
            trouble = str(error)
            continue
        if best is None or found.score > best[1].score:
            best = (index, found)
        if best[1].score > _GOOD:
            break
    if best is None or best[1].score < _LEAST:
        raise SchemaError(
            f"{surface.name} was not found in any of {_TRIES} frames from {first} to {last}. "
            f"{trouble or 'Nothing fits its shape.'} Begin the recording with the object in view and the hand away from it, "
            "or give a mask."
        )
    return best


def _spread(first: int, last: int) -> list[int]:
    """The first frame, then others in an order that soon covers the whole recording."""
    count = min(_TRIES, last - first + 1)
    even = [int(index) for index in np.linspace(first, last, count).round()]
    return sorted(even, key=lambda index: (index != first, f"{even.index(index):b}"[::-1]))


def _agree(away: list[Tracked], back: list[Tracked], symmetry: Symmetry) -> tuple[SE3, np.ndarray, np.ndarray]:
    """One pose per frame from both directions of time: (T) poses (NaN where lost), (T) confidence, (T) lost."""
    poses, confidence, lost = [], [], []
    for one, other in zip(away, back, strict=True):
        T_camera_object, sure = _both(one, other, symmetry)
        poses.append(T_camera_object.wxyz_xyz if sure > 0 else np.full(7, np.nan))
        confidence.append(sure)
        lost.append(sure <= 0)
    return SE3(np.array(poses)), np.array(confidence), np.array(lost)


def _both(one: Tracked, other: Tracked, symmetry: Symmetry) -> tuple[SE3, float]:
    if one.lost or other.lost:
        found = other if one.lost else one
        return found.T_camera_object, found.confidence
    T_camera_object = align_symmetry(other.T_camera_object, one.T_camera_object, symmetry)
    place, angle = T_camera_object.distance(one.T_camera_object)
    weigh = [one.fit.quality, other.fit.quality]
    if place < _SAME_PLACE and angle < _SAME_TURN:
        share = np.array(weigh[1] / max(sum(weigh), 1e-6))
        return one.T_camera_object.interpolate(T_camera_object, share), max(one.confidence, other.confidence)
    if abs(weigh[0] - weigh[1]) < _BETTER:
        return one.T_camera_object, 0.0
    found = one if weigh[0] > weigh[1] else other
    return found.T_camera_object, 0.5 * found.confidence
