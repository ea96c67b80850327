"""Two looks at one hand: the picture as it is, and in a mirror.

In:  ``RGBDFrame``, a ``Landmarker``, where the hand is.   Out: ``Looks``: the evidence if it is a left hand, and if a right one.
Not here: finding the hand (finder), which of the two it is (side).

A network that takes a left hand for a right one puts its landmarks on a right hand too; in the mirror it often sees the other
one. So each side is judged by the look that speaks for it; where both looks say the same, their mean is closer than either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame
from h2s2r_perception.hand.evidence import Evidence, collect, stack
from h2s2r_perception.hand.finder import Finder
from h2s2r_perception.hand.landmarks import Landmarker, Landmarks

#: Mean distance of the landmarks, in sizes of the hand, within which two looks that name the same side are one.
_SAME = 0.12


@dataclass(frozen=True)
class Looks:
    """What a frame tells of a hand; often the same twice."""

    as_left: Evidence
    """By the look that speaks more for a left hand."""
    as_right: Evidence
    """By the look that speaks more for a right hand."""


class Mirrored:
    """A landmarker that is shown every picture in a mirror; its answers are of the picture itself.

    Args:
        landmarker: that looks.
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        """Hands in a picture (H, W, 3) uint8."""
        flip, last = np.array([-1.0, 1.0]), np.array([rgb.shape[1] - 1.0, 0.0])
        return [
            Landmarks(
                last + each.pixels * flip,
                None if each.p_local is None else each.p_local * np.array([-1.0, 1.0, 1.0]),
                1.0 - each.right,
            )
            for each in self._landmarker.find(cv2.flip(rgb, 1))
        ]

    def follow(self) -> Mirrored:
        """The same for pictures that follow one another."""
        return Mirrored(self._landmarker.follow())

    def close(self) -> None:
        """Close the landmarker that looks."""
        self._landmarker.close()


def look_twice(frame: RGBDFrame, seen: Landmarks, mirror: Finder) -> Looks | None:
    """Both looks at the hand; none where there is hardly any depth under it.

    Args:
        frame: colour and depth.
        seen: landmarks of the hand in it.
        mirror: a finder whose landmarker is ``Mirrored``.
    """
    return looks_of(frame, seen, mirror.near(frame, seen))


def looks_of(frame: RGBDFrame, seen: Landmarks | None, other: Landmarks | None) -> Looks | None:
    """Two looks, or one, as what they tell of each side; none without a look, or where there is hardly any depth under it.

    Args:
        frame: colour and depth.
        seen: landmarks by the picture as it is.
        other: landmarks by the picture in a mirror, as they are in the picture itself.
    """
    if seen is None or other is None:
        one = seen or other
        return None if one is None else one_look(collect(frame, one))
    apart = float(np.linalg.norm(other.pixels - seen.pixels, axis=-1).mean())
    if (other.right > 0.5) == (seen.right > 0.5) and apart < _SAME * seen.box[1]:
        return one_look(collect(frame, _mean(seen, other)))
    left, right = sorted((seen, other), key=lambda each: each.right)
    as_left, as_right = collect(frame, left), collect(frame, right)
    if as_left is None or as_right is None:
        return one_look(as_left or as_right)
    return Looks(as_left, as_right)


def one_look(evidence: Evidence | None) -> Looks | None:
    """The same evidence for both sides."""
    return None if evidence is None else Looks(evidence, evidence)


def stacked(looks: Iterable[Looks]) -> Looks:
    """Looks at many frames as one."""
    every = list(looks)
    return Looks(stack([each.as_left for each in every]), stack([each.as_right for each in every]))


def _mean(one: Landmarks, other: Landmarks) -> Landmarks:
    p_local = None
    if one.p_local is not None and other.p_local is not None:
        p_local = (one.p_local + other.p_local) / 2
    return Landmarks((one.pixels + other.pixels) / 2, p_local, (one.right + other.right) / 2)
