"""Anchor points: a few points on an object whose distance from where the goal has them is what is rewarded.

In:  ``ObjectModel``.   Out: (K, 3) points [m] in the object frame.
Not here: the error itself (schemas: ``anchor_error``, symmetry-aware), the reward (mdp).
"""

from __future__ import annotations

import itertools

import numpy as np
from h2s2r_schemas.artifacts import ObjectModel, Shape

#: How many anchor points are taken unless told otherwise. Four that are far apart see any shift and any turn.
NUM_ANCHORS = 4
_RING = 16


def surface_points(shape: Shape) -> np.ndarray:
    """Outermost points (P, 3) [m] of a shape in its owner's frame: mesh vertices, box corners, points on round edges."""
    if shape.kind == "mesh":
        return shape.T_owner_shape.apply(shape.vertices) if hasattr(shape, "T_owner_shape") else _placed(shape, shape.vertices)
    radius, length = shape.size[0], shape.size[1]
    if shape.kind == "box":
        corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * shape.size
        return _placed(shape, corners)
    if shape.kind == "sphere":
        return _placed(shape, radius * np.concatenate([np.eye(3), -np.eye(3)]))
    angles = 2 * np.pi * np.arange(_RING) / _RING
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(_RING)], axis=-1)
    ends = [ring + (0.0, 0.0, side * length / 2) for side in (-1, 1)]
    if shape.kind == "capsule":
        ends.append(np.array([[0.0, 0.0, -length / 2 - radius], [0.0, 0.0, length / 2 + radius]]))
    return _placed(shape, np.concatenate(ends))
