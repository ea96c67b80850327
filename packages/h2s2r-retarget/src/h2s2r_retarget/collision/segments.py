"""Closest points of pairs of segments.

In:  start and end points (…, 3) [m].   Out: the closest point of each, and the vector between them.
Not here: which pairs to look at (model), radii (detect).
"""

from __future__ import annotations

import numpy as np

_TINY = 1e-12


def closest_points(
    start_a: np.ndarray, end_a: np.ndarray, start_b: np.ndarray, end_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The closest points (…, 3) [m] of segments a and b, which may be points.

    Ericson, Real-Time Collision Detection (2005), section 5.1.9, without branches: minimise over a, then over b, then over
    a again. For parallel segments one of the many closest pairs.
    """
    along_a, along_b, between = end_a - start_a, end_b - start_b, start_a - start_b
    aa, bb, ab = _dot(along_a, along_a), _dot(along_b, along_b), _dot(along_a, along_b)
    a_between, b_between = _dot(along_a, between), _dot(along_b, between)
    aa_safe, bb_safe = np.maximum(aa, _TINY), np.maximum(bb, _TINY)
    determinant = aa * bb - ab * ab
    parallel = determinant <= 1e-10 * aa * bb + _TINY**2
    s = np.where(parallel, 0.0, (ab * b_between - a_between * bb) / np.where(parallel, 1.0, determinant))
    t = np.clip((ab * np.clip(s, 0.0, 1.0) + b_between) / bb_safe, 0.0, 1.0)
    s = np.clip((ab * t - a_between) / aa_safe, 0.0, 1.0)
    return start_a + s[..., None] * along_a, start_b + t[..., None] * along_b


def _dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.einsum("...i,...i->...", x, y)
