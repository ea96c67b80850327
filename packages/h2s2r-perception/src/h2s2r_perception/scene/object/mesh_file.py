"""A mesh file, in metres, standing up.

In:  a file, its unit or a measured length.   Out: ``RawMesh``; the mesh scaled and turned.
Not here: closing it (closing).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from h2s2r_schemas.errors import SchemaError

#: [m] of one of each.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
#: By how much a unit may differ from what a ruler says: scanners without a depth sensor guess scale that badly.
_TRUSTED = 2.0
#: What a format prescribes: unit, axis that is up.
_FORMATS = {".glb": ("m", "y"), ".gltf": ("m", "y")}


@dataclass(frozen=True)
class RawMesh:
    """A mesh as its file has it."""

    mesh: trimesh.Trimesh
    """Parts in one, equal vertices merged."""
    unit: str
    """What the format says; empty if nothing."""
    up: str
    """Axis that is up by the format; z if it says nothing."""
    rgba: np.ndarray
    """(4) mean colour, each in [0, 1]."""


def read_mesh(path: Path) -> RawMesh:
    """A mesh file.

    Raises:
        SchemaError: it cannot be read, holds no triangles, or numbers that are not finite.
    """
    try:
        loaded = trimesh.load(path, force="mesh", process=False)
    except Exception as error:
        raise SchemaError(f"{path} cannot be read as a mesh: {error}. Export it as OBJ, PLY, STL or GLB.") from error
    if not isinstance(loaded, trimesh.Trimesh) or not len(loaded.faces):
        raise SchemaError(f"{path} holds no triangles. Export the surface, not points, as OBJ, PLY, STL or GLB.")
    if not np.isfinite(loaded.vertices).all():
        raise SchemaError(f"{path} has vertices that are not finite numbers. Export it anew.")
    rgba = _mean_colour(loaded)
    # Textures split vertices along their seams: merged again, or every seam is a hole.
    mesh = trimesh.Trimesh(np.asarray(loaded.vertices, float), np.asarray(loaded.faces), process=False)
    mesh.merge_vertices()
    mesh.update_faces(mesh.nondegenerate_faces() & mesh.unique_faces())
    mesh.remove_unreferenced_vertices()
    unit, up = _FORMATS.get(path.suffix.lower(), ("", "z"))
    return RawMesh(mesh, unit, up, rgba)


def _mean_colour(mesh: trimesh.Trimesh) -> np.ndarray:
    try:
        colours = np.asarray(mesh.visual.to_color().vertex_colors, float)  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    except (AttributeError, ValueError, KeyError, ImportError, IndexError):
        return np.array([0.7, 0.7, 0.7, 1.0])  # colours are decoration: a broken texture is no reason to refuse a mesh
    return np.clip(np.append(np.median(colours[:, :3], axis=0) / 255.0, 1.0), 0.0, 1.0)


def turn_up(mesh: trimesh.Trimesh, up: str) -> trimesh.Trimesh:
    """The mesh with the axis ``up`` of its file along z.

    Raises:
        SchemaError: no such axis.
    """
    axis, sign = up.lstrip("-"), -1.0 if up.startswith("-") else 1.0
    if axis not in ("x", "y", "z") or up.count("-") > 1:
        raise SchemaError(f"up is {up!r}; an axis of the file is wanted: x, y, z, -x, -y or -z.")
    turned = mesh.copy()
    turned.apply_transform(trimesh.geometry.align_vectors(sign * np.eye(3)["xyz".index(axis)], (0.0, 0.0, 1.0)))
    return turned


def scale_to_metres(
    mesh: trimesh.Trimesh, unit: str, measured: float | None, along: str, where: str
) -> tuple[trimesh.Trimesh, list[str]]:
    """The mesh in metres, and what was done.

    Args:
        mesh: in the units of its file.
        unit: of the file; empty if not known.
        measured: [m] its length along ``along``, by ruler.
        along: ``x``, ``y``, ``z`` or ``longest``.
        where: name of the file, for messages.

    Raises:
        SchemaError: neither is given; they contradict each other; no such unit, or a measured length that is none.
    """
    extents = np.asarray(mesh.extents, float)
    length = float(extents.max() if along == "longest" else extents["xyz".index(along)])
    if unit and unit not in UNITS:
        raise SchemaError(f"{unit!r} is no unit of length; there are {', '.join(UNITS)}.")
    if not unit and measured is None:
        guesses = ", ".join(f"{name}: {extents.max() * metres:.4g} m" for name, metres in UNITS.items())
        raise SchemaError(
            f"{where} does not say its unit. Its longest side would be, if its numbers are {guesses}. Give the unit, or measure "
            "one edge of the object and give that."
        )
    if measured is None:
        factor = UNITS[unit]
    else:
        if not (np.isfinite(measured) and measured > 0 and length > 0):
            raise SchemaError(f"The measured length is {measured} m, the mesh's {length:g}: both are more than 0.")
        factor = measured / length
        if unit and not 1 / _TRUSTED < factor / UNITS[unit] < _TRUSTED:
            raise SchemaError(
                f"{where} in {unit} is {length * UNITS[unit]:.4g} m {_axis(along)}, but {measured:g} m were measured. Was "
                "another edge measured, or is the file in another unit? Leave the unit away if it is not known."
            )
    scaled = mesh.copy()
    scaled.apply_scale(factor)
    said = f"scaled by {factor:.5g}: {' × '.join(f'{edge:.4f}' for edge in scaled.extents)} m"
    if measured is None:
        said += "; no edge was measured, so the scale is the scanner's"
    return scaled, [said]


def _axis(along: str) -> str:
    return "long" if along == "longest" else f"along {along}"
