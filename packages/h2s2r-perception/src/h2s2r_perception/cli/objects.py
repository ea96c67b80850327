"""``object``: an ``ObjectModel`` from a scan, or from the recording where the object is a box, a cylinder or a mug.

In:  a mesh file or a ``Demo``.   Out: a file with an ``ObjectModel``, a picture of it.
Not here: the work itself (scene.object).
"""

from __future__ import annotations

import argparse
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_perception.cli.values import Verbs, frame_range
from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.codec import save
from h2s2r_schemas.errors import SchemaError


def _written(model: ObjectModel, out: Path, preview: Path | None) -> int:
    import cv2  # noqa: PLC0415 - as slow to import as what needs it

    from h2s2r_perception.scene.object.preview import draw_object  # noqa: PLC0415

    save(model, out)
    print(f"{model.name}: {model.mass:.3f} kg, inertia {np.diag(model.inertia).round(7).tolist()} kg·m²")
    print(f"written: {out}")
    if preview is not None:
        if not cv2.imwrite(str(preview), draw_object(model)[..., ::-1]):
            raise SchemaError(f"{preview} cannot be written. Give a .png or .jpg in a folder that exists.")
        print(f"look at: {preview}")
    return 0


def _chosen(cfg: type, chosen: argparse.Namespace) -> dict[str, Any]:
    """What was given on the command line of the fields of a settings class."""
    given = vars(chosen)
    return {one.name: given[one.name] for one in fields(cfg) if given.get(one.name) is not None}


def from_scan(chosen: argparse.Namespace) -> int:
    """A mesh file to an object."""
    from h2s2r_perception.scene.object import ScanCfg, object_from_scan  # noqa: PLC0415 - slower than the other verbs

    scan = object_from_scan(chosen.mesh, ScanCfg(**_chosen(ScanCfg, chosen)))
    for sentence in scan.said:
        print(sentence)
    return _written(scan.model, chosen.out, chosen.preview)


def from_recording(chosen: argparse.Namespace) -> int:
    """What stands on the table to an object."""
    from h2s2r_perception.scene.object import PrimitiveCfg, object_from_recording  # noqa: PLC0415
    from h2s2r_schemas.demo import open_demo  # noqa: PLC0415

    found = object_from_recording(open_demo(chosen.demo), PrimitiveCfg(**_chosen(PrimitiveCfg, chosen)))
    print(f"a {found.kind}; its points lie {1000 * found.residual:.1f} mm off it on average")
    return _written(found.model, chosen.out, chosen.preview)


def _add(parser: argparse.ArgumentParser, cfg: type, types: dict[str, Any]) -> None:
    """An option for each of the fields of a settings class."""
    for one in fields(cfg):
        options = dict(types.get(one.name, {"type": str}))
        default = "" if one.default in (None, "", MISSING) else f"default {one.default}"
        options["help"] = "; ".join(filter(None, (options.get("help", ""), default)))
        parser.add_argument(f"--{one.name.replace('_', '-')}", dest=one.name, default=None, **options)


_FLOAT, _INT = {"type": float}, {"type": int}


def add(verbs: Verbs) -> None:
    """Its arguments."""
    from h2s2r_perception.scene.object import PrimitiveCfg, ScanCfg  # noqa: PLC0415

    ways = verbs.add_parser("object", help="a scan, or a thing on the table, into an ObjectModel").add_subparsers(
        required=True
    )
    scan = ways.add_parser("from-scan", help="a mesh file: OBJ, PLY, STL, GLB")
    scan.add_argument("mesh", type=Path, help="the file")
    seen = ways.add_parser("from-recording", help="a box, a cylinder or a mug that stands on the table")
    seen.add_argument("demo", type=Path, help="folder of the recording")
    for parser in (scan, seen):
        parser.add_argument("--out", type=Path, required=True, help="file for the ObjectModel")
        parser.add_argument("--preview", type=Path, help="picture to write: what is seen and what collides")
    common = {"mass": {**_FLOAT, "help": "[kg] by scale"}, "density": {**_FLOAT, "help": "[kg/m³]"}, "friction": _FLOAT}
    _add(
        scan,
        ScanCfg,
        {
            **common,
            "unit": {"choices": ("m", "cm", "mm", "in"), "help": "of the file"},
            "measured": {**_FLOAT, "help": "[m] one length of the object, by ruler"},
            "along": {"choices": ("longest", "x", "y", "z"), "help": "which length that is"},
            "up": {"help": "axis of the file that is up as the object stands, e.g. y; write --up=-y for a minus"},
            "faces": {**_INT, "help": "triangles kept"},
            "solid": {"choices": ("close", "hull"), "help": "how an open mesh is closed"},
            "convex": {"choices": ("coacd", "hull"), "help": "what collides"},
            "concavity": {**_FLOAT, "help": "threshold of CoACD"},
            "most_parts": {**_INT, "help": "convex parts at most"},
            "turns_about": {"choices": ("x", "y", "z"), "help": "axis about which nobody sees it turn"},
            "seed": _INT,
        },
    )
    scan.set_defaults(run=from_scan)
    kinds = {"choices": ("auto", "box", "cylinder", "mug")}
    frames = {"type": frame_range, "metavar": "FIRST:LAST", "help": "in which it stands still, untouched"}
    pixel = {"type": int, "nargs": 2, "metavar": ("U", "V"), "help": "on the object, where several things stand"}
    mask = {"help": "name of masks in the recording that show the object"}
    residual = {**_FLOAT, "help": "[m] mean distance from the shape that is allowed"}
    own = {"kind": kinds, "frames": frames, "pixel": pixel, "mask": mask, "residual": residual, "seed": _INT}
    _add(seen, PrimitiveCfg, {**common, **own})
    seen.set_defaults(run=from_recording)
