"""The upright cylinder, with or without a handle, that a camera sees from one side.

In:  points on a thing that stands on the table.   Out: ``Round``.
Not here: finding the points (from_recording), shapes made of it (primitive).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

#: [m] beyond which a point counts less: depth noise at a metre; what lies farther out than this is no wall.
_SOFT, _OUT = 0.003, 0.012
#: [m] under the top from which points are the wall's, and by which they lie below the rim where it is open.
_RIM, _DEEP = 0.008, 0.02
#: Share of the points that a handle, the sight into the inside, or a lid needs at least.
_HANDLE, _INSIDE, _LID = 0.03, 0.03, 0.02
#: A circle's diameter relative to the diagonal of what is seen of it, at most.
_WIDER = 1.3
#: [rad] half the angle within which a handle's points are gathered.
_SECTOR = 0.6


@dataclass(frozen=True)
class Handle:
    """What sticks out of the wall on one side."""

    azimuth: float
    """[rad] direction from the axis, about z of the table frame."""
    reach: float
    """[m] of its outside from the axis."""
    low: float
    """[m] lowest point above the table."""
    high: float
    """[m] highest point."""


@dataclass(frozen=True)
class Round:
    """An upright cylinder on the table."""

    centre: np.ndarray
    """(2) [m] of its axis in the table frame."""
    radius: float
    """[m]"""
    height: float
    """[m]"""
    open_top: bool
    """Whether one looks into it."""
    handle: Handle | None
    """If it has one that was seen."""
    residual: float
    """[m] mean distance of the points from its surface, those of handle and inside left out."""


def fit_round(p_table_points: np.ndarray) -> Round:
    """The cylinder around points (N, 3) [m] of a thing that stands on z = 0 of the table frame and is seen from above."""
    z = p_table_points[:, 2]
    height = float(np.percentile(z, 98))
    wall = p_table_points[(z < height - _RIM) & (z > _RIM)]
    wall = wall if len(wall) > 30 else p_table_points
    centre, radius = _circle(wall[:, :2])
    radial = np.linalg.norm(p_table_points[:, :2] - centre, axis=1) - radius
    outside = p_table_points[radial > _OUT]
    handle = _handle(outside - np.array([*centre, 0.0]), len(p_table_points))
    inside = (radial < -_OUT) & (z < height - _DEEP)
    lid = (radial < -_OUT) & (np.abs(z - height) < _RIM)
    # Seen from above, a lid would be full of points; without them one looks into it, or there would be a lid.
    open_top = bool(inside.mean() > _INSIDE or lid.mean() < _LID)
    counted = ~inside if open_top else np.ones(len(z), bool)
    if handle is not None:
        counted &= radial <= _OUT
    off = _from_surface(radial[counted], z[counted] - height)
    # A circle much wider than what is seen is that of a flat face.
    wide = float(np.linalg.norm(np.ptp(np.percentile(wall[:, :2], (2, 98), axis=0), axis=0)))
    sound = counted.any() and 2 * radius < _WIDER * wide
    return Round(centre, radius, height, open_top, handle, float(off.mean()) if sound else np.inf)


def _circle(xy: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (2) [m] and radius [m] of the circle near most of the points (N, 2), of which some may be inside or outside."""
    design = np.column_stack((2 * xy, np.ones(len(xy))))
    first = np.linalg.lstsq(design, (xy**2).sum(axis=1), rcond=None)[0]
    start = np.array([*first[:2], np.sqrt(max(first[2] + first[:2] @ first[:2], 1e-6))])

    def apart(x: np.ndarray) -> np.ndarray:
        return np.linalg.norm(xy - x[:2], axis=1) - x[2]

    found = least_squares(apart, start, loss="cauchy", f_scale=_SOFT, x_scale=0.01).x
    return found[:2], abs(float(found[2]))


def _from_surface(radial: np.ndarray, above: np.ndarray) -> np.ndarray:
    """(N) [m] distance from wall and top; ``radial`` beyond the wall, ``above`` the top, both [m]."""
    outside = np.hypot(np.maximum(radial, 0.0), np.maximum(above, 0.0))
    return outside + np.maximum(-np.maximum(radial, above), 0.0)


def _handle(p_axis_outside: np.ndarray, total: int) -> Handle | None:
    """A handle, if the points (N, 3) [m] beyond the wall gather on one side."""
    if len(p_axis_outside) < _HANDLE * total:
        return None
    angle = np.arctan2(p_axis_outside[:, 1], p_axis_outside[:, 0])
    azimuth = float(np.angle(np.exp(1j * angle).sum()))
    off = np.abs(np.angle(np.exp(1j * (angle - azimuth))))
    if (off < _SECTOR).mean() < 0.8:
        return None
    there = p_axis_outside[off < _SECTOR]
    low, high = np.percentile(there[:, 2], (3, 97))
    reach = float(np.percentile(np.linalg.norm(there[:, :2], axis=1), 95))
    return Handle(azimuth, reach, float(low), float(high))
