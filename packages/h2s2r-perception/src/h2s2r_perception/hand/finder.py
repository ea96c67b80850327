"""Look for the hand where it was, twice, then everywhere, then where something moves.

In:  ``RGBDFrame`` after ``RGBDFrame``, a ``Landmarker``.   Out: ``Landmarks`` of one hand, or none.
Not here: networks (mediapipe_hands), whether it is really a hand (fit, doubt).

A hand fills little of a picture; a network that looks at all of it with few pixels finds it less often than in a part. It
misses dark hands, and those that point down: in two recordings where it had missed the hand before it touched the object, it
found it in 0.10 and 0.06 of the frames in a part around it; farther away, brighter and upside down in 1.00 and 0.94.
"""

from __future__ import annotations

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame
from h2s2r_perception.hand.landmarks import Landmarker, Landmarks
from h2s2r_schemas.artifacts import KEYPOINT_NAMES

_WRIST, _MIDDLE_FINGER = KEYPOINT_NAMES.index("wrist"), KEYPOINT_NAMES.index("middle_mcp")

#: Side of the part of the picture that is looked at, in sizes of the hand there, and in pixels that are shown at most.
_PART, _SHOWN = 2.6, 320
#: The same in the second look, and the power to which brightness is raised there.
_WIDE, _BRIGHT = 4.0, 0.5
_BRIGHTER = np.rint(255.0 * (np.arange(256) / 255.0) ** _BRIGHT).astype(np.uint8)
#: [s] for which a hand that is lost is looked for around where it was.
_REMEMBERED = 1.0
#: Sizes of a hand [m] between which landmarks cover, farthest to farthest; a fist seen from the front is the smallest.
_SMALLEST, _LARGEST = 0.05, 0.32
_MOVED = 18
_LEAST_MOVING = 0.002


class Finder:
    """Follows one hand: the one that moves.

    Args:
        landmarker: finds hands in a picture.
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self._last: Landmarks | None = None
        self._seen_at = 0.0
        self._before: np.ndarray | None = None

    def find(self, frame: RGBDFrame) -> Landmarks | None:
        """The hand in the next frame."""
        moving = self._moving(frame)
        last = self.where(frame.time)
        found = None if last is None else self.near(frame, last)
        if found is None:
            found = self._best(self._in_part(frame, *_whole(frame)), moving)
        if found is None and moving is not None:
            found = self._best(self._in_part(frame, *_around(moving)), moving)
        if found is not None:
            self._last, self._seen_at = found, frame.time
        return found

    def where(self, time: float) -> Landmarks | None:
        """The hand as it was last seen, if that was not long before a time [s]."""
        return self._last if time - self._seen_at <= _REMEMBERED else None

    def saw(self, frame: RGBDFrame, found: Landmarks) -> None:
        """Somebody else found the hand in the next frame."""
        self._moving(frame)
        self._last, self._seen_at = found, frame.time

    def near(self, frame: RGBDFrame, where: Landmarks) -> Landmarks | None:
        """The hand in any frame, looked for where it is in a neighbouring one."""
        middle, side = where.box
        found = nearest(self._in_part(frame, middle, _PART * max(side, 24.0)), middle, side)
        return found or nearest(self._from_farther(frame, where), middle, side)

    def _in_part(self, frame: RGBDFrame, middle: np.ndarray, side: float) -> list[Landmarks]:
        """Hands in a square part of the picture, those of a possible size only."""
        scale = min(1.0, _SHOWN / side) if side < max(frame.rgb.shape) else 1.0
        scale = max(scale, min(2.0, 192.0 / side))
        shift = np.array(middle) - side / 2
        count = round(side * scale)
        if side >= max(frame.rgb.shape):
            shown, scale, shift = frame.rgb, 1.0, np.zeros(2)
        else:
            shown = _part(frame.rgb, shift, scale, count)
        found = [each.moved(1.0 / scale, shift) for each in self._landmarker.find(shown)]
        return [each for each in found if possible(each, frame)]

    def _from_farther(self, frame: RGBDFrame, where: Landmarks) -> list[Landmarks]:
        """Hands in a larger part, shown brighter and with the fingers up: most pictures of hands are like that."""
        middle, side = where.box
        side = _WIDE * max(side, 24.0)
        scale, shift = min(2.0, _SHOWN / side), middle - side / 2
        count, quarters = round(side * scale), _quarters_to_upright(where)
        shown = np.rot90(cv2.LUT(_part(frame.rgb, shift, scale, count), _BRIGHTER), quarters)
        found = self._landmarker.find(np.ascontiguousarray(shown))
        here = [each.turned_back(quarters, count).moved(1.0 / scale, shift) for each in found]
        return [each for each in here if possible(each, frame)]

    def _best(self, found: list[Landmarks], moving: np.ndarray | None) -> Landmarks | None:
        """The one under which most moves."""
        if not found or moving is None:
            return found[0] if found else None
        return max(found, key=lambda each: _share(each, moving))

    def _moving(self, frame: RGBDFrame) -> np.ndarray | None:
        """(H/4, W/4) bool where the picture changed since the last one; none where it did not, or is the first."""
        grey = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)[::4, ::4]
        before, self._before = self._before, grey
        if before is None or before.shape != grey.shape:
            return None
        moving = cv2.medianBlur(cv2.absdiff(grey, before), 3) > _MOVED
        return moving if moving.mean() > _LEAST_MOVING else None


def nearest(found: list[Landmarks], middle: np.ndarray, side: float) -> Landmarks | None:
    """The one nearest to a place, within ``side`` [px] of it."""
    apart = [float(np.linalg.norm(each.box[0] - middle)) for each in found]
    return found[int(np.argmin(apart))] if apart and min(apart) < side else None


def _part(rgb: np.ndarray, shift: np.ndarray, scale: float, count: int) -> np.ndarray:
    """The square part (count, count, 3) of a picture that begins at ``shift`` [px], black outside of it."""
    to_part = np.array([[scale, 0.0, -shift[0] * scale], [0.0, scale, -shift[1] * scale]])
    return cv2.warpAffine(rgb, to_part, (count, count), flags=cv2.INTER_AREA)


def _quarters_to_upright(seen: Landmarks) -> int:
    """How many quarter turns (``numpy.rot90``) let the fingers point up."""
    along = seen.pixels[_MIDDLE_FINGER] - seen.pixels[_WRIST]
    # Pointing right needs one quarter turn, down two, left three.
    return int(np.rint(np.arctan2(along[1], along[0]) / (np.pi / 2))) + 1


def _whole(frame: RGBDFrame) -> tuple[np.ndarray, float]:
    height, width = frame.depth.shape
    return np.array([width / 2, height / 2]), float(max(height, width))


def _around(moving: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle (2) and side [px] of the square around what moves."""
    v, u = np.nonzero(moving)
    lower, upper = np.percentile(u, (2, 98)), np.percentile(v, (2, 98))
    middle = np.array([lower.mean(), upper.mean()]) * 4.0
    return middle, 4.0 * 1.3 * float(max(np.ptp(lower), np.ptp(upper), 16))


def _share(found: Landmarks, moving: np.ndarray) -> float:
    """Of the landmarks, how many are where something moves."""
    at = np.clip(np.rint(found.pixels / 4).astype(int), 0, np.array(moving.shape)[::-1] - 1)
    return float(cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8))[at[:, 1], at[:, 0]].mean())


def possible(found: Landmarks, frame: RGBDFrame) -> bool:
    """Whether the landmarks cover what a hand could, at their depth; yes where no depth is known."""
    height, width = frame.depth.shape
    u = np.clip(np.rint(found.pixels[:, 0]).astype(int), 0, width - 1)
    v = np.clip(np.rint(found.pixels[:, 1]).astype(int), 0, height - 1)
    depth = frame.depth[v, u]
    if not (depth > 0).any():
        return True
    side = found.box[1] / frame.camera.fx * float(np.median(depth[depth > 0]))
    return _SMALLEST < side < _LARGEST
