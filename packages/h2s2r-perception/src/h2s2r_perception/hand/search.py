"""Look for the hand through a whole recording.

In:  ``Demo``, a ``Landmarker``.   Out: ``Looks`` by number of frame.
Not here: looking for it in one frame (finder, follow), what the looks add up to (path).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from h2s2r_perception.frames import RGBDFrame, decode, decode_all
from h2s2r_perception.hand.finder import Finder
from h2s2r_perception.hand.follow import Follower
from h2s2r_perception.hand.landmarks import Landmarker, Landmarks
from h2s2r_perception.hand.looks import Looks, Mirrored, look_twice, looks_of
from h2s2r_schemas.demo import Demo

#: [s] before a frame without a hand from which on one is followed into it: the network must first find it by itself.
_BEFORE = 1.0
#: Frames outside a clip that are looked at for the hand's side.
_ELSEWHERE = 48
Progress = Callable[[int, int], None]


def find_all(
    demo: Demo, landmarker: Landmarker, first: int, last: int, progress: Progress | None = None
) -> dict[int, Looks]:
    """What each frame with a hand tells about it, by its number: forward, then backward where it was found too late."""
    landmarks: dict[int, Landmarks] = {}
    found: dict[int, Looks] = {}
    for index, seen, looks in _forward(demo, landmarker, first, last):
        if seen is not None:
            landmarks[index] = seen
        if looks is not None:
            found[index] = looks
        if progress:
            progress(index - first + 1, last - first + 1)
    for stretch in _stretches(range(last, first - 1, -1), np.asarray(demo.meta.time), landmarks):
        found |= _backward(demo, landmarker, stretch, landmarks)
    return found


def find_elsewhere(demo: Demo, landmarker: Landmarker, first: int, last: int) -> dict[int, Looks]:
    """What some frames before ``first`` and after ``last`` tell about the hand, to know its side by."""
    outside = [index for index in range(len(demo)) if not first <= index <= last]
    finder, mirror, found = Finder(landmarker), Finder(Mirrored(landmarker)), {}
    for index in outside[:: max(1, len(outside) // _ELSEWHERE)]:
        frame = _frame(demo, index)
        seen = finder.find(frame)
        looks = None if seen is None else look_twice(frame, seen, mirror)
        if looks is not None:
            found[index] = looks
    return found


def _forward(
    demo: Demo, landmarker: Landmarker, first: int, last: int
) -> Iterator[tuple[int, Landmarks | None, Looks | None]]:
    """Of each frame its number, landmarks of the hand, and what they tell."""
    finder, mirror, follower = Finder(landmarker), Finder(Mirrored(landmarker)), Follower(landmarker)
    for frame in decode_all(demo, first, last):
        where = finder.where(frame.time)
        one, other = (None, None) if where is None else follower.look(frame, where)
        seen = one or other
        if seen is not None:
            finder.saw(frame, seen)
            yield frame.index, seen, looks_of(frame, one, other)
            continue
        seen = finder.find(frame)
        yield frame.index, seen, None if seen is None else look_twice(frame, seen, mirror)
    follower.close()


def _stretches(order: Sequence[int], time: np.ndarray, landmarks: Mapping[int, Landmarks]) -> list[list[int]]:
    """Frames without a hand and those shortly before them in an order, as far as they follow one another there."""
    missing, at = np.array([index not in landmarks for index in order]), time[list(order)]
    wanted = np.array([missing[k:][np.abs(at[k:] - at[k]) < _BEFORE].any() for k in range(len(order))])
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(int))).reshape(-1, 2)
    return [list(order[begin:after]) for begin, after in edges]


def _backward(
    demo: Demo, landmarker: Landmarker, stretch: Sequence[int], landmarks: Mapping[int, Landmarks]
) -> dict[int, Looks]:
    """What frames of a stretch without a hand tell, if one is followed into them from those that have one."""
    follower, found, last = Follower(landmarker), {}, None
    for index in stretch:
        where = landmarks.get(index, last)
        if where is None:
            continue
        frame = _frame(demo, index)
        one, other = follower.look(frame, where)
        last = one or other
        looks = None if index in landmarks else looks_of(frame, one, other)
        if looks is not None:
            found[index] = looks
    follower.close()
    return found


def _frame(demo: Demo, index: int) -> RGBDFrame:
    return decode(demo[index], demo.meta.calibration, demo.meta.depth_unit)
