"""Where the camera stands, and how it projects.

In:  points that must be seen, from which side, a seed.   Out: ``T_world_camera``, ``CameraIntrinsics``.
Not here: depth and its faults (camera).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.se3 import SE3

#: [rad] upright field of view of the D435's colour camera (data sheet 337029-005: 69.4° by 42.5°, of 1920 by 1080).
COLOR_FOVY = float(np.deg2rad(42.5))
#: Share of the picture, from its middle, that holds what must be seen.
_FRAME = 0.90
#: [m] the depth camera is used at.
_NEAREST, _FARTHEST = 0.55, 1.1


def color_camera(width: int, height: int) -> CameraIntrinsics:
    """A camera without distortion whose principal point is the middle of the picture."""
    focal = height / 2 / np.tan(COLOR_FOVY / 2)
    return CameraIntrinsics(width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2)


def choose_view(rng: np.random.Generator, points: np.ndarray, facing: np.ndarray, camera: CameraIntrinsics) -> SE3:
    """Where the colour camera stands in the world.

    Args:
        rng: of this recording.
        points: (N, 3) [m] in the world, all of which are seen if the camera's reach allows.
        facing: (3) level direction from the scene to about where the camera stands.
        camera: its intrinsics.
    """
    azimuth = np.arctan2(facing[1], facing[0]) + rng.uniform(-0.9, 0.9)
    elevation, roll = np.deg2rad(rng.uniform(30.0, 58.0)), np.deg2rad(rng.uniform(-8.0, 8.0))
    away = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    T_world_camera = _looking_at((points.min(axis=0) + points.max(axis=0)) / 2, away, roll, _FARTHEST)
    for _ in range(6):
        T_world_camera = _improved(T_world_camera, points, away, roll, camera)
    return T_world_camera


def _improved(T_world_camera: SE3, points: np.ndarray, away: np.ndarray, roll: float, camera: CameraIntrinsics) -> SE3:
    """Moved so that the points fill the frame: centred, and from as near as they fit."""
    seen = T_world_camera.inv().apply(points)
    half = _FRAME * np.array([camera.width / 2 / camera.fx, camera.height / 2 / camera.fy])
    low, high = (seen[:, :2] / seen[:, 2:]).min(axis=0), (seen[:, :2] / seen[:, 2:]).max(axis=0)
    depth = float(np.median(seen[:, 2]))
    middle = T_world_camera.apply(np.array([*(low + high) / 2 * depth, depth]))
    grow = float(((high - low) / 2 / half).max())
    return _looking_at(middle, away, roll, float(np.clip(depth * grow, _NEAREST, _FARTHEST)))


def _looking_at(target: np.ndarray, away: np.ndarray, roll: float, distance: float) -> SE3:
    """The camera at ``target + distance · away``, looking at the target, turned about its axis by ``roll``."""
    forward = -away
    right = np.cross(forward, np.array([0.0, 0.0, 1.0]))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    rotation = np.stack([right, down, forward], axis=-1)
    turn = np.array([[np.cos(roll), -np.sin(roll), 0.0], [np.sin(roll), np.cos(roll), 0.0], [0.0, 0.0, 1.0]])
    return SE3.from_rotation_matrix(rotation @ turn, target + distance * away)
