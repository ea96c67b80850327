"""Follow one hand through frames one after the other, forward or back.

In:  ``RGBDFrame``, where the hand was, a ``Landmarker``.   Out: both looks at the hand in the next frame.
Not here: finding it in a picture alone (finder), which frames to follow it through (search).

Networks find a hand in two steps: where a palm is, then the joints around it. The first is blind to some hands that come with
their edge to the camera; the second is not, once it is told where to look. In ``pitcher_pour`` 2059 the hand was found in none
of the 75 frames before the pitcher moves, and turning, cutting out and brightening the picture did not help. Followed back from
later frames it is there from frame 11 on, its landmarks 0.05 of its size off as a rule. It takes half the time besides.
"""

from __future__ import annotations

import numpy as np

from h2s2r_perception.frames import RGBDFrame
from h2s2r_perception.hand.finder import nearest, possible
from h2s2r_perception.hand.landmarks import Landmarker, Landmarks
from h2s2r_perception.hand.looks import Mirrored

#: Side of the part of the picture that is shown, in sizes of the hand, and at least [px]; the rest, with other hands, is black.
_SHOWN, _LEAST = 4.0, 96.0


class Follower:
    """One hand.

    Args:
        landmarker: finds hands in single pictures.
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._straight, self._mirrored = landmarker.follow(), Mirrored(landmarker.follow())

    def look(self, frame: RGBDFrame, where: Landmarks) -> tuple[Landmarks | None, Landmarks | None]:
        """The hand in the next frame, by the picture as it is and in a mirror: none where it is lost.

        Args:
            frame: that frame.
            where: the hand in this frame or the last one.
        """
        shown = _only_around(frame.rgb, where)
        straight, mirrored = (
            nearest([each for each in look.find(shown) if possible(each, frame)], *where.box)
            for look in (self._straight, self._mirrored)
        )
        return straight, mirrored

    def close(self) -> None:
        """Give its memory back."""
        self._straight.close()
        self._mirrored.close()


def _only_around(rgb: np.ndarray, where: Landmarks) -> np.ndarray:
    """The picture (H, W, 3), black but for a square around the hand."""
    middle, side = where.box
    half = max(_SHOWN * side, _LEAST) / 2
    left, top = np.maximum(np.rint(middle - half).astype(int), 0)
    right, bottom = np.maximum(np.rint(middle + half).astype(int), 0)
    shown = np.zeros_like(rgb)
    shown[top:bottom, left:right] = rgb[top:bottom, left:right]
    return shown
