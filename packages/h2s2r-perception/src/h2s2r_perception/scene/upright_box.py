"""The upright box that a camera sees from one side.

In:  points on a thing that stands on the table, and where the camera is.   Out: ``UprightBox``.
Not here: finding the points (find, object.primitive).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from h2s2r_schemas.se3 import SE3

#: [deg] between yaw angles tried, and points used for that.
_YAW_STEP, _POINTS = 1.0, 600
#: Per cent of the points left out at either end when a side is found by how far points reach.
_TAIL = 1.0
#: [m] beyond which a point counts less: depth noise at a metre.
_SOFT = 0.003
#: [m] least edge.
_THINNEST = 0.001
#: Share of the points that a face must hold before its place is taken from them: where points end there, and anywhere.
_FACE, _MANY = 0.04, 0.15
#: [m] that a face found by its points may be off where points end.
_AGREE = 0.015


@dataclass(frozen=True)
class UprightBox:
    """A box on the table, an edge along z."""

    T_table_box: SE3
    """Pose of its middle in the table frame; x along its longer side."""
    size: np.ndarray
    """(3) [m] full edge lengths."""
    residual: float
    """[m] mean distance of the points from its surface."""
    two_sides: tuple[bool, bool]
    """Whether points tell how long it is along x and along y; false where only one face across that axis was seen."""


def fit_upright_box(p_table_points: np.ndarray, p_table_camera: np.ndarray) -> UprightBox:
    """The box around points (N, 3) [m] seen from ``p_table_camera`` (3) [m]; it stands on z = 0 of the table frame."""
    some = p_table_points[:: max(1, len(p_table_points) // _POINTS)]
    height = _top(p_table_points[:, 2])
    yaw = min(np.deg2rad(np.arange(0.0, 90.0, _YAW_STEP)), key=lambda angle: _roughness(some, height, angle))
    yaw, low, high, height = _refine(some, p_table_camera, float(yaw), height)
    if high[0] - low[0] < high[1] - low[1]:
        # x along the longer side: a quarter turn takes (x, y) to (y, -x).
        yaw, low, high = yaw + np.pi / 2, np.array([low[1], -high[0]]), np.array([high[1], -low[0]])
    if np.cos(yaw) < 0:
        yaw, low, high = yaw + np.pi, -high, -low
    middle, size = (low + high) / 2, np.maximum(high - low, _THINNEST)
    p_box = _turned(p_table_points, yaw)
    residual = float(_from_surface(p_box, low, high, height).mean())
    wxyz = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
    xy = _turned(np.array([[*middle, 0.0]]), -yaw)[0, :2]
    T_table_box = SE3.from_parts(wxyz, np.array([*xy, height / 2]))
    told = _told(p_box, low, high, height)
    return UprightBox(T_table_box, np.array([*size, height]), residual, told)


def _top(z: np.ndarray) -> float:
    """[m] height of the top: where the points under the highest ones gather."""
    highest = float(np.percentile(z, 99))
    top = z[z > highest - 0.012]
    return float(np.median(top)) if len(top) > 0.1 * len(z) else highest


def _turned(points: np.ndarray, yaw: float) -> np.ndarray:
    """(N, 3) points in a frame that is turned by ``yaw`` [rad] about z."""
    c, s = np.cos(yaw), np.sin(yaw)
    return points @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _reach(p_box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2), (2) [m] how far points reach along x and y: a face evenly full of them is as long as this says."""
    low, high = np.percentile(p_box[:, :2], _TAIL, axis=0), np.percentile(p_box[:, :2], 100 - _TAIL, axis=0)
    beyond = (high - low) * _TAIL / (100 - 2 * _TAIL)
    return low - beyond, high + beyond


def _distances(p_box: np.ndarray, low: np.ndarray, high: np.ndarray, height: float) -> np.ndarray:
    """(N) [m] distance from the nearest of the four sides and the top, taken as planes."""
    sides = np.abs(np.stack((p_box[:, :2] - low, p_box[:, :2] - high))).min(axis=(0, 2))
    return np.minimum(sides, np.abs(p_box[:, 2] - height))


def _from_surface(p_box: np.ndarray, low: np.ndarray, high: np.ndarray, height: float) -> np.ndarray:
    """(N) [m] distance from the surface of the box itself, its bottom left out."""
    half = np.array([*(high - low) / 2, height])
    beyond = np.abs(p_box - np.array([*(low + high) / 2, 0.0])) - half
    outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
    return outside + np.maximum(-beyond.max(axis=1), 0.0)


def _roughness(points: np.ndarray, height: float, yaw: float) -> float:
    p_box = _turned(points, yaw)
    return float(_distances(p_box, *_reach(p_box), height).mean())


def _refine(
    points: np.ndarray, p_table_camera: np.ndarray, yaw: float, height: float
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Yaw, sides and top by least squares over the faces that the camera sees; the others stay where points end."""
    low, high = _reach(_turned(points, yaw))
    camera = _turned(p_table_camera[None], yaw)[0, :2]
    # Which side across each axis faces the camera: +1 the higher one, -1 the lower one, 0 neither.
    facing = np.where(camera > high, 1, np.where(camera < low, -1, 0))
    start = np.array([yaw, *np.where(facing > 0, high, low), height])

    def apart(x: np.ndarray) -> np.ndarray:
        p_box = _turned(points, x[0])
        to_sides = np.where(facing != 0, p_box[:, :2] - x[1:3], np.inf)
        faces = np.column_stack((to_sides, p_box[:, 2] - x[3]))
        nearest = np.abs(faces).argmin(axis=1)
        return faces[np.arange(len(points)), nearest]

    found = least_squares(apart, start, loss="soft_l1", f_scale=_SOFT, x_scale=[0.02, 0.005, 0.005, 0.005]).x
    p_box = _turned(points, found[0])
    held = (np.abs(p_box[:, :2] - found[1:3]) < 2 * _SOFT).mean(axis=0)
    beyond = (p_box[:, :2] - found[1:3]) * facing > 2 * _SOFT
    # A face that many points lie on ends the box: what is in front of it is something else.
    low, high = _reach(p_box[~(beyond & (held > _MANY)).any(axis=1)])
    for axis in (0, 1):
        side = high if facing[axis] > 0 else low
        close = held[axis] > _FACE and abs(found[1 + axis] - side[axis]) < _AGREE
        if facing[axis] != 0 and (held[axis] > _MANY or close):
            side[axis] = found[1 + axis]
    return float(found[0]), low, high, float(found[3])


def _told(p_box: np.ndarray, low: np.ndarray, high: np.ndarray, height: float) -> tuple[bool, bool]:
    """Whether the top, or a face along it, shows how long the box is along x and along y."""
    inside = ((p_box[:, :2] > low + 2 * _SOFT) & (p_box[:, :2] < high - 2 * _SOFT)).mean(axis=0)
    return bool(inside[0] > _FACE), bool(inside[1] > _FACE)
