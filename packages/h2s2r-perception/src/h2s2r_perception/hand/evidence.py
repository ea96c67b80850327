"""What a picture tells about a hand, as arrays of one size for every frame.

In:  ``RGBDFrame``, ``Landmarks``.   Out: ``Evidence`` of T frames in the camera frame.
Not here: finding landmarks (finder), what the evidence weighs (terms).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame, deproject
from h2s2r_perception.hand.landmarks import Landmarks

#: Measured points of the hand in a frame, and pixels of its patch of depth.
POINTS, PATCH = 140, 96
#: Keypoints of the palm's outline, and of the lines that fingers follow.
PALM_OUTLINE = np.array([0, 1, 5, 9, 13, 17])
LINES = np.array([(0, 1), *((first + k, first + k + 1) for first in range(1, 21, 4) for k in range(3))])
#: Keypoints of a hand whose fingers are counted from the other end; wrist and thumb stay.
_FROM_OTHER_END = np.concatenate((np.arange(5), *(np.arange(first, first + 4) for first in (17, 13, 9, 5))))
#: Half the width of the band around those lines, as a share of the hand's size in the picture.
_BAND = 0.045
#: [m] around the median depth of the landmarks within which measurements may be of the hand.
_DEEP = 0.11
#: [m] between neighbouring pixels beyond which both are at an edge.
_EDGE = 0.025
#: Side of the patch of depth, in sizes of the hand.
_PATCH_SIZE = 1.5


@dataclass
class Evidence:
    """Of T frames of one hand, in the camera frame; rays are x/z and y/z."""

    index: np.ndarray
    """(T) of the frames in the recording."""
    rays: np.ndarray
    """(T, 21, 2) where the landmarks are seen."""
    p_local: np.ndarray
    """(T, 21, 3) [m] the landmarks' own idea of the hand, turned so that the axes are the camera's; around its own middle."""
    p_camera: np.ndarray
    """(T, N, 3) [m] measured points that may be of the hand."""
    is_point: np.ndarray
    """(T, N) bool: the others are padding."""
    patch: np.ndarray
    """(T, P, P) [m] nearest depth around each place; infinity where nothing was measured."""
    patch_from: np.ndarray
    """(T, 2) ray of the patch's first place."""
    patch_step: np.ndarray
    """(T) between places."""
    middle: np.ndarray
    """(T, 3) [m] about where the palm is."""
    right: np.ndarray
    """(T) how sure the landmarks are that it is a right hand, 0 to 1."""

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, chosen: np.ndarray | slice) -> Evidence:
        return Evidence(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def where(self, chosen: np.ndarray, other: Evidence) -> Evidence:
        """The same in chosen frames (T) bool, other evidence in the rest."""
        return Evidence(
            *(
                np.where(chosen.reshape(-1, *[1] * (mine.ndim - 1)), mine, theirs)
                for mine, theirs in ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
            )
        )

    def from_other_end(self) -> Evidence:
        """With the landmarks of the four fingers counted from the other end: the index finger's are the little finger's."""
        return replace(self, rays=self.rays[:, _FROM_OTHER_END], p_local=self.p_local[:, _FROM_OTHER_END])

    def mirrored(self) -> Evidence:
        """As a camera would see it in a mirror: a left hand becomes a right one."""
        flip3, flip2 = np.array([-1.0, 1.0, 1.0]), np.array([-1.0, 1.0])
        start = self.patch_from * flip2
        start[:, 0] -= (PATCH - 1) * self.patch_step
        return Evidence(
            self.index,
            self.rays * flip2,
            self.p_local * flip3,
            self.p_camera * flip3,
            self.is_point,
            self.patch[:, :, ::-1],
            start,
            self.patch_step,
            self.middle * flip3,
            1.0 - self.right,
        )


def stack(frames: Sequence[Evidence]) -> Evidence:
    """Frames of evidence (1 each, or more) as one."""
    return Evidence(*(np.concatenate([getattr(one, each.name) for one in frames]) for each in fields(Evidence)))


def collect(frame: RGBDFrame, seen: Landmarks) -> Evidence | None:
    """The evidence of one frame; none where there is hardly any depth under the landmarks.

    Args:
        frame: colour and depth.
        seen: landmarks of the hand in it.
    """
    pixels, depth = seen.pixels, frame.depth
    u = np.clip(np.rint(pixels[:, 0]).astype(int), 0, depth.shape[1] - 1)
    v = np.clip(np.rint(pixels[:, 1]).astype(int), 0, depth.shape[0] - 1)
    under = depth[v, u]
    if (under > 0).sum() < 6:
        return None
    far = float(np.median(under[under > 0]))
    palm = under[PALM_OUTLINE]
    palm = palm[(palm > 0) & (np.abs(palm - far) < _DEEP)]
    far = float(np.median(palm)) if len(palm) >= 3 else far
    camera = frame.camera
    size = float(np.ptp(pixels, axis=0).max())
    points = _points(frame, pixels, size, far)
    if len(points) < 15:
        return None
    padded = np.zeros((1, POINTS, 3))
    padded[0, : len(points)] = points
    patch, start, step = _patch(frame, pixels, size)
    rays = (pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    return Evidence(
        np.array([frame.index]),
        rays[None],
        _local(seen, rays, np.where((under > 0) & (np.abs(under - far) < _DEEP), under, far))[None],
        padded,
        (np.arange(POINTS) < len(points))[None],
        patch[None],
        start[None],
        np.array([step]),
        np.append(rays[PALM_OUTLINE].mean(axis=0), 1.0)[None] * (far + 0.012),
        np.array([seen.right]),
    )


def _local(seen: Landmarks, rays: np.ndarray, under: np.ndarray) -> np.ndarray:
    """(21, 3) [m] what the hand looks like: as the network imagines it, or as depth (21) [m] under the landmarks has it."""
    if seen.p_local is None:
        return np.concatenate((rays, np.ones((len(rays), 1))), axis=1) * under[:, None]
    return seen.p_local @ _towards(rays[PALM_OUTLINE].mean(axis=0)).T


def _points(frame: RGBDFrame, pixels: np.ndarray, size: float, far: float) -> np.ndarray:
    """(N, 3) [m] in the camera frame: near the hand's lines, at its depth, not at edges."""
    depth = frame.depth
    area = np.zeros(depth.shape, np.uint8)
    whole = np.rint(pixels).astype(np.int32)
    cv2.fillConvexPoly(area, cv2.convexHull(whole[PALM_OUTLINE]), 1)
    for first, last in LINES:
        cv2.line(area, whole[first].tolist(), whole[last].tolist(), 1, max(1, round(2 * _BAND * size)))
    top, left = np.maximum(whole.min(axis=0)[::-1] - 20, 0)
    bottom, right = whole.max(axis=0)[::-1] + 21
    near = depth[top:bottom, left:right]
    if not near.size:
        return np.zeros((0, 3))
    spread = cv2.dilate(near, np.ones((3, 3), np.uint8)) - cv2.erode(near, np.ones((3, 3), np.uint8))
    use = (area[top:bottom, left:right] > 0) & (near > 0) & (np.abs(near - far) < _DEEP) & (spread < _EDGE)
    v, u = np.nonzero(use)
    if len(v) > POINTS:
        chosen = np.linspace(0, len(v) - 1, POINTS).astype(int)
        # Along a curve that keeps neighbours together, so that every part of the hand gets its share.
        order = np.argsort((v // 6) * 100000 + u * np.where((v // 6) % 2, -1, 1), kind="stable")
        v, u = v[order[chosen]], u[order[chosen]]
    return deproject(frame.camera, u + left, v + top, near[v, u].astype(float))


def _patch(frame: RGBDFrame, pixels: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Nearest depth around the hand, the ray of its first place, and the step between places."""
    camera = frame.camera
    step = _PATCH_SIZE * size / (PATCH - 1)
    start = (pixels.min(axis=0) + pixels.max(axis=0)) / 2 - step * (PATCH - 1) / 2
    known = np.where(frame.depth > 0, frame.depth, np.float32(np.inf))
    column = np.rint(start[0] + step * np.arange(PATCH)).astype(int)
    row = np.rint(start[1] + step * np.arange(PATCH)).astype(int)
    inside = (row >= 0)[:, None] & (row < camera.height)[:, None] & (column >= 0) & (column < camera.width)
    rows, columns = np.clip(row, 0, camera.height - 1), np.clip(column, 0, camera.width - 1)
    patch = np.where(inside, known[np.ix_(rows, columns)], np.float32(np.inf))
    patch = cv2.erode(patch, np.ones((3, 3), np.uint8))
    return patch, (start - (camera.cx, camera.cy)) / (camera.fx, camera.fy), step / camera.fx


def _towards(ray: np.ndarray) -> np.ndarray:
    """(3, 3) rotation of the optical axis onto a ray (2), the shortest way."""
    target = np.append(ray, 1.0) / np.linalg.norm(np.append(ray, 1.0))
    axis = np.array([-target[1], target[0], 0.0])
    matrix, _ = cv2.Rodrigues(axis / max(np.linalg.norm(axis), 1e-12) * np.arccos(np.clip(target[2], -1.0, 1.0)))
    return matrix
