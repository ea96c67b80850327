"""The object's path through a whole recording: two passes from two frames, one answer, what is not sure is flagged.

In:  ``Demo``, ``ObjectModel``.   Out: ``ObjectTrajectory`` in the world; ``ObjectTrack`` with what it was made of.
Not here: following frame by frame (tracker), the first pose (start).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from h2s2r_perception.frames import RGBDFrame, decode
from h2s2r_perception.segment import share_moved
from h2s2r_perception.track.background import depth_noise
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.likeness import nearest_likeness, shape_turns
from h2s2r_perception.track.smooth import smooth_path
from h2s2r_perception.track.start import Start, find_start, score_pose, search
from h2s2r_perception.track.surface import SurfaceModel, object_mesh, surface_of
from h2s2r_perception.track.together import agree, began_wrong, follows_another, found_less, growth_of, shows_less
from h2s2r_perception.track.tracker import Tracked, Tracker
from h2s2r_schemas.artifacts import ObjectModel, ObjectTrajectory, Symmetry
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: Frames that are tried for the first pose, spread over the recording.
_TRIES = 9
#: Share of the recording that a second one is away from it, and its least score relative to the best.
_APART, _SECOND = 0.2, 0.6
#: Frames by which it is seen what moves, and by how much more a score counts for a thing that wholly does.
_COMPARED, _MOVES = 4, 1.0
#: Share of a thing that is elsewhere in other frames, from which it moves, and below which it stays.
_GOES, _STAYS = 0.5, 0.1
#: Score of a first pose above which no better one is looked for.
_SURE = 0.85
#: Share of the best score above which another pose of the same frame is as good.
_EQUAL = 0.97
#: Least score of the first pose.
_LEAST = 0.4


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
    """(T) whether the object was not found, or the two passes contradict each other."""
    slack: np.ndarray
    """(T) [m] standard deviation of the place along the direction that the frame holds least."""
    growth: float
    """Median share by which the outline is seen larger than depth and mesh have it; NaN where it is not seen."""
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
        SchemaError: the camera's place is not known, there are no such frames, the object is not found in any, or it is seen
            larger or smaller than depth and mesh say.
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
    finds = _find(demo, surface, cfg, first, last, mask)
    found = _two_passes(_Passes(demo, surface, cfg, first, last, progress), finds, symmetry)
    indices = range(first, last + 1)
    told = [found.one] if found.refuted else [found.one, found.other]
    growth = growth_of([tracked for each in told for tracked in each.values()], surface.name, cfg)
    slack = np.array([min(each[i].fit.slack for each in told) for i in indices])
    one, other = ([each[i] for i in indices] for each in (found.one, found.other))
    Ts_camera_object, confidence, lost = agree(one, other, surface, symmetry)
    time = demo.meta.time[first : last + 1]
    Ts_camera_object = smooth_path(time, Ts_camera_object, lost)
    return ObjectTrack(time, Ts_camera_object, confidence, lost, slack, growth, first, found.start, found.start_frame)


@dataclass(frozen=True)
class _TwoPasses:
    """Two passes over the same frames, and what the first began from."""

    one: dict[int, Tracked]
    other: dict[int, Tracked]
    start_frame: int
    start: Start
    refuted: bool = False
    """Whether the other began wrong: it may contradict the one, but not stand in for it."""


def _two_passes(passes: _Passes, finds: list[tuple[int, Start]], symmetry: Symmetry) -> _TwoPasses:
    """From one or two of the frames in which the object is found by itself; the second from the ends of the first where it has
    none of its own, or one that does not help.
    """
    (start_frame, start), *others = _anchors(finds, passes.last - passes.first)
    one = passes.both_ways(start_frame, start.T_camera_object)
    if not others:
        return _TwoPasses(one, passes.back(start_frame, one), start_frame, start)
    frame, second = others[0]
    other = passes.both_ways(frame, passes.likeness(frame, second, one[frame].T_camera_object, symmetry))
    wrong = began_wrong(one, other, passes.surface, symmetry)
    if wrong == "first":
        return _TwoPasses(other, _lost_with(other, one), frame, second, refuted=True)
    if wrong == "second":
        return _TwoPasses(one, _lost_with(one, other), start_frame, start, refuted=True)
    # A thing of the same shape that stands beside it, say, or the arm; what moves is the object, and what is found again.
    which = follows_another(one, other, passes.surface) or found_less(one, other, passes.surface, symmetry, finds)
    if which == "first":
        one, start_frame, start = other, frame, second
    if which or shows_less(one, other, passes.surface, symmetry):
        other = passes.back(start_frame, one)
    return _TwoPasses(one, other, start_frame, start)


def _lost_with(one: dict[int, Tracked], other: dict[int, Tracked]) -> dict[int, Tracked]:
    """The other pass, lost where the one is."""
    return {index: replace(each, lost=each.lost or one[index].lost) for index, each in other.items()}


class _Passes:
    """Passes of a tracker over a part of a recording."""

    def __init__(
        self,
        demo: Demo,
        surface: SurfaceModel,
        cfg: TrackCfg,
        first: int,
        last: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.demo, self.surface, self.cfg, self.first, self.last = demo, surface, cfg, first, last
        self.progress, self.done, self.total = progress, 0, 2 * (last - first + 1)

    def likeness(self, frame: int, start: Start, known: SE3, symmetry: Symmetry) -> SE3:
        """A pose to start from: of those that explain the picture alike, the one that another pass came to (``known``)."""
        # A box, a mug whose handle is hidden.
        if score_pose(_frame(self.demo, frame), start.mask, self.surface, known, self.cfg) > _EQUAL * start.score:
            return known
        return nearest_likeness(start.T_camera_object, known, symmetry, shape_turns(self.surface))[0]

    def both_ways(self, frame: int, T_camera_object: SE3) -> dict[int, Tracked]:
        """From a frame to the end, and back to the beginning."""
        earlier = self._follow(range(frame, self.first - 1, -1), T_camera_object) if frame > self.first else {}
        return {**earlier, **self._follow(range(frame, self.last + 1), T_camera_object)}

    def back(self, frame: int, found: dict[int, Tracked]) -> dict[int, Tracked]:
        """From where a pass came to at both ends, back: what hides the object as it comes often lets it go free."""
        later = self._follow(range(self.last, frame - 1, -1), found[self.last].T_camera_object)
        if frame == self.first:
            return later
        return {**self._follow(range(self.first, frame), found[self.first].T_camera_object), **later}

    def _follow(self, order: range, T_camera_object: SE3) -> dict[int, Tracked]:
        tracker, found = Tracker(self.surface, self.cfg), {}
        for index in order:
            frame = _frame(self.demo, index)
            found[index] = tracker.track(frame) if found else tracker.begin(frame, T_camera_object)
            self.done += 1
            if self.progress is not None:
                self.progress(min(self.done, self.total), self.total)
        return found


def _frame(demo: Demo, index: int) -> RGBDFrame:
    return decode(demo[index], demo.meta.calibration, demo.meta.depth_unit)


def _find(
    demo: Demo, surface: SurfaceModel, cfg: TrackCfg, first: int, last: int, mask: str | None
) -> list[tuple[int, Start]]:
    """Frames that were tried, the best first, and how the object is found there by itself; the first is good enough to start
    from.
    """
    if mask is not None:
        named = [index for index in demo.frames_with_mask(mask) if first <= index <= last]
        if not named:
            raise SchemaError(f"No frame from {first} to {last} has a mask {mask!r}.")
        frame = _frame(demo, named[0])
        return [(named[0], find_start(frame, [frame.masks[mask]], surface, None, cfg)[0])]
    indices = _order(first, last)
    depths = {index: _frame(demo, index).depth for index in indices[:_COMPARED]}
    found: list[tuple[int, Start]] = []
    moved: dict[int, float] = {}
    trouble = "Nothing fits its shape."
    for index in indices:
        frame = _frame(demo, index)
        try:
            start = search_what_moves(frame, surface, cfg, depths)
        except SchemaError as error:
            trouble = str(error)
            continue
        found.append((index, start))
        moved[index] = _share_moved(start, frame, depths)
        sure = [at for at, start in found if start.score > _SURE]
        if sure and max(sure) - min(sure) >= _APART * (last - first):
            break
    finds = _best_first(found, moved)
    if not finds or finds[0][1].score < _LEAST:
        raise SchemaError(
            f"{surface.name} was not found in any of {_TRIES} frames from {first} to {last}. {trouble} Begin the recording "
            "with the object in view and the hand away from it, or give a mask."
        )
    return finds


def _anchors(finds: list[tuple[int, Start]], count: int) -> list[tuple[int, Start]]:
    """Of the frames in which the object is found, the best and the best that is far from it, if that is good enough.

    Args:
        finds: the best first.
        count: frames in all.
    """
    best, score = finds[0][0], finds[0][1].score
    far = [one for one in finds if abs(one[0] - best) >= _APART * count]
    return [finds[0], *[one for one in far if one[1].score >= max(_LEAST, _SECOND * score)][:1]]


def _order(first: int, last: int) -> list[int]:
    """Frames spread over a recording, from both ends inwards: at the ends the hand is away most often."""
    spread = {int(index) for index in np.linspace(first, last, _TRIES).round()}
    return sorted(spread, key=lambda index: (min(index - first, last - index), index))


def search_what_moves(frame: RGBDFrame, surface: SurfaceModel, cfg: TrackCfg, depths: dict[int, np.ndarray]) -> Start:
    """The best first pose in a frame; of things that fit alike, the one that is elsewhere in other frames (their ``depths``)."""
    starts = search(frame, surface, cfg)
    return max(starts, key=lambda one: one.score * (1.0 + _MOVES * _share_moved(one, frame, depths)))


def _share_moved(start: Start, frame: RGBDFrame, depths: dict[int, np.ndarray]) -> float:
    """Share, 0 to 1, of what a first pose was found on that is elsewhere in other frames (their ``depths``)."""
    others = [depth for index, depth in depths.items() if index != frame.index]
    return share_moved(start.mask, frame.depth, others, depth_noise(frame.depth))


def _best_first(found: list[tuple[int, Start]], moved: dict[int, float]) -> list[tuple[int, Start]]:
    """Finds by their score, but none first on something that never moves (``moved``, by frame) if another is on something that
    does. Where the object is hidden, a thing beside it may look more like it than it does itself elsewhere.
    """
    finds = sorted(found, key=lambda one: -one[1].score)
    if finds and moved[finds[0][0]] < _STAYS:
        least = _SECOND * finds[0][1].score
        goes = [place for place, (index, start) in enumerate(finds) if moved[index] > _GOES and start.score >= least]
        finds.insert(0, finds.pop(goes[0] if goes else 0))
    return finds
