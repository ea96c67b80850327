"""The object's surface as a tracker needs it: samples with normals, edges, triangles.

In:  ``ObjectModel``, or a triangle mesh in metres.   Out: ``SurfaceModel``.
Not here: making an ``ObjectModel`` (scan), what of it is seen from where (visible).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from h2s2r_perception.track.facets import flat_pieces
from h2s2r_schemas.artifacts import ObjectModel, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: [m] outside of which a mesh is not something a hand moves about: most likely its unit is not the metre.
SMALLEST, LARGEST = 0.01, 1.5
#: Directions from which every sample is tried.
_VIEWS = 100


@dataclass(frozen=True)
class SurfaceModel:
    """An object's outer surface. All in the object frame [m]."""

    name: str
    """Of the object."""
    points: np.ndarray
    """(N, 3) [m] samples, evenly spread over what can be seen from outside."""
    normals: np.ndarray
    """(N, 3) outward unit normals of the samples."""
    spacing: float
    """[m] typical distance between neighbouring samples."""
    vertices: np.ndarray
    """(V, 3) [m] of the triangles."""
    faces: np.ndarray
    """(F, 3) vertex indices, counter-clockwise from outside."""
    face_normals: np.ndarray
    """(F, 3) outward unit normals of the triangles."""
    facets: tuple[np.ndarray, ...]
    """(K, 3) and (K, 4) vertex indices: the same surface in flat convex pieces, triangles in pairs where they lie in a plane."""
    facet_normals: tuple[np.ndarray, ...]
    """(K, 3) outward unit normals of each of those."""
    edges: np.ndarray
    """(E, 2) vertex indices of edges that can be part of an outline."""
    edge_faces: np.ndarray
    """(E, 2) the triangles on both sides of each edge; twice the same where there is only one."""
    centre: np.ndarray
    """(3) [m] middle of the bounding box."""
    radius: float
    """[m] of the smallest ball about ``centre`` that holds the object."""


def shape_mesh(shape: Shape) -> trimesh.Trimesh:
    """A shape as triangles, in its owner's frame."""
    size = shape.size
    if shape.kind == "mesh":
        made = trimesh.Trimesh(shape.vertices, shape.faces, process=False)
    elif shape.kind == "box":
        made = trimesh.creation.box(size)
    elif shape.kind == "sphere":
        made = trimesh.creation.icosphere(subdivisions=2, radius=size[0])
    elif shape.kind == "cylinder":
        made = trimesh.creation.cylinder(size[0], size[1], sections=32)
    else:
        made = trimesh.creation.capsule(height=size[1], radius=size[0], count=(12, 16))
    made.apply_transform(SE3(shape.wxyz_xyz).as_matrix())
    return made


def object_mesh(model: ObjectModel) -> trimesh.Trimesh:
    """What is seen of an object, as one triangle mesh in the object frame."""
    parts = [shape_mesh(shape) for shape in model.visual]
    first = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, first, strict=True)])
    return trimesh.Trimesh(np.concatenate([part.vertices for part in parts]), faces, process=False)


def load_mesh(path: Path) -> trimesh.Trimesh:
    """A mesh file in metres, its parts in one.

    Raises:
        SchemaError: not a mesh, or of a size that says its unit is not the metre.
    """
    try:
        mesh = trimesh.load(path, force="mesh", process=False)
    except Exception as error:
        raise SchemaError(f"{path} cannot be read as a mesh: {error}. Export it as OBJ, PLY, STL or GLB.") from error
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise SchemaError(f"{path} holds no triangles. Export the surface, not points, as OBJ, PLY, STL or GLB.")
    check_size(mesh, str(path))
    return mesh


def check_size(mesh: trimesh.Trimesh, where: str) -> None:
    """Refuse a mesh that is not in metres.

    Raises:
        SchemaError: it would be smaller than 1 cm or larger than 1.5 m.
    """
    size = float(np.ptp(mesh.vertices, axis=0).max())
    if not SMALLEST <= size <= LARGEST:
        guess = (
            "millimetres: scale it by 0.001" if 10 * SMALLEST <= size * 1e-3 <= LARGEST else "another unit than metres"
        )
        raise SchemaError(
            f"{where} would be {size:.4g} m long; allowed are {SMALLEST} to {LARGEST} m. Most likely it is in {guess}."
        )


def surface_of(mesh: trimesh.Trimesh, name: str, samples: int = 3000) -> SurfaceModel:
    """The surface of a mesh in metres.

    Args:
        mesh: triangles, counter-clockwise from outside; parts may overlap.
        name: of the object.
        samples: about how many samples there will be.

    Raises:
        SchemaError: the mesh is not in metres.
    """
    check_size(mesh, f"The mesh of {name}")
    welded = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    drawn = trimesh.sample.sample_surface(welded, 2 * samples, seed=0)
    points, normals = np.asarray(drawn[0]), np.asarray(welded.face_normals)[np.asarray(drawn[1])]
    centre = welded.bounds.mean(axis=0)
    radius = float(np.linalg.norm(welded.vertices - centre, axis=1).max())
    keep = np.flatnonzero(
        _seen_from_outside(points - centre, normals, radius, float(np.sqrt(welded.area / len(points))))
    )
    keep = keep[_spread(points[keep], samples)]
    edges, sides = _outline_edges(welded)
    facets, facet_normals = flat_pieces(welded)
    spacing = float(np.sqrt(welded.area / max(len(keep), 1)))
    return SurfaceModel(
        name=name,
        points=np.ascontiguousarray(points[keep]),
        normals=np.ascontiguousarray(normals[keep]),
        spacing=spacing,
        vertices=np.asarray(welded.vertices, float),
        faces=np.asarray(welded.faces),
        face_normals=np.asarray(welded.face_normals),
        facets=facets,
        facet_normals=facet_normals,
        edges=edges,
        edge_faces=sides,
        centre=centre,
        radius=radius,
    )


def _spread(points: np.ndarray, count: int) -> np.ndarray:
    """About ``count`` of the points such that none are close together: first come, first kept, in growing voxels."""
    low, high = 1e-5, 1.0
    chosen = np.arange(len(points))
    for _ in range(30):
        size = np.sqrt(low * high)
        _, first = np.unique(np.floor(points / size).astype(np.int64), axis=0, return_index=True)
        if len(first) >= count:
            low, chosen = size, np.sort(first)
        else:
            high = size
    return chosen


def _seen_from_outside(points: np.ndarray, normals: np.ndarray, radius: float, spacing: float) -> np.ndarray:
    """(N) whether a sample is in front of all others in pictures from two directions or more: inner walls are not.

    Picture cells are wide enough to hold about six samples of any wall, so that hardly one shows what is behind.
    """
    seen = np.zeros(len(points), int)
    cells = int(np.clip(2 * radius / (2.5 * spacing), 8, 256))
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(_VIEWS)
    height = 1 - 2 * (np.arange(_VIEWS) + 0.5) / _VIEWS
    across = np.sqrt(1 - height**2)
    for view in np.stack((across * np.cos(turn), across * np.sin(turn), height), axis=1):
        side = np.cross(view, np.eye(3)[np.abs(view).argmin()])
        side /= np.linalg.norm(side)
        plane = points @ np.stack((side, np.cross(view, side)), axis=1) / radius
        column, row = ((plane + 1) * 0.5 * (cells - 1)).astype(int).T
        near = np.full((cells, cells), -np.inf)
        depth = points @ view
        np.maximum.at(near, (row, column), depth)
        facing = normals @ view
        # A surface seen at a slant falls by its slope across a cell.
        slack = 2 * radius / cells * np.sqrt(1 / np.maximum(facing, 0.35) ** 2 - 1) + spacing
        seen += (facing > 0.35) & (depth > near[row, column] - slack)
    return seen >= 2


def _outline_edges(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Edges with the faces on both sides; where the surface ends, the same face twice."""
    adjacency, shared = np.asarray(mesh.face_adjacency), np.asarray(mesh.face_adjacency_edges)
    owner = np.asarray(mesh.edges_face)
    lonely = trimesh.grouping.group_rows(mesh.edges_sorted, require_count=1)
    edges = np.concatenate((shared, np.asarray(mesh.edges_sorted)[lonely])).astype(int)
    sides = np.concatenate((adjacency, np.stack((owner[lonely], owner[lonely]), axis=1))).astype(int)
    return edges, sides
