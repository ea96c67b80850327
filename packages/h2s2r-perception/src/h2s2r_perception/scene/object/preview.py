"""A picture of an object: what is seen, and what collides, from three sides.

In:  ``ObjectModel``.   Out: RGB picture (H, W, 3) uint8.
Not here: recordings with things drawn over them (view).
"""

from __future__ import annotations

import cv2
import numpy as np
import trimesh

from h2s2r_perception.track.surface import object_mesh, shape_mesh
from h2s2r_schemas.artifacts import ObjectModel

_TILE = 320
#: Yaw and elevation [deg] of the camera, and what each picture shows.
_VIEWS = ((30.0, 25.0), (30.0, 75.0), (210.0, 25.0))
_LIGHT = np.array([0.3, 0.5, 0.81])


def draw_object(model: ObjectModel) -> np.ndarray:
    """(2·320, 3·320, 3) uint8: above what is seen, below each colliding part in its own colour; sizes written in."""
    seen = [(object_mesh(model), model.visual[0].rgba[:3])]
    hues = np.linspace(0, 179, len(model.collision), endpoint=False).astype(np.uint8)
    colours = (
        cv2.cvtColor(np.stack((hues, np.full_like(hues, 150), np.full_like(hues, 230)), -1)[None], cv2.COLOR_HSV2RGB)[0]
        / 255.0
    )
    parts = [(shape_mesh(shape), colour) for shape, colour in zip(model.collision, colours, strict=True)]
    edges = np.ptp(seen[0][0].vertices, axis=0)
    said = (
        f"{model.name}: {' x '.join(f'{edge:.3f}' for edge in edges)} m",
        f"{model.mass:.3f} kg, {len(parts)} parts",
    )
    rows = []
    for meshes, line in zip((seen, parts), said, strict=True):
        row = np.hstack([_view(meshes, yaw, elevation, float(np.linalg.norm(edges))) for yaw, elevation in _VIEWS])
        cv2.putText(row, line, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
        rows.append(row)
    return np.vstack(rows)


def _view(meshes: list[tuple[trimesh.Trimesh, np.ndarray]], yaw: float, elevation: float, size: float) -> np.ndarray:
    """One picture, without perspective, triangles drawn from far to near."""
    a, e = np.deg2rad(yaw), np.deg2rad(elevation)
    toward = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    above = np.cross(toward, right)
    corners = np.concatenate([np.asarray(mesh.triangles) for mesh, _ in meshes])
    normals = np.concatenate([np.asarray(mesh.face_normals) for mesh, _ in meshes])
    colours = np.concatenate([np.tile(colour, (len(mesh.faces), 1)) for mesh, colour in meshes])
    shade = 0.45 + 0.55 * np.clip(normals @ _LIGHT, 0.0, 1.0)
    middle = (corners.reshape(-1, 3).min(axis=0) + corners.reshape(-1, 3).max(axis=0)) / 2
    flat = np.stack(((corners - middle) @ right, -(corners - middle) @ above), axis=-1)
    pixels = np.rint((flat * 0.85 * _TILE / size + _TILE / 2) * 16).astype(np.int32)
    picture = np.full((_TILE, _TILE, 3), 245, np.uint8)
    facing = normals @ toward > 0
    depth = (corners @ toward).mean(axis=1)
    for index in np.argsort(depth):
        if facing[index]:
            colour = tuple(float(value) for value in 255 * colours[index] * shade[index])
            cv2.fillConvexPoly(picture, pixels[index], colour, cv2.LINE_AA, 4)
    return picture
