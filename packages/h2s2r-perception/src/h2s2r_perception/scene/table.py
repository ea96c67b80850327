"""The table: where its surface is, and how far it was seen.

In:  a ``RGBDFrame`` of the still scene, where the camera stands.   Out: ``Table``, its ``SceneBody``.
Not here: what stands on it (fixtures).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from h2s2r_perception.frames import RGBDFrame, deproject
from h2s2r_perception.segment import Plane, find_plane
from h2s2r_schemas.artifacts import SceneBody, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: [m] thickness that is assumed, and how deep the noise of its surface goes.
_THICKNESS, _GATE = 0.04, 0.006
#: [deg] that a table may be tilted in a world whose z is up: tables stand level, calibrations may be off.
TILT_DEG = 5.0
#: Per cent of the surface's points that are left out at either end of each axis.
_TAIL = 0.5


@dataclass(frozen=True)
class Table:
    """A table and what was seen of it."""

    plane: Plane
    """Its surface in the camera frame."""
    T_world_table: SE3
    """On its surface, in the middle of what was seen; z up out of it, x along the world's."""
    size: np.ndarray
    """(2) [m] how far it was seen along x and y."""

    def lowered(self, by: float) -> Table:
        """The same table, lower by ``by`` [m]."""
        down = SE3.from_parts(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, -by]))
        plane = replace(self.plane, offset=self.plane.offset + by)
        return Table(plane, self.T_world_table @ down, self.size)

    def body(self) -> SceneBody:
        """As a box below its surface."""
        below = SE3.from_parts(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, -_THICKNESS / 2]))
        shape = Shape(kind="box", size=np.array([*self.size, _THICKNESS]), wxyz_xyz=below.wxyz_xyz)
        return SceneBody(name="table", shapes=(shape,), wxyz_xyz_world_body=self.T_world_table.wxyz_xyz)


def find_table(frame: RGBDFrame, T_world_camera: SE3, seed: int = 0) -> Table:
    """The table in a picture of the still scene.

    Raises:
        SchemaError: no plane that could be a table, or it is tilted in the world by more than ``TILT_DEG``.
    """
    up = T_world_camera.inv().rotate(np.array([0.0, 0.0, 1.0]))
    rough = find_plane(frame, up, seed)
    v, u = np.nonzero(frame.depth > 0)
    points = deproject(frame.camera, u, v, frame.depth[v, u].astype(float))
    plane, on = _precise(points, rough)
    tilt = float(np.rad2deg(np.arccos(np.clip(plane.normal @ up, -1.0, 1.0))))
    if tilt > TILT_DEG:
        raise SchemaError(
            f"The table is tilted by {tilt:.1f}° in the world; {TILT_DEG:g}° are allowed. The camera's place in the calibration "
            "is wrong, or it moved: calibrate it anew (`calibrate board`), or level it on the table (`calibrate level`)."
        )
    T_world_table, size = _place(T_world_camera.apply(points[on]), T_world_camera.rotate(plane.normal))
    return Table(plane, T_world_table, size)


def _precise(points: np.ndarray, plane: Plane) -> tuple[Plane, np.ndarray]:
    """The plane through all points near it, and which they are."""
    gate = _GATE * np.maximum(points[:, 2], 0.3) ** 2
    normal, offset = plane.normal, plane.offset
    on = np.abs(points @ normal + offset) < gate
    for _ in range(2):
        weight = 1.0 / gate[on, None] ** 2
        middle = (points[on] * weight).sum(axis=0) / weight.sum()
        spread = (points[on] - middle).T @ ((points[on] - middle) * weight)
        found = np.linalg.eigh(spread)[1][:, 0]
        normal = found if found @ normal > 0 else -found
        offset = -float(middle @ normal)
        on = np.abs(points @ normal + offset) < gate
    return Plane(normal, offset, float(on.mean())), on


def _place(p_world_surface: np.ndarray, normal: np.ndarray) -> tuple[SE3, np.ndarray]:
    """The frame in the middle of the surface's points (N, 3) [m], and how far they reach (2) [m]."""
    x = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
    x /= np.linalg.norm(x)
    axes = np.stack((x, np.cross(normal, x), normal), axis=1)
    local = p_world_surface @ axes
    low, high = np.percentile(local, _TAIL, axis=0), np.percentile(local, 100 - _TAIL, axis=0)
    middle = np.array([*(low + high)[:2] / 2, np.median(local[:, 2])])
    return SE3.from_rotation_matrix(axes, axes @ middle), (high - low)[:2]
