"""A triangle mesh in fewer pieces: pairs of triangles that make one flat convex quadrilateral.

In:  a mesh.   Out: quadrilaterals, and the triangles that are left.
Not here: drawing them (visible).
"""

from __future__ import annotations

import numpy as np
import trimesh

#: [rad] between two triangles that count as one plane.
_FLAT = 1e-3


def flat_pieces(mesh: trimesh.Trimesh) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Vertex indices ((Q, 4), (R, 3)), counter-clockwise from outside, and the outward unit normals ((Q, 3), (R, 3)) of each."""
    faces, normals = np.asarray(mesh.faces), np.asarray(mesh.face_normals)
    used = np.zeros(len(faces), bool)
    quads, owners = [], []
    flat = np.flatnonzero(np.asarray(mesh.face_adjacency_angles) < _FLAT)
    for (one, other), shared in zip(
        np.asarray(mesh.face_adjacency)[flat], np.asarray(mesh.face_adjacency_edges)[flat], strict=True
    ):
        if used[one] or used[other]:
            continue
        quad = _quadrilateral(faces[one], faces[other], shared)
        if _convex(np.asarray(mesh.vertices)[quad], normals[one]):
            used[[one, other]] = True
            quads.append(quad)
            owners.append(one)
    made = np.array(quads, int).reshape(-1, 4)
    return (made, faces[~used]), (normals[np.array(owners, int)], normals[~used])


def _quadrilateral(one: np.ndarray, other: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """(4) corners of two triangles with an edge in common: the other's far corner goes in where that edge was."""
    place = next(k for k in range(3) if {one[k], one[(k + 1) % 3]} == set(shared))
    far = next(corner for corner in other if corner not in shared)
    return np.insert(one, place + 1, far)


def _convex(corners: np.ndarray, normal: np.ndarray) -> bool:
    sides = np.roll(corners, -1, axis=0) - corners
    return bool((np.cross(sides, np.roll(sides, -1, axis=0)) @ normal > 0).all())
