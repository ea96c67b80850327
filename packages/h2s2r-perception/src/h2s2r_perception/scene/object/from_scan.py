"""An object from a scanned or downloaded mesh.

In:  a mesh file, one measured length or its unit, a mass or a density.   Out: ``Scan``: an ``ObjectModel`` and what was done.
Not here: reading and repairing the mesh (mesh_file, closing), its convex parts (convex), a picture of it (preview).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from h2s2r_perception.scene.object.closing import close_holes, same_way_round, without_floaters
from h2s2r_perception.scene.object.convex import convex_parts
from h2s2r_perception.scene.object.mesh_file import read_mesh, scale_to_metres, turn_up
from h2s2r_perception.track.surface import check_size
from h2s2r_schemas.artifacts import ObjectModel, Shape, Symmetry
from h2s2r_schemas.errors import SchemaError

#: [kg/m³] of a solid: from foam to gold.
LIGHTEST, HEAVIEST = 5.0, 22_000.0


@dataclass(frozen=True)
class ScanCfg:
    """How a mesh becomes an object."""

    name: str = ""
    """Of the object; that of the file if none."""
    unit: str = ""
    """Of the file: ``m``, ``cm``, ``mm`` or ``in``. Needed unless ``measured`` is given or the format says it (glTF: metres)."""
    measured: float | None = None
    """[m] length of the object along ``along``, by ruler: the mesh is scaled to it."""
    along: str = "longest"
    """Which length was measured: ``x``, ``y``, ``z`` of the mesh after ``up``, or ``longest`` of its bounding box."""
    up: str = ""
    """Axis of the file that points up as the object stands: ``x``, ``y``, ``z``, or with ``-``; by format if none (glTF: y)."""
    mass: float | None = None
    """[kg] by scale. Either this or ``density``."""
    density: float | None = None
    """[kg/m³] of the closed volume: 400-700 wood, 900-1200 plastics, 2300 stoneware, 100-500 boxes with food in."""
    faces: int = 4000
    """Triangles that are kept of what is seen."""
    solid: str = "close"
    """How an open mesh becomes closed: ``close`` its holes, or take the ``hull`` around it."""
    convex: str = "coacd"
    """What collides: parts by ``coacd`` (extra [scan]), or one ``hull``."""
    concavity: float = 0.05
    """Threshold of CoACD, 0.01 to 1: smaller is finer."""
    most_parts: int = 24
    """Convex parts at most."""
    friction: float = 0.6
    """Coefficient of sliding friction."""
    turns_about: str = ""
    """Axis (``x``, ``y`` or ``z``) about which the object looks the same however it is turned; none if empty."""
    seed: int = 0
    """Of CoACD."""


@dataclass(frozen=True)
class Scan:
    """An object and how it came about."""

    model: ObjectModel
    """The object: origin in the middle of its bounding box, z up as it stands."""
    said: tuple[str, ...]
    """One sentence per thing that was changed or is worth a look."""


def object_from_scan(path: Path, cfg: ScanCfg | None = None) -> Scan:
    """An ``ObjectModel`` from a mesh file.

    Raises:
        SchemaError: not a mesh; no unit and no measured length, or both and they contradict each other; a size no hand
            moves; holes that cannot be closed; neither mass nor density, or an impossible one; extra [scan] missing.
    """
    cfg = cfg or ScanCfg()
    if cfg.along not in ("longest", "x", "y", "z") or cfg.turns_about not in ("", "x", "y", "z"):
        raise SchemaError(f"along is {cfg.along!r}, turns_about {cfg.turns_about!r}; axes are x, y, z (or longest).")
    raw = read_mesh(path)
    said: list[str] = []
    mesh = turn_up(raw.mesh, cfg.up or raw.up)
    mesh, scaled = scale_to_metres(mesh, cfg.unit or raw.unit, cfg.measured, cfg.along, str(path))
    said += scaled
    check_size(mesh, str(path))
    mesh, dropped = without_floaters(mesh)
    said += dropped
    mesh, closed = _closed(mesh, cfg, str(path))
    said += closed
    mesh, fewer = _decimated(mesh, cfg.faces)
    said += fewer
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
    mass, center_of_mass, inertia = mass_of(mesh, cfg.mass, cfg.density)
    parts = convex_parts(mesh, cfg.convex, cfg.concavity, cfg.most_parts, cfg.seed)
    said.append(f"{len(parts)} convex part{'s' * (len(parts) > 1)} collide")
    model = ObjectModel(
        name=cfg.name or path.stem,
        visual=(as_shape(mesh, raw.rgba),),
        collision=tuple(as_shape(part, raw.rgba) for part in parts),
        mass=mass,
        center_of_mass=center_of_mass,
        inertia=inertia,
        friction=cfg.friction,
        symmetry=Symmetry(axis=np.eye(3)["xyz".index(cfg.turns_about)]) if cfg.turns_about else Symmetry(),
    )
    return Scan(model, tuple(said))


def _closed(mesh: trimesh.Trimesh, cfg: ScanCfg, where: str) -> tuple[trimesh.Trimesh, list[str]]:
    if cfg.solid not in ("close", "hull"):
        raise SchemaError(f"solid is {cfg.solid!r}; there are close and hull.")
    if cfg.solid == "hull":
        return mesh.convex_hull, ["the convex hull stands for the whole object"]
    said: list[str] = []
    if not mesh.is_watertight:
        mesh, said = close_holes(mesh, where)
    mesh = same_way_round(mesh)
    if mesh.volume <= 0:
        raise SchemaError(f"{where} encloses no volume: its faces contradict each other. Repair it, or use solid=hull.")
    return mesh, said


def _decimated(mesh: trimesh.Trimesh, faces: int) -> tuple[trimesh.Trimesh, list[str]]:
    """About ``faces`` triangles, if the mesh stays closed and keeps its volume."""
    if len(mesh.faces) <= faces:
        return mesh, []
    try:
        fewer = mesh.simplify_quadric_decimation(face_count=faces)
    except ImportError as error:
        raise SchemaError(
            f"The mesh has {len(mesh.faces)} triangles, {faces} are wanted; making fewer needs the extra [scan]: "
            "pip install 'h2s2r-perception[scan]'."
        ) from error
    if not fewer.is_watertight or abs(fewer.volume / mesh.volume - 1) > 0.02:
        return mesh, [f"{len(mesh.faces)} triangles are kept: with {faces} it would not stay closed"]
    return fewer, [f"{len(mesh.faces)} triangles became {len(fewer.faces)}"]


def mass_of(mesh: trimesh.Trimesh, mass: float | None, density: float | None) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass [kg], centre of mass (3) [m] and inertia (3, 3) [kg·m²] about it of a closed mesh, uniformly dense.

    Raises:
        SchemaError: neither mass nor density, both, or one that no solid has.
    """
    if (mass is None) == (density is None):
        raise SchemaError("Give either the mass [kg], by scale, or the density [kg/m³] of the object.")
    volume = float(mesh.volume)
    dense = density if density is not None else (mass or 0.0) / volume
    if not LIGHTEST <= dense <= HEAVIEST:
        raise SchemaError(
            f"A volume of {volume * 1e6:.4g} cm³ with {dense * volume:.4g} kg has {dense:.4g} kg/m³; solids have "
            f"{LIGHTEST:g} to {HEAVIEST:g}. Mass is in kg, density in kg/m³, and the mesh has to be of the true size."
        )
    inertia = np.asarray(mesh.moment_inertia, float) * dense
    return dense * volume, np.asarray(mesh.center_mass, float), (inertia + inertia.T) / 2


def as_shape(mesh: trimesh.Trimesh, rgba: np.ndarray) -> Shape:
    """A mesh as a ``Shape``."""
    return Shape(kind="mesh", vertices=np.asarray(mesh.vertices), faces=np.asarray(mesh.faces), rgba=rgba)
