"""Triangles on the zero set of a signed distance: naive surface nets, then moved onto it.

In:  a function from points (N, 3) [m] to signed distance (N) [m], a box, a step.   Out: vertices, faces, normals.
Not here: which function (field).

Gibson, Constrained Elastic Surface Nets (MICCAI 1998): one vertex per grid cell that the surface crosses, one square per
grid edge that it crosses. Smoother than marching cubes at the same step, and a page long.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Distance = Callable[[np.ndarray], np.ndarray]


def triangulate(
    distance: Distance, low: np.ndarray, high: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The surface where ``distance`` is 0.

    Args:
        distance: negative inside; smooth.
        low: (3) [m] corner of a box that holds all of it, by more than ``step``.
        high: (3) [m] the opposite corner.
        step: [m] of the grid: edges come out about as long.

    Returns:
        Vertices (V, 3) [m]; faces (F, 3) int32, counter-clockwise from outside; normals (V, 3), unit vectors outwards.
    """
    axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
    shape = tuple(len(axis) for axis in axes)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = distance(grid.reshape(-1, 3)).reshape(shape)
    position, count = _crossings(grid, values)
    cells = np.flatnonzero(count)
    number = np.full(count.size, -1)
    number[cells] = np.arange(len(cells))
    vertices = position.reshape(-1, 3)[cells] / count.reshape(-1)[cells, None]
    faces = _faces(values, number.reshape(count.shape))
    for _ in range(2):
        vertices -= distance(vertices)[:, None] * gradient(distance, vertices)
    return vertices, faces, gradient(distance, vertices)


def gradient(distance: Distance, points: np.ndarray, width: float = 5e-4) -> np.ndarray:
    """Unit vectors (N, 3) in which the distance grows fastest, by central differences [m]."""
    slope = np.stack([distance(points + h) - distance(points - h) for h in width * np.eye(3)], axis=-1)
    return slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-12)


def _crossings(grid: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per cell the sum (…, 3) of the points where the surface cuts its edges, and how many there are."""
    cells = tuple(n - 1 for n in values.shape)
    position, count = np.zeros((*cells, 3)), np.zeros(cells, int)
    for axis in range(3):
        first, second = _pair(values, axis)
        start, end = _pair(grid, axis)
        cut = (first < 0) != (second < 0)
        share = np.where(cut, first / np.where(cut, first - second, 1.0), 0.0)[..., None]
        points = np.where(cut[..., None], start + share * (end - start), 0.0)
        others = [other for other in range(3) if other != axis]
        for i in (slice(None, -1), slice(1, None)):
            for j in (slice(None, -1), slice(1, None)):
                window = [slice(None)] * 3
                window[others[0]], window[others[1]] = i, j
                position += points[tuple(window)]
                count += cut[tuple(window)]
    return position, count


def _pair(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of every grid edge along an axis."""
    before, after = [slice(None)] * 3, [slice(None)] * 3
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    return values[tuple(before)], values[tuple(after)]


def _faces(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Two triangles (F, 3) for each grid edge that the surface crosses, between the four cells around it."""
    triangles = []
    for axis in range(3):
        first, second = _pair(values, axis)
        u, v = (axis + 1) % 3, (axis + 2) % 3
        at = np.argwhere((first < 0) != (second < 0))
        at = at[(at[:, u] > 0) & (at[:, v] > 0)]
        outward = first[tuple(at.T)] < 0
        corners = []
        for du, dv in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            cell = at.copy()
            cell[:, u] += du
            cell[:, v] += dv
            corners.append(number[tuple(cell.T)])
        square = np.where(outward[:, None], np.stack(corners, axis=-1), np.stack(corners[::-1], axis=-1))
        triangles += [square[:, [0, 1, 2]], square[:, [0, 2, 3]]]
    return np.concatenate(triangles).astype(np.int32)
