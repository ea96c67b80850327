"""A scene written by hand.

In:  a ``scene.toml``.   Out: ``Scene``.
Not here: a scene seen in a recording (find).

The file says, in metres and degrees, in the world (robot base, z up)::

    name = "bench"
    calibrated = true              # whether the places were measured; true if not said

    [[fixture]]                    # one of them is the table; its frame lies on the surface, z up
    name = "table"
    position = [0.4, 0.0, 0.0]
    rpy_deg = [0.0, 0.0, 0.0]      # roll, pitch, yaw about the fixed axes x, y, z in turn; 0 if not said
    friction = 0.4                 # 0.8 if not said

    [[fixture.part]]               # box: edges; sphere: radius; cylinder, capsule: radius, length along z
    kind = "box"
    size = [1.2, 1.6, 0.04]
    position = [0.0, 0.0, -0.02]   # in the fixture's frame; rpy_deg and color = [r, g, b] as well

A ``[[fixture]]`` with ``body = "NAME"`` takes parts (``[[part]]``), name and friction from ``NAME.toml`` beside the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.artifacts import Scene, SceneBody, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

_SIZES = {"box": 3, "sphere": 1, "cylinder": 2, "capsule": 2}
_SCENE = {"name", "calibrated", "fixture"}
_FIXTURE = {"name", "body", "position", "rpy_deg", "friction", "part"}
_PART = {"kind", "size", "position", "rpy_deg", "color"}
_GREY = (0.7, 0.7, 0.7)


def read_scene(path: Path) -> Scene:
    """The scene that a TOML file describes.

    Raises:
        SchemaError: not TOML, a key that is missing or not known, a value that makes no sense, or no table.
    """
    table = _read(path)
    _known(table, _SCENE, str(path))
    fixtures = _tables(_need(table, "fixture", str(path)), f"{path}: fixture")
    bodies = tuple(_fixture(each, path) for each in fixtures)
    tables = [body for body in bodies if body.name == "table"]
    if len(tables) != 1:
        raise SchemaError(f"{path}: one [[fixture]] is the table; these are {[body.name for body in bodies]}.")
    return Scene(
        name=_need(table, "name", str(path)),
        wxyz_xyz_world_table=tables[0].wxyz_xyz_world_body,
        bodies=bodies,
        calibrated=table.get("calibrated", True),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SchemaError(f"{path} cannot be read as TOML: {error}") from error


def _fixture(table: Mapping[str, Any], path: Path) -> SceneBody:
    where = f"{path}: fixture {table.get('name', table.get('body', ''))!r}"
    _known(table, _FIXTURE, where)
    described = dict(table)
    if "body" in table:
        described = {"name": table["body"], **_read(path.parent / f"{table['body']}.toml"), **table}
    parts = _tables(_need(described, "part", where), f"{where}: part")
    return SceneBody(
        name=_need(described, "name", where),
        shapes=tuple(_part(part, where) for part in parts),
        wxyz_xyz_world_body=_placed(described, where).wxyz_xyz,
        friction=float(_numbers(described.get("friction", 0.8), 0, where, "friction")),
    )


def _part(table: Mapping[str, Any], where: str) -> Shape:
    where = f"{where}, part {table.get('kind', '')!r}"
    _known(table, _PART, where)
    kind = _need(table, "kind", where)
    if kind not in _SIZES:
        raise SchemaError(f"{where}: there are parts of kind {', '.join(_SIZES)}.")
    size = _numbers(_need(table, "size", where), _SIZES[kind], where, "size")
    rgba = np.append(_numbers(table.get("color", _GREY), 3, where, "color"), 1.0)
    padded = np.concatenate((size, np.zeros(3 - len(size))))
    return Shape(kind=kind, size=padded, wxyz_xyz=_placed(table, where).wxyz_xyz, rgba=rgba)


def _placed(table: Mapping[str, Any], where: str) -> SE3:
    position = _numbers(table.get("position", (0.0, 0.0, 0.0)), 3, where, "position")
    turn = SE3.identity()
    for axis, angle in enumerate(np.deg2rad(_numbers(table.get("rpy_deg", (0.0, 0.0, 0.0)), 3, where, "rpy_deg"))):
        turn = SE3.exp(np.eye(6)[3 + axis] * angle) @ turn
    return SE3.from_parts(turn.wxyz, position)


def _numbers(value: Any, count: int, where: str, key: str) -> np.ndarray:
    """``count`` finite numbers; one alone for 0."""
    try:
        numbers = np.asarray(value, float)
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if numbers.shape != ((count,) if count else ()) or not np.isfinite(numbers).all():
        raise SchemaError(f"{where}: {key} is {value!r}; {count or 'one'} number{'s' * (count > 1)} are wanted.")
    return numbers


def _need(table: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in table:
        raise SchemaError(f"{where}: {key!r} is missing; it has {', '.join(table) or 'nothing'}.")
    return table[key]


def _known(table: Mapping[str, Any], keys: set[str], where: str) -> None:
    odd = sorted(set(table) - keys)
    if odd:
        raise SchemaError(f"{where}: {odd[0]!r} is not known; there are {', '.join(sorted(keys))}.")


def _tables(value: Any, where: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise SchemaError(f"{where} is {value!r}; it is a list of tables, [[…]].")
    return value
