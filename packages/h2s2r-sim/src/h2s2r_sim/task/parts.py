"""Parts of objects and fixtures as written in TOML, turned into shapes.

In:  ``[[part]]`` tables: kind, size [m], place, copies about z, mass [kg].   Out: ``Part`` s that hold a ``Shape`` each.
Not here: mass properties (mass), which files there are (files).

Keys of a part: ``kind`` (box, sphere, cylinder, capsule, lathe), ``size`` as ``Shape.size`` has it, trailing zeros left
out; ``profile`` and ``sides`` for a lathe: the closed cross-section [radius, height] turned about z; ``position`` [m] and
``rpy_deg`` (fixed axes x, y, z in turn); ``around_z`` copies spread evenly over ``turn_deg`` about the vertical line through
``center``; ``mass`` [kg] of all copies together; ``color``; ``visual`` and ``collision``: whether it is seen and collides
(a lathe does not collide unless told to, as it would do so as its convex hull).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from h2s2r_schemas.artifacts import Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

_KEYS = {
    "kind", "size", "profile", "sides", "position", "rpy_deg", "around_z", "turn_deg", "center", "mass", "color",
    "visual", "collision",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One shape and what it is for."""

    shape: Shape
    """In the owner's frame."""
    mass: float
    """[kg]; 0 for a part that is only seen or only collides."""
    visual: bool
    """Whether it is seen."""
    collision: bool
    """Whether it collides."""


def pose_from_rpy(position: Sequence[float], rpy_deg: Sequence[float]) -> SE3:
    """The pose at ``position`` [m], turned by roll, pitch, yaw [deg] about the fixed axes x, y, z in turn."""
    turn = SE3.identity()
    for axis, angle in enumerate(np.deg2rad(np.asarray(rpy_deg, float))):
        turn = SE3.exp(np.eye(6)[3 + axis] * angle) @ turn
    return SE3.from_parts(turn.wxyz, np.asarray(position, float))


def read_parts(tables: Sequence[Mapping[str, Any]], where: str) -> tuple[Part, ...]:
    """The parts of one object or fixture, copies included.

    Args:
        tables: the ``[[part]]`` tables.
        where: name of the file, for messages.

    Raises:
        SchemaError: no part at all, an unknown or missing key, or a size that a shape does not allow.
    """
    if not tables:
        raise SchemaError(f"{where} has no [[part]]: an object or fixture needs at least one.")
    return tuple(part for table in tables for part in _read_part(table, where))


def _read_part(table: Mapping[str, Any], where: str) -> list[Part]:
    unknown = sorted(set(table) - _KEYS)
    if unknown or "kind" not in table:
        raise SchemaError(
            f"{where}: a [[part]] has unknown keys {unknown} or no 'kind'. Allowed: {', '.join(sorted(_KEYS))}."
        )
    lathe = table["kind"] == "lathe"
    count = int(table.get("around_z", 1))
    fields: dict[str, Any] = {"kind": table["kind"]}
    if lathe:
        fields["kind"] = "mesh"
        fields["vertices"], fields["faces"] = turn_profile(np.asarray(table["profile"]), int(table.get("sides", 32)))
    else:
        fields["size"] = tuple(table["size"]) + (0.0,) * (3 - len(table["size"]))
    if "color" in table:
        fields["rgba"] = (*table["color"], 1.0)
    T_owner_part = pose_from_rpy(table.get("position", (0.0, 0.0, 0.0)), table.get("rpy_deg", (0.0, 0.0, 0.0)))
    T_owner_axis = SE3.from_parts(np.eye(4)[0], np.array([*table.get("center", (0.0, 0.0)), 0.0]))
    parts = []
    for copy in range(count):
        turn = SE3.exp(np.eye(6)[5] * np.deg2rad(table.get("turn_deg", 360.0)) * copy / count)
        shape = Shape(wxyz_xyz=(T_owner_axis @ turn @ T_owner_part).wxyz_xyz, **fields)
        parts.append(
            Part(
                shape,
                mass=float(table.get("mass", 0.0)) / count,
                visual=table.get("visual", True),
                collision=table.get("collision", not lathe),
            )
        )
    return parts


def turn_profile(profile: np.ndarray, sides: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed mesh from a cross-section turned about z.

    Args:
        profile: (P, 2) [m] radius ≥ 0 and height, counter-clockwise when radius points right and height up. It starts and
            ends on the axis for a solid without a hole.
        sides: how many flat sides make the full turn.

    Returns:
        Vertices (V, 3) [m] and faces (F, 3), counter-clockwise from outside.
    """
    angles = 2 * np.pi * np.arange(sides) / sides
    vertices: list[np.ndarray] = []
    rows: list[np.ndarray] = []
    for radius, height in profile:
        start = len(vertices)
        if radius == 0.0:
            vertices.append(np.array([0.0, 0.0, height]))
            rows.append(np.full(sides, start))
        else:
            vertices += [np.array([radius * np.cos(a), radius * np.sin(a), height]) for a in angles]
            rows.append(start + np.arange(sides))
    faces = []
    for low, high in zip(rows, rows[1:] + rows[:1], strict=True):
        for a, b, c, d in zip(low, np.roll(low, -1), np.roll(high, -1), high, strict=True):
            # On the axis two corners of a quad are one vertex: it is a triangle there, or nothing.
            faces += [face for face in ((a, b, c), (a, c, d)) if len(set(map(int, face))) == 3]
    return np.array(vertices), np.array(faces, dtype=np.int32)
