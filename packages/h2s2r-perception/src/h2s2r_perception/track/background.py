"""The scene without what moves: its depth, learnt while things move about in front of it.

In:  frames of a camera that stands still, and where the object is.   Out: depth (H, W) [m] of what never moves, its noise.
Not here: colours (colour), the table's plane (segment).
"""

from __future__ import annotations

import numpy as np

#: [m] by which a pixel must be nearer than the background to belong to something in front of it; noise adds to it.
CLEARANCE = 0.005
_RATE = 0.15


class Background:
    """Depth of the empty scene, kept for every second pixel of every second row.

    A pixel takes over what is farther at once, and comes nearer only slowly, and only by noise: a hand that passes leaves no
    trace, and what it uncovers is learnt in one frame.

    Args:
        depth: (H, W) [m] of the first frame.
        excluded: (H, W) bool, where that frame shows something that may move.
        noise: [m] standard deviation of depth at 1 m; it grows with the square of the distance.
        table: (H, W) [m] depth of the bare table, where one was found: it is behind what stands on it. 0 where it is not.
    """

    def __init__(self, depth: np.ndarray, excluded: np.ndarray, noise: float, table: np.ndarray | None = None) -> None:
        behind = np.zeros_like(depth) if table is None else table
        self.depth = np.where(excluded | (depth == 0), behind, depth)[::2, ::2].astype(np.float32)
        self.noise = noise

    def learn(self, depth: np.ndarray, excluded: np.ndarray) -> None:
        """Take in a frame (H, W) [m]; ``excluded`` (H, W) bool is where the object is."""
        seen, known = depth[::2, ::2], self.depth
        sigma = self.noise * seen * seen
        use = (seen > 0) & ~excluded[::2, ::2]
        apart = seen - known
        farther = use & ((known == 0) | (apart > CLEARANCE + 3 * sigma))
        same = use & (np.abs(apart) <= CLEARANCE + 3 * sigma)
        self.depth = np.where(farther, seen, np.where(same, known + np.float32(_RATE) * apart, known))

    def in_front(self, u: np.ndarray, v: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """(N) whether measurements (N) [m] at pixels (u, v) are of something in front of the background, or unknown."""
        behind = self.depth[v >> 1, u >> 1]
        return (behind == 0) | (depth < behind - CLEARANCE - 2 * self.noise * depth * depth)

    def clearly_in_front(self, depth: np.ndarray) -> np.ndarray:
        """(H/2, W/2) bool of a whole frame (H, W) [m], only where the background is known."""
        seen = depth[::2, ::2]
        return (seen > 0) & (self.depth > 0) & (seen < self.depth - 2 * CLEARANCE - 3 * self.noise * seen * seen)


def depth_noise(depth: np.ndarray) -> float:
    """Standard deviation of depth (H, W) [m], as it would be at 1 m: from second differences along rows, which planes lack.

    Stereo's noise grows with the square of the distance. At least 0.5 mm, the step of most cameras.
    """
    left, middle, right = depth[::4, :-8:4], depth[::4, 4:-4:4], depth[::4, 8::4]
    whole = (left > 0) & (middle > 0) & (right > 0) & (np.abs(right - left) < 0.03 * middle)
    if not whole.any():
        return 0.0025
    bend = (left + right - 2 * middle)[whole] / middle[whole] ** 2
    return float(max(0.0005, 1.4826 * np.median(np.abs(bend)) / np.sqrt(6.0)))
