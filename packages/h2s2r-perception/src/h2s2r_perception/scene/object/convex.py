"""Convex parts that collide like a mesh.

In:  a closed mesh.   Out: convex meshes.
Not here: mass (from_scan), primitives (primitive).
"""

from __future__ import annotations

import numpy as np
import trimesh

from h2s2r_schemas.errors import SchemaError

#: A mesh that fills at least this share of its hull is taken as convex.
_CONVEX = 0.97
_MOST_VERTICES = 64


def convex_parts(mesh: trimesh.Trimesh, way: str, concavity: float, most: int, seed: int) -> list[trimesh.Trimesh]:
    """Convex meshes that fill a closed mesh.

    Args:
        mesh: closed, in metres.
        way: ``coacd`` or ``hull``.
        concavity: threshold of CoACD, 0.01 to 1 (Wei et al., SIGGRAPH 2022).
        most: parts at most.
        seed: of CoACD.

    Raises:
        SchemaError: no such way, a threshold out of range, or CoACD is not installed or fails.
    """
    if way not in ("coacd", "hull"):
        raise SchemaError(f"convex is {way!r}; there are coacd and hull.")
    if not 0.01 <= concavity <= 1.0 or most < 1:
        raise SchemaError(f"concavity is {concavity:g} (0.01 to 1 is allowed), most_parts {most} (at least 1).")
    hull = mesh.convex_hull
    if way == "hull" or mesh.volume > _CONVEX * hull.volume:
        return [hull]
    try:
        import coacd  # noqa: PLC0415 - extra
    except ImportError as error:
        raise SchemaError(
            "Convex parts need CoACD: pip install 'h2s2r-perception[scan]'. With convex=hull, the hull stands for all of it."
        ) from error
    coacd.set_log_level("error")
    # Its own repair by voxels is left off: the mesh is closed, and that would thicken thin walls.
    found = coacd.run_coacd(
        coacd.Mesh(np.asarray(mesh.vertices), np.asarray(mesh.faces)),
        threshold=concavity,
        max_convex_hull=most,
        preprocess_mode="off",
        max_ch_vertex=_MOST_VERTICES,
        seed=seed,
    )
    parts = [trimesh.Trimesh(vertices, faces).convex_hull for vertices, faces in found]
    if not parts:
        raise SchemaError("CoACD found no parts: the mesh may cross itself. Repair it, or use convex=hull.")
    return parts
