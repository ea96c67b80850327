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
_NEAREST, _FARTHEST = 0.5, 0.95
#: [rad] how far the camera stands round from where the back of the hand looks, at most; and how high, at least and at most.
_ROUND, _LOW, _HIGH = 1.5, np.deg2rad(20.0), np.deg2rad(48.0)
#: Cosine between the way from wrist to knuckles and the way to the camera, between which a hand shows its shape: outside,
#: one looks along the forearm or onto the fingertips. Between them MediaPipe found 93 % of hands, outside 72 % (584 frames).
_SHOWS = (-0.25, 0.75)
_DRAWS = 60


def color_camera(width: int, height: int) -> CameraIntrinsics:
    """A camera without distortion whose principal point is the middle of the picture."""
    focal = height / 2 / np.tan(COLOR_FOVY / 2)
    return CameraIntrinsics(width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2)


def choose_view(
    rng: np.random.Generator, points: np.ndarray, hands: np.ndarray, facing: np.ndarray, camera: CameraIntrinsics
) -> SE3:
    """Where the colour camera stands in the world: where one would put it to see what the hand does.

    Args:
        rng: of this recording.
        points: (N, 3) [m] in the world, all of which are seen if the camera's reach allows.
        hands: (T, 2, 3) [m] wrist and middle knuckle while the hand is at work.
        facing: (3) level direction in which the back of the hand looks.
        camera: its intrinsics.
    """
    best, best_share = SE3.identity(), -1.0
    for _ in range(_DRAWS):
        T_world_camera = _drawn_view(rng, points, facing, camera)
        share = _share_shown(T_world_camera, hands)
        if share > best_share:
            best, best_share = T_world_camera, share
        if share >= 0.9:
            break
    return best


def _drawn_view(rng: np.random.Generator, points: np.ndarray, facing: np.ndarray, camera: CameraIntrinsics) -> SE3:
    """Some camera that has the points in its frame."""
    azimuth = np.arctan2(facing[1], facing[0]) + rng.uniform(-_ROUND, _ROUND)
    elevation, roll = rng.uniform(_LOW, _HIGH), np.deg2rad(rng.uniform(-8.0, 8.0))
    away = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    T_world_camera = _looking_at((points.min(axis=0) + points.max(axis=0)) / 2, away, roll, _FARTHEST)
    for _ in range(6):
        T_world_camera = _improved(T_world_camera, points, away, roll, camera)
    return T_world_camera


def _share_shown(T_world_camera: SE3, hands: np.ndarray) -> float:
    """Share of instants at which a hand (T, 2, 3) shows its shape."""
    along, view = hands[:, 1] - hands[:, 0], T_world_camera.translation - hands[:, 1]
    cosine = (along * view).sum(axis=-1) / np.linalg.norm(along, axis=-1) / np.linalg.norm(view, axis=-1)
    return float(((cosine > _SHOWS[0]) & (cosine < _SHOWS[1])).mean())


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
