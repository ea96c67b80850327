"""Look for the hand where it was, then everywhere, then where something moves.

In:  ``RGBDFrame`` after ``RGBDFrame``, a ``Landmarker``.   Out: ``Landmarks`` of one hand, or none.
Not here: networks (mediapipe_hands), whether it is really a hand (fit, doubt).

A hand fills little of a picture; a network that looks at all of it with few pixels finds it less often than in a part.
"""

from __future__ import annotations

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame
from h2s2r_perception.hand.landmarks import Landmarker, Landmarks

#: Side of the part of the picture that is looked at, in sizes of the hand there, and in pixels that are shown at most.
_PART, _SHOWN = 2.6, 320
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
        self._before: np.ndarray | None = None

    def find(self, frame: RGBDFrame) -> Landmarks | None:
        """The hand in the next frame."""
        moving = self._moving(frame)
        found = self.near(frame, self._last) if self._last is not None else None
        if found is None:
            found = self._best(self._in_part(frame, *_whole(frame)), moving)
        if found is None and moving is not None:
            found = self._best(self._in_part(frame, *_around(moving)), moving)
        self._last = found
        return found

    def near(self, frame: RGBDFrame, where: Landmarks) -> Landmarks | None:
        """The hand in any frame, looked for where it is in a neighbouring one."""
        middle, side = where.box
        found = self._in_part(frame, middle, _PART * max(side, 24.0))
        apart = [float(np.linalg.norm(each.box[0] - middle)) for each in found]
        return found[int(np.argmin(apart))] if apart and min(apart) < side else None

    def _in_part(self, frame: RGBDFrame, middle: np.ndarray, side: float) -> list[Landmarks]:
        """Hands in a square part of the picture, those of a possible size only."""
        scale = min(1.0, _SHOWN / side) if side < max(frame.rgb.shape) else 1.0
        scale = max(scale, min(2.0, 192.0 / side))
        shift = np.array(middle) - side / 2
        count = round(side * scale)
        if side >= max(frame.rgb.shape):
            shown, scale, shift = frame.rgb, 1.0, np.zeros(2)
        else:
            to_part = np.array([[scale, 0.0, -shift[0] * scale], [0.0, scale, -shift[1] * scale]])
            shown = cv2.warpAffine(frame.rgb, to_part, (count, count), flags=cv2.INTER_AREA)
        found = [each.moved(1.0 / scale, shift) for each in self._landmarker.find(shown)]
        return [each for each in found if _possible(each, frame)]

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


def _possible(found: Landmarks, frame: RGBDFrame) -> bool:
    """Whether the landmarks cover what a hand could, at their depth; yes where no depth is known."""
    height, width = frame.depth.shape
    u = np.clip(np.rint(found.pixels[:, 0]).astype(int), 0, width - 1)
    v = np.clip(np.rint(found.pixels[:, 1]).astype(int), 0, height - 1)
    depth = frame.depth[v, u]
    if not (depth > 0).any():
        return True
    side = found.box[1] / frame.camera.fx * float(np.median(depth[depth > 0]))
    return _SMALLEST < side < _LARGEST
