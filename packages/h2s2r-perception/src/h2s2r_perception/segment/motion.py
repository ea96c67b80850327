"""What moves: a thing of one picture is gone from its place in another.

In:  depth of several pictures of a camera that stands still, a mask in one of them.   Out: how much of it moves.
Not here: where it went (track), what the thing is (components).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: [m] by which a pixel must be farther for what was there to be gone; three standard deviations of noise add to it.
_GONE = 0.01


def share_moved(mask: np.ndarray, depth: np.ndarray, others: Sequence[np.ndarray], noise: float) -> float:
    """Share of a thing's measured pixels, 0 to 1, behind which something is seen in another picture; the largest of all.

    A hand that comes in front of a thing does not make it move: then what is seen is nearer.

    Args:
        mask: (H, W) bool, the thing.
        depth: (H, W) [m] of its picture.
        others: (H, W) [m] each, of the other pictures.
        noise: [m] standard deviation of depth at 1 m.
    """
    v, u = np.nonzero(mask & (depth > 0))
    if not len(v) or not len(others):
        return 0.0
    here = depth[v, u]
    gone = [(there := other[v, u]) > here + _GONE + 3 * noise * there**2 for other in others]
    return float(max(one.mean() for one in gone))
