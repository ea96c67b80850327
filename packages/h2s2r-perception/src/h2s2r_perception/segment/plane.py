"""The table: the largest plane that a thing can stand on.

In:  ``RGBDFrame``, and which way is up if that is known.   Out: ``Plane`` in the camera frame.
Not here: what stands on it (components), the ``Scene`` (scene).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.frames import RGBDFrame, deproject
from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.errors import SchemaError

_TRIALS, _STRIDE, _REFINEMENTS = 300, 8, 3
#: [m] at 1 m within which a point belongs to a plane; it grows with the square of the distance, as stereo's noise does.
_GATE = 0.006
#: Share of the picture's measurements that a table covers at least.
_SMALLEST = 0.08
_FARTHEST = 5.0
#: [m] that a plane passes the camera at least.
_SEEN = 0.01
#: Cosine between the normal and what is known to be up; without that, the camera is taken to be held upright.
_UP, _UPRIGHT = 0.9, -0.2


@dataclass(frozen=True)
class Plane:
    """A plane in the camera frame: ``normal · p + offset`` is the height [m] of a point p above it."""

    normal: np.ndarray
    """(3) unit vector, towards the camera."""
    offset: float
    """[m]"""
    share: float
    """Of the measured points, how many lie on it."""

    def height(self, p_camera: np.ndarray) -> np.ndarray:
        """(…) [m] heights of points (…, 3) [m]."""
        return p_camera @ self.normal + self.offset

    def depth(self, camera: CameraIntrinsics) -> np.ndarray:
        """(H, W) float32 [m] at which each pixel would see the plane; 0 where it does not, or farther than 5 m."""
        v, u = np.mgrid[: camera.height, : camera.width]
        slope = deproject(camera, u, v, np.ones(u.shape)) @ self.normal
        with np.errstate(divide="ignore"):
            depth = np.where(slope < 0, -self.offset / slope, 0.0)
        return np.where((depth > 0) & (depth < _FARTHEST), depth, 0.0).astype(np.float32)


def find_plane(frame: RGBDFrame, up: np.ndarray | None = None, seed: int = 0) -> Plane:
    """The largest plane that could be a table.

    Args:
        frame: the pictures.
        up: (3) unit vector that is up, in the camera frame; none if not known.
        seed: of the random trials.

    Raises:
        SchemaError: hardly any depth, or no such plane.
    """
    v, u = np.mgrid[: frame.camera.height : _STRIDE, : frame.camera.width : _STRIDE].reshape(2, -1)
    depth = frame.depth[v, u].astype(float)
    points = deproject(frame.camera, u, v, depth)[depth > 0]
    if len(points) < 100:
        raise SchemaError(
            f"Frame {frame.index} has depth in {len(points)} of {len(u)} places: too little to find a table."
        )
    gate = _GATE * np.maximum(points[:, 2], 0.3) ** 2
    chosen = np.random.default_rng(seed).integers(0, len(points), (_TRIALS, 3))
    a, b, c = points[chosen].transpose(1, 0, 2)
    normals, sound = _towards_camera(np.cross(b - a, c - a), a)
    offsets = -(normals * a).sum(axis=1)
    on = np.abs(points @ normals.T + offsets) < gate[:, None]
    level = normals @ up > _UP if up is not None else normals[:, 1] < -_UPRIGHT
    votes = on.sum(axis=0) * (sound & level)
    best = int(votes.argmax())
    normal, offset, members = normals[best], float(offsets[best]), on[:, best]
    for _ in range(_REFINEMENTS if votes[best] else 0):
        weight = 1.0 / gate[members, None] ** 2
        middle = (points[members] * weight).sum(axis=0) / weight.sum()
        spread = (points[members] - middle).T @ ((points[members] - middle) * weight)
        normal = np.linalg.eigh(spread)[1][:, 0]
        normal = normal if normal @ middle < 0 else -normal
        offset = -float(middle @ normal)
        members = np.abs(points @ normal + offset) < gate
    share = float(members.mean()) if votes[best] else 0.0
    if share < _SMALLEST:
        raise SchemaError(
            f"No table in frame {frame.index}: the largest level plane holds {share:.0%} of the depth, {_SMALLEST:.0%} are "
            "needed. Point the camera at the table, or give masks of the object."
        )
    return Plane(normal, offset, share)


def _towards_camera(normals: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals (N, 3) out of planes through ``points`` (N, 3), and whether (N) they are planes that a camera can see."""
    length = np.linalg.norm(normals, axis=1)
    unit = normals / np.maximum(length, 1e-12)[:, None]
    away = (unit * points).sum(axis=1)
    # Three points in one row of the picture lie in a plane through the camera itself.
    return unit * -np.sign(away)[:, None], (length > 1e-6) & (np.abs(away) > _SEEN)
