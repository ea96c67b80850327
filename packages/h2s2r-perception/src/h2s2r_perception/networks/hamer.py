"""A hand by HaMeR, in its own process: true focal length, then aligned with depth.

In:  ``RGBDFrame``, a box round the hand, which hand it is.   Out: ``NetworkHand``: keypoints in the camera frame.
Not here: the network (server), our own hand fit (hand).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from h2s2r_perception.frames import RGBDFrame, deproject, project
from h2s2r_perception.networks.exchange import Exchange, NetworkError
from h2s2r_schemas.artifacts import CameraIntrinsics

#: [m] farthest that measured points may be from the hand to align it, first and last; rounds between.
_FIRST_GATE, _LAST_GATE, _ROUNDS = 0.15, 0.02, 8
_FEWEST_POINTS = 60


@dataclass(frozen=True)
class NetworkHand:
    """A hand as the network sees it, moved to where depth says it is."""

    p_camera_keypoints: np.ndarray
    """(21, 3) [m] in the order of ``KEYPOINT_NAMES``: wrist, then thumb to little finger, each base to tip."""
    p_camera_vertices: np.ndarray
    """(778, 3) [m] of its surface."""
    moved: float
    """[m] by which depth moved it: what the network alone was off by."""
    residual: float
    """[m] median distance of measured points from its surface afterwards."""


class HamerHands:
    """Hands of one picture after another.

    Args:
        folder: of the exchange with a running server.
        timeout: [s] for an answer.

    Raises:
        NetworkError: no such server.
    """

    def __init__(self, folder: Path, timeout: float = 120.0) -> None:
        self._exchange, self._timeout = Exchange(folder, "hamer"), timeout

    def look(self, frame: RGBDFrame, box: np.ndarray, side: str, mask: np.ndarray | None = None) -> NetworkHand:
        """The hand in a box.

        Args:
            frame: the pictures.
            box: (4) [px] left, top, right, bottom.
            side: ``left`` or ``right``.
            mask: (H, W) bool, the hand; everything in the box near the network's hand if none.

        Raises:
            NetworkError: a box outside the picture, no depth on the hand, or the network fails.
        """
        box = np.asarray(box, float)
        high, wide = frame.depth.shape
        if box.shape != (4,) or not (0 <= box[0] < box[2] <= wide and 0 <= box[1] < box[3] <= high):
            raise NetworkError(f"The box {box.tolist()} is not left, top, right, bottom within {wide}×{high} px.")
        if side not in ("left", "right"):
            raise NetworkError(f"A hand is left or right; this is {side!r}.")
        right = np.array([1.0 if side == "right" else 0.0])
        arrays = {"rgb": frame.rgb, "boxes": box[None].astype(np.float32), "right": right.astype(np.float32)}
        found = self._exchange.ask("predict", None, arrays, self._timeout).arrays
        wanted = {"keypoints": (1, 21, 3), "vertices": (1, 778, 3), "camera": (1, 3), "centre": (1, 2)}
        for name, shape in wanted.items():
            if name not in found or found[name].shape != shape or not np.isfinite(found[name]).all():
                raise NetworkError(f"hamer answered no finite {name} of shape {shape}.")
        mirror = np.array([1.0 if side == "right" else -1.0, 1.0, 1.0])
        shift = place_in_camera(
            found["camera"][0], found["centre"][0], float(found["size"].ravel()[0]), frame.camera, side
        )
        keypoints, vertices = found["keypoints"][0] * mirror + shift, found["vertices"][0] * mirror + shift
        return align_with_depth(frame, keypoints, vertices, box, mask)


def place_in_camera(
    crop_camera: np.ndarray, centre: np.ndarray, size: float, camera: CameraIntrinsics, side: str
) -> np.ndarray:
    """(3) [m] where the network's hand is in a camera of known focal length.

    The network's camera (s, tx, ty) is weak perspective on a crop of ``size`` [px] about ``centre`` [px]: a hand 2/s wide
    fills the crop. With the true focal length f its distance is 2 f / (size s); the crop's middle is on the ray through
    ``centre``, by the true principal point. HaMeR's own default focal length would put the hand metres away.
    """
    scale, tx, ty = np.asarray(crop_camera, float)
    if scale <= 0 or size <= 0:
        raise NetworkError(f"hamer answered a crop camera of scale {scale:g} on {size:g} px; both are more than 0.")
    tx = tx if side == "right" else -tx
    depth = 2.0 * camera.fx / (size * scale)
    x = tx + (centre[0] - camera.cx) * depth / camera.fx
    y = ty + (centre[1] - camera.cy) * depth / camera.fy
    return np.array([x, y, depth])


def align_with_depth(
    frame: RGBDFrame, keypoints: np.ndarray, vertices: np.ndarray, box: np.ndarray, mask: np.ndarray | None
) -> NetworkHand:
    """Slide the hand along its ray by the median difference in depth, then shift it onto the measured points.

    Raises:
        NetworkError: too few measured points.
    """
    pixels = np.rint(project(frame.camera, vertices)).astype(int)
    points = _points_on(frame, box, mask)
    ray = vertices.mean(axis=0) / np.linalg.norm(vertices.mean(axis=0))
    front = _front(vertices, pixels)
    u, v = pixels[front].T
    inside = (u >= 0) & (v >= 0) & (u < frame.camera.width) & (v < frame.camera.height)
    measured = frame.depth[v[inside], u[inside]]
    on_hand = measured > 0
    if mask is not None:
        on_hand &= mask[v[inside], u[inside]]
    if on_hand.sum() < _FEWEST_POINTS // 4 or len(points) < _FEWEST_POINTS:
        raise NetworkError(
            f"{len(points)} measured points on the hand, {_FEWEST_POINTS} are needed: bring it nearer, or give a mask of it."
        )
    slide = np.median(measured[on_hand] - (vertices[front][inside])[on_hand][:, 2]) / ray[2]
    moved = slide * ray
    gate = _FIRST_GATE
    for _ in range(_ROUNDS):
        distance, nearest = KDTree(vertices[front] + moved).query(points)
        near = distance < gate
        if near.sum() < _FEWEST_POINTS:
            break
        moved = moved + np.median(points[near] - (vertices[front] + moved)[np.asarray(nearest)[near]], axis=0)
        gate = max(_LAST_GATE, 0.7 * gate)
    distance, _ = KDTree(vertices[front] + moved).query(points)
    residual = float(np.median(distance[distance < _FIRST_GATE])) if (distance < _FIRST_GATE).any() else np.inf
    return NetworkHand(keypoints + moved, vertices + moved, float(np.linalg.norm(moved)), residual)


def _points_on(frame: RGBDFrame, box: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """(N, 3) [m] measured points in the mask, or in the box, every second pixel."""
    left, top, right, bottom = np.rint(box).astype(int)
    v, u = (axis.ravel() for axis in np.mgrid[top:bottom:2, left:right:2])
    depth = frame.depth[v, u].astype(float)
    kept = depth > 0 if mask is None else (depth > 0) & mask[v, u]
    return deproject(frame.camera, u[kept], v[kept], depth[kept])


def _front(vertices: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """(N) bool: vertices that are the nearest in their patch of 6×6 px: those the camera sees."""
    patch = pixels // 6
    _, group = np.unique(patch, axis=0, return_inverse=True)
    nearest = np.full(group.max() + 1, np.inf)
    np.minimum.at(nearest, group.ravel(), vertices[:, 2])
    return vertices[:, 2] < nearest[group.ravel()] + 0.008
