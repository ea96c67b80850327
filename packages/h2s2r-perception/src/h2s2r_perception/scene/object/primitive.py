"""Shapes of a box, a cylinder or a mug, in the object frame: z up, origin in the middle of the body.

In:  ``UprightBox``, ``Round``.   Out: visual and colliding ``Shape``s.
Not here: fitting them (upright_box, round), mass (from_scan).
"""

from __future__ import annotations

import numpy as np
import trimesh

from h2s2r_perception.scene.object.round import Handle, Round
from h2s2r_perception.scene.upright_box import UprightBox
from h2s2r_schemas.artifacts import Shape
from h2s2r_schemas.se3 import SE3

#: [m] wall and floor of an open vessel, thickness of a handle along and across: nobody sees them; those of mugs.
WALL, _STRAP, _STRAP_WIDE = 0.004, 0.010, 0.016
#: Flat pieces that stand for the round wall, and segments of what is drawn.
_PIECES, _SEGMENTS = 12, 40


def box_shapes(box: UprightBox, rgba: np.ndarray) -> tuple[Shape, ...]:
    """One box; it is seen and collides."""
    return (Shape(kind="box", size=box.size, rgba=rgba),)


def round_shapes(found: Round, rgba: np.ndarray) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
    """What is seen and what collides of a cylinder, open at the top or not, with or without a handle towards its azimuth."""
    handle = () if found.handle is None else _handle_shapes(found.handle, found, rgba)
    if not found.open_top:
        body = Shape(kind="cylinder", size=np.array([found.radius, found.height, 0.0]), rgba=rgba)
        return (body, *handle), (body, *handle)
    floor = Shape(
        kind="cylinder",
        size=np.array([found.radius - WALL, WALL, 0.0]),
        wxyz_xyz=_at(0.0, 0.0, (WALL - found.height) / 2).wxyz_xyz,
        rgba=rgba,
    )
    tube = trimesh.creation.annulus(found.radius - WALL, found.radius, found.height, sections=_SEGMENTS)
    wall = Shape(kind="mesh", vertices=np.asarray(tube.vertices), faces=np.asarray(tube.faces), rgba=rgba)
    return (wall, floor, *handle), (*_staves(found, rgba), floor, *handle)


def _staves(found: Round, rgba: np.ndarray) -> tuple[Shape, ...]:
    """Boxes side by side in a circle."""
    middle = found.radius - WALL / 2
    size = np.array([WALL, 2 * found.radius * np.tan(np.pi / _PIECES), found.height])
    angles = 2 * np.pi * np.arange(_PIECES) / _PIECES
    return tuple(Shape(kind="box", size=size, wxyz_xyz=_out(a, middle, 0.0).wxyz_xyz, rgba=rgba) for a in angles)


def _handle_shapes(handle: Handle, found: Round, rgba: np.ndarray) -> tuple[Shape, ...]:
    """A grip parallel to the axis and two struts to the wall."""
    low, high = handle.low - found.height / 2, handle.high - found.height / 2
    reach = max(handle.reach, found.radius + 2 * _STRAP)
    grip = np.array([_STRAP, _STRAP_WIDE, max(high - low, 2 * _STRAP)])
    strut = np.array([reach - _STRAP - found.radius + WALL, _STRAP_WIDE, _STRAP])
    middle = found.radius - WALL + strut[0] / 2
    places = (
        (grip, reach - _STRAP / 2, (low + high) / 2),
        (strut, middle, low + _STRAP / 2),
        (strut, middle, high - _STRAP / 2),
    )
    return tuple(
        Shape(kind="box", size=size, wxyz_xyz=_out(handle.azimuth, distance, z).wxyz_xyz, rgba=rgba)
        for size, distance, z in places
    )


def _at(x: float, y: float, z: float) -> SE3:
    return SE3.from_parts(np.array([1.0, 0.0, 0.0, 0.0]), np.array([x, y, z]))


def _out(azimuth: float, distance: float, z: float) -> SE3:
    """At a distance from the axis, x pointing outwards."""
    wxyz = np.array([np.cos(azimuth / 2), 0.0, 0.0, np.sin(azimuth / 2)])
    return SE3.from_parts(wxyz, np.array([distance * np.cos(azimuth), distance * np.sin(azimuth), z]))
