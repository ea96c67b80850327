"""Holes and crumbs of a scan.

In:  a mesh in metres.   Out: its main part, closed.
Not here: decimation (from_scan).
"""

from __future__ import annotations

import numpy as np
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

from h2s2r_schemas.errors import SchemaError

#: A part with less than this share of the surface is a crumb of the scan.
_CRUMB = 0.02


def without_floaters(mesh: trimesh.Trimesh) -> tuple[trimesh.Trimesh, list[str]]:
    """The mesh without the small loose parts that scans leave, and how many those were."""
    pairs = np.asarray(mesh.face_adjacency).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(mesh.faces),) * 2)
    count, part = connected_components(graph, directed=False)
    areas = np.bincount(part, mesh.area_faces, count)
    kept = areas >= _CRUMB * areas.sum()
    dropped = int((~kept).sum())
    if not dropped:
        return mesh, []
    main = mesh.copy()
    main.update_faces(kept[part])
    main.remove_unreferenced_vertices()
    return main, [f"{dropped} loose crumb{'s' * (dropped > 1)} dropped"]


def same_way_round(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh with faces turned such that neighbours go round the same way, and each closed part encloses its inside."""
    pairs = np.asarray(mesh.face_adjacency)
    if not len(pairs):
        return mesh.copy()
    faces = np.array(mesh.faces)
    first, second = np.asarray(mesh.face_adjacency_edges).T
    # An edge that both faces go along in the same direction says that one of them is to be turned.
    along = [
        ((faces[side] == first[:, None]) & (np.roll(faces[side], -1, axis=1) == second[:, None])).any(1)
        for side in pairs.T
    ]
    contradict = dict(zip(map(tuple, pairs.tolist()), (along[0] == along[1]).tolist(), strict=True))
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(faces), len(faces)))
    count, part = connected_components(graph, directed=False)
    turned = np.zeros(len(faces), bool)
    for label in range(count):
        start = int(np.flatnonzero(part == label)[0])
        order, before = breadth_first_order(graph, start, directed=False)
        for face in order[1:].tolist():
            other = int(before[face])
            turned[face] = turned[other] ^ contradict[min(face, other), max(face, other)]
    faces[turned] = faces[turned][:, ::-1]
    corners = np.asarray(mesh.vertices)[faces] - mesh.centroid
    volumes = np.bincount(part, np.linalg.det(corners), count)
    inside_out = volumes[part] < 0
    faces[inside_out] = faces[inside_out][:, ::-1]
    return trimesh.Trimesh(mesh.vertices, faces, process=False)


def close_holes(mesh: trimesh.Trimesh, where: str) -> tuple[trimesh.Trimesh, list[str]]:
    """The mesh with a fan of triangles over every hole, as under a scan that stood on a table.

    Raises:
        SchemaError: edges where more than two triangles meet, or holes that touch: those need a mesh editor.
    """
    mesh = same_way_round(mesh)
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
