"""What a landmark network says of a hand in a picture, whatever network it is.

In:  a picture.   Out: ``Landmarks``.
Not here: the networks (mediapipe_hands), where to look (finder), 3D (fit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Landmarks:
    """One hand in one picture."""

    pixels: np.ndarray
    """(21, 2) [px] in ``KEYPOINT_NAMES`` order."""
    p_local: np.ndarray | None
    """(21, 3) [m] about the shape of the hand: around its own middle, axes as the camera's (x right, y down, z away); none
    where nothing says."""
    right: float
    """How sure it is that this is a right hand: 1 surely right, 0 surely left."""

    @property
    def box(self) -> tuple[np.ndarray, float]:
        """Middle (2) and larger side of what the landmarks cover [px]."""
        lower, upper = self.pixels.min(axis=0), self.pixels.max(axis=0)
        return (lower + upper) / 2, float((upper - lower).max())

    def moved(self, scale: float, shift: np.ndarray) -> Landmarks:
        """The same in a picture of which this one was a part: pixels times ``scale``, plus ``shift`` (2) [px]."""
        return Landmarks(self.pixels * scale + shift, self.p_local, self.right)

    def turned_back(self, quarters: int, size: int) -> Landmarks:
        """The same in a square picture of ``size`` [px] of which this one is ``numpy.rot90(picture, quarters)``."""
        turn = np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), quarters % 4)
        middle = (size - 1) / 2
        p_local = None if self.p_local is None else np.hstack((self.p_local[:, :2] @ turn.T, self.p_local[:, 2:]))
        return Landmarks((self.pixels - middle) @ turn.T + middle, p_local, self.right)


class Landmarker(Protocol):
    """Finds hands in pictures, each on its own."""

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        """Hands in a picture (H, W, 3) uint8, the surest first."""
        ...

    def follow(self) -> Landmarker:
        """Another one, for one hand in pictures that follow one another: it looks where the hand was in the picture before, and
        so sees some that would not be found in a picture alone.
        """
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...
