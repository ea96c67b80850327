"""Poses of an object that nobody can tell apart by its shape.

In:  ``SurfaceModel``.   Out: the turns that leave it as it is; one pose brought as near to another as they allow.
Not here: what the object declares as its symmetry (``ObjectModel``), telling them apart by colour.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_schemas.artifacts import Symmetry
from h2s2r_schemas.artifacts.success import align_symmetry
from h2s2r_schemas.se3 import SE3

#: [m] within which a turned shape is the same shape at nearly all its samples, besides one and a half of their spacings.
_SAME_SHAPE, _NEARLY_ALL = 0.001, 99.0


def shape_turns(surface: SurfaceModel) -> list[SE3]:
    """``T_object_turned`` of the quarter and half turns about the middle that leave the shape as it is; the identity first."""
    points = surface.points - surface.centre
    tree = KDTree(points)
    turns = []
    for rotation in _cube_turns():
        distance, _ = tree.query(points @ rotation.T)
        if float(np.percentile(distance, _NEARLY_ALL)) < 1.5 * surface.spacing + _SAME_SHAPE:
            turns.append(SE3.from_rotation_matrix(rotation, surface.centre - rotation @ surface.centre))
    return turns


def nearest_likeness(
    T_camera_object: SE3, T_camera_wanted: SE3, symmetry: Symmetry, turns: list[SE3]
) -> tuple[SE3, SE3]:
    """The pose that looks like ``T_camera_object`` and is turned least from ``T_camera_wanted``; and the one of ``turns`` used.

    ``symmetry`` is what the object declares, ``turns`` are of ``shape_turns``.
    """
    tried = [align_symmetry(T_camera_object @ T_object_turned, T_camera_wanted, symmetry) for T_object_turned in turns]
    angles = [float(T_camera_same.distance(T_camera_wanted)[1]) for T_camera_same in tried]
    best = int(np.argmin(angles))
    return tried[best], turns[best]


def _cube_turns() -> list[np.ndarray]:
    """The 24 rotations (3, 3) of a cube, the identity first."""
    found = []
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)):
        for signs in np.array(np.meshgrid((1, -1), (1, -1), (1, -1))).reshape(3, -1).T:
            rotation = np.diag(signs)[:, order].astype(float)
            if np.linalg.det(rotation) > 0:
                found.append(rotation)
    return found
