"""Anchor points: a few points on an object whose distance from where the goal has them is what is rewarded.

In:  ``ObjectModel``.   Out: (K, 3) points [m] in the object frame.
Not here: the error itself (schemas: ``anchor_error``, symmetry-aware), the reward (mdp).
"""

from __future__ import annotations

import itertools

import numpy as np

from h2s2r_schemas.artifacts import ObjectModel, Shape
from h2s2r_schemas.se3 import SE3

#: How many anchor points are taken unless told otherwise. Four that are far apart see any shift and any turn.
NUM_ANCHORS = 4
_RING = 16


def surface_points(shape: Shape) -> np.ndarray:
    """Outermost points (P, 3) [m] of a shape in its owner's frame: mesh vertices, box corners, points on round edges."""
    radius, length = shape.size[0], shape.size[1]
    if shape.kind == "mesh":
        points = shape.vertices
    elif shape.kind == "box":
        points = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * shape.size
    elif shape.kind == "sphere":
        points = radius * np.concatenate([np.eye(3), -np.eye(3)])
    else:
        angles = 2 * np.pi * np.arange(_RING) / _RING
        ring = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(_RING)], axis=-1)
        reach = length / 2 + (radius if shape.kind == "capsule" else 0.0)
        ends = np.array([[0.0, 0.0, -reach], [0.0, 0.0, reach]])
        points = np.concatenate([ring - (0.0, 0.0, length / 2), ring + (0.0, 0.0, length / 2), ends])
    return SE3(shape.wxyz_xyz).apply(points)


def object_points(model: ObjectModel) -> np.ndarray:
    """Outermost points (P, 3) [m] of everything that is seen of an object, in the object frame."""
    return np.concatenate([surface_points(shape) for shape in model.visual])


def anchor_points(model: ObjectModel, count: int = NUM_ANCHORS) -> np.ndarray:
    """Anchor points (count, 3) [m] on the object's surface, each as far as possible from those before it.

    The first is the point farthest from the middle. Deterministic, and independent of the order of vertices. A symmetry
    of the object needs no care here: errors are measured after turning the object within its symmetry.
    """
    # Rounded and sorted: neither the order of vertices nor the last digit decides between equally far points.
    points = np.unique(np.round(object_points(model), 6), axis=0)
    distance = np.linalg.norm(points - (points.min(axis=0) + points.max(axis=0)) / 2, axis=-1)
    chosen: list[int] = []
    for _ in range(count):
        farthest = int(np.argmax(np.round(distance, 6)))
        step = np.linalg.norm(points - points[farthest], axis=-1)
        distance = np.minimum(distance, step) if chosen else step
        chosen.append(farthest)
    return points[chosen]
