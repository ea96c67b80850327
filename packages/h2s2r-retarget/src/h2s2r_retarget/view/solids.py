"""Triangles of primitive shapes.

In:  ``Shape``.   Out: vertices (V, 3) [m] in the frame of the shape's owner, faces (F, 3), counter-clockwise from outside.
Not here: where the owner is (scene).
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np

from h2s2r_schemas.artifacts import Shape
from h2s2r_schemas.se3 import SE3

#: Corners around a circle, and rings from the rim of a hemisphere to its pole.
_AROUND, _RINGS = 16, 4
#: The corners of a face of a box, by the index of ``product((-1, 1), repeat=3)``.
_BOX_SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def triangles(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) [m] in the owner's frame, and faces (F, 3)."""
    if shape.kind == "mesh":
        vertices, faces = shape.vertices, shape.faces
    elif shape.kind == "box":
        vertices = 0.5 * shape.size * np.array(list(product((-1.0, 1.0), repeat=3)))
        faces = np.array([corners for a, b, c, d in _BOX_SIDES for corners in ((a, b, c), (a, c, d))])
    else:
        vertices, faces = _turned(_profile(shape))
    return SE3(shape.wxyz_xyz).apply(vertices), np.asarray(faces, dtype=np.int32)


def _profile(shape: Shape) -> np.ndarray:
    """The outline (K, 2) of a round shape, from its lower to its upper pole: distance from the axis and height [m]."""
    radius, half = float(shape.size[0]), 0.5 * float(shape.size[1])
    if shape.kind == "cylinder":
        return np.array([[0.0, -half], [radius, -half], [radius, half], [0.0, half]])
    angle = np.linspace(0.0, 0.5 * np.pi, _RINGS + 1)
    upper = np.stack([radius * np.cos(angle), half + radius * np.sin(angle)], -1)
    lower = upper[::-1] * (1.0, -1.0)
    return np.concatenate([lower, upper]) if half else np.concatenate([lower, upper[1:]])


def _turned(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The surface that a profile (K, 2), closed at both poles, leaves when turned about z."""
    angle = np.linspace(0.0, 2.0 * np.pi, _AROUND, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)
    rings = [np.column_stack([r * circle, np.full(_AROUND, z)]) for r, z in profile[1:-1]]
    poles = [[0.0, 0.0, profile[0, 1]], [0.0, 0.0, profile[-1, 1]]]
    vertices = np.concatenate([*rings, poles])
    here = np.arange(_AROUND)
    after = np.roll(here, -1)
    low_pole, high_pole, last = len(vertices) - 2, len(vertices) - 1, (len(rings) - 1) * _AROUND
    faces = [np.column_stack([np.full(_AROUND, low_pole), after, here])]
    for low, high in pairwise(np.arange(len(rings)) * _AROUND):
        faces.append(np.column_stack([here + low, after + low, after + high]))
        faces.append(np.column_stack([here + low, after + high, here + high]))
    faces.append(np.column_stack([np.full(_AROUND, high_pole), here + last, after + last]))
    return vertices, np.concatenate(faces)
