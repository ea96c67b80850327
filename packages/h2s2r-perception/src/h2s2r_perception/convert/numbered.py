"""Numbered colour and depth pictures beside a ``camera.json`` (and perhaps a ``table.json`` that places the camera).

In:  a folder.   Out: ``Source``.
Not here: writing a ``Demo`` (convert), labels that may lie beside the pictures.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_perception.convert.source import (
    COLOUR_SUFFIXES,
    Source,
    SourceFrame,
    by_number,
    colour_bytes,
    colour_size,
    intrinsics,
    pictures,
)
from h2s2r_schemas.errors import SchemaError


def read_numbered(folder: Path, camera_matrix: np.ndarray | None, rate_hz: float | None) -> Source:
    """Such a folder.

    Args:
        folder: with ``rgb/``, ``depth/`` and ``camera.json`` (``fx fy cx cy depth_scale fps fps_known``).
        camera_matrix: (3, 3) [px], used instead of what ``camera.json`` says; none for that.
        rate_hz: frame rate for times, instead of what ``camera.json`` says; none for that.

    Raises:
        SchemaError: something of it is missing or not as described.
    """
    told = _json(folder / "camera.json")
    colour, depth = pictures(folder / "rgb", COLOUR_SUFFIXES), by_number(pictures(folder / "depth", (".png",)))
    if set(by_number(colour)) != set(depth):
        raise SchemaError(
            f"{folder}: {len(colour)} colour and {len(depth)} depth pictures do not go together by number."
        )
    try:
        matrix = np.array([[told["fx"], 0, told["cx"]], [0, told["fy"], told["cy"]], [0, 0, 1]], dtype=float)
        depth_unit, rate = float(told["depth_scale"]), float(rate_hz or told["fps"])
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"{folder / 'camera.json'} needs numbers fx fy cx cy depth_scale fps: {error!r}.") from error
    matrix = matrix if camera_matrix is None else camera_matrix
    frames = [
        SourceFrame(index / rate, partial(colour_bytes, path), depth[number])
        for index, (number, path) in enumerate(by_number(colour).items())
    ]
    table = _json(folder / "table.json") if (folder / "table.json").is_file() else {}
    placed = table.get("T_world_camera")
    return Source(
        frames,
        intrinsics(matrix, colour_size(colour[0]), str(folder / "camera.json")),
        depth_unit,
        time_measured=bool(told.get("fps_known", False)) and rate_hz is None,
        notes={"world": str(table.get("T_world_camera_note", ""))} if placed else {},
        wxyz_xyz_world_camera=None if placed is None else np.array(placed),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SchemaError(f"{path} is missing.") from error
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise SchemaError(f"{path} holds no mapping of names to values.")
    return found
