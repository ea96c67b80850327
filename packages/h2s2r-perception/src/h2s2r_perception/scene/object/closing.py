"""Holes and crumbs of a scan.

In:  a mesh in metres.   Out: its main part, closed.
Not here: decimation (from_scan).
"""

from __future__ import annotations

import numpy as np
import trimesh

from h2s2r_schemas.errors import SchemaError

#: A part with less than this share of the surface is a crumb of the scan.
_CRUMB = 0.02


def without_floaters(mesh: trimesh.Trimesh) -> tuple[trimesh.Trimesh, list[str]]:
    """The mesh without the small loose parts that scans leave, and how many those were."""
    parts = mesh.split(only_watertight=False)
    if len(parts) < 2:
        return mesh, []
    areas = np.array([part.area for part in parts])
    kept = [part for part, area in zip(parts, areas, strict=True) if area >= _CRUMB * areas.sum()]
    dropped = len(parts) - len(kept)
    if not dropped:
        return mesh, []
    return kept[0] if len(kept) == 1 else sum(kept[1:], kept[0]), [
        f"{dropped} loose crumb{'s' * (dropped > 1)} dropped"
    ]


def close_holes(mesh: trimesh.Trimesh, where: str) -> tuple[trimesh.Trimesh, list[str]]:
    """The mesh with a fan of triangles over every hole, as under a scan that stood on a table.

    Raises:
        SchemaError: edges where more than two triangles meet, or holes that touch: those need a mesh editor.
    """
    mesh = mesh.copy()
    trimesh.repair.fix_winding(mesh)
    said = []
    vertices, faces = [np.asarray(mesh.vertices)], [np.asarray(mesh.faces)]
    for loop in _boundaries(mesh, where):
        rim = np.asarray(mesh.vertices)[loop]
        middle = sum(len(block) for block in vertices)
        vertices.append(rim.mean(axis=0, keepdims=True))
        following = np.roll(loop, -1)
        faces.append(np.stack((following, loop, np.full(len(loop), middle)), axis=1))
        said.append(f"closed a hole {np.linalg.norm(np.ptp(rim, axis=0)) * 1000:.0f} mm wide")
    closed = trimesh.Trimesh(np.concatenate(vertices), np.concatenate(faces), process=False)
    if not closed.is_watertight:
        raise SchemaError(f"{where} cannot be closed. {_REMEDY}")
    return closed, said


_REMEDY = "Repair it in a mesh editor (close holes, remove non-manifold edges), or take solid=hull."


def _boundaries(mesh: trimesh.Trimesh, where: str) -> list[np.ndarray]:
    """Every hole as its vertices in order, along the direction in which the faces beside it go round."""
    edges = np.asarray(mesh.edges)
    _, group, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    many = int((count > 2).sum())
    if many:
        raise SchemaError(f"{where} has {many} edges at which more than two triangles meet. {_REMEDY}")
    border = edges[count[group.ravel()] == 1]
    following = dict(border.tolist())
    if len(following) != len(border):
        raise SchemaError(f"{where} has holes that touch each other, or faces that contradict each other. {_REMEDY}")
    loops = []
    while following:
        start, vertex = next(iter(following.items()))
        loop = [start]
        del following[start]
        while vertex != start:
            if vertex not in following:
                raise SchemaError(f"{where} has a rim that does not close. {_REMEDY}")
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop))
    return loops
