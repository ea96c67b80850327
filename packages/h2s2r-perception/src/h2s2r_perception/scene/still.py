"""What never moves in a recording: its depth with hand and object taken away.

In:  ``Demo``, the object's path if it is known.   Out: ``RGBDFrame`` whose depth is that of the scene alone.
Not here: what the scene consists of (find).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from h2s2r_perception.frames import RGBDFrame, decode
from h2s2r_perception.segment import Plane, find_components
from h2s2r_perception.track.background import depth_noise
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.visible import silhouette
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.se3 import SE3

#: Frames looked at; how many, and what share of those that measured a pixel, must agree on its farthest depth.
_FRAMES, _AGREE, _SHARE = 30, 3, 0.2
#: [px] by which an object's silhouette is grown before it is taken out.
_MARGIN = 5
#: A thing of the first frame of which less than this share stays in place has moved: it is no part of the scene.
_STAYS = 0.7
#: [m] added to the noise before two depths differ.
_CLEARANCE = 0.006


@dataclass(frozen=True)
class KnownPath:
    """Where the object was, so that it can be taken out of the pictures."""

    surface: SurfaceModel
    """The object."""
    time: np.ndarray
    """(T) [s] on the clock of the recording."""
    Ts_camera_object: SE3
    """(T) poses; NaN where lost."""


def sampled(demo: Demo, frames: tuple[int, int], mask: str = "", path: KnownPath | None = None) -> list[RGBDFrame]:
    """Some frames spread evenly over ``frames``, first and last included, without depth where the object is.

    Args:
        demo: the recording.
        frames: first and last.
        mask: name of masks that show the object; none if empty.
        path: where it was; frames in which it was lost are left out.
    """
    first, last = frames
    some = []
    for index in sorted({int(index) for index in np.linspace(first, last, _FRAMES).round()}):
        frame = decode(demo[index], demo.meta.calibration, demo.meta.depth_unit)
        covered = _covered(frame, mask, path)
        if covered is not None:
            some.append(replace(frame, depth=np.where(covered, np.float32(0), frame.depth)))
    return some


def _covered(frame: RGBDFrame, mask: str, path: KnownPath | None) -> np.ndarray | None:
    """(H, W) bool where the object is known to be; none where it should be known and is not."""
    covered = frame.masks.get(mask, np.zeros(frame.depth.shape, bool))
    if path is None:
        return covered
    nearest = int(np.abs(path.time - frame.time).argmin())
    T_camera_object = path.Ts_camera_object[nearest]
    if abs(path.time[nearest] - frame.time) > 1e-6 or not np.isfinite(T_camera_object.wxyz_xyz).all():
        return None
    seen = silhouette(path.surface, T_camera_object.rotation_matrix(), T_camera_object.translation, frame.camera)
    return covered | seen.grown(frame.camera, _MARGIN)


def still_frame(frames: list[RGBDFrame]) -> RGBDFrame:
    """The first frame with, at each pixel, the farthest depth that several frames agree on; 0 where none do.

    Args:
        frames: of one camera that stands still, in order of time.
    """
    depth = np.stack([frame.depth for frame in frames])
    agree = np.minimum(np.maximum(_AGREE, np.ceil(_SHARE * (depth > 0).sum(axis=0)).astype(int)), len(frames))
    farthest = np.take_along_axis(np.sort(depth, axis=0), len(frames) - agree[None], axis=0)[0]
    noise = depth_noise(frames[0].depth)
    near = np.abs(depth - farthest) < _CLEARANCE + 3 * noise * farthest**2
    count = near.sum(axis=0)
    mean = (depth * near).sum(axis=0) / np.maximum(count, 1)
    return replace(frames[0], depth=np.where((farthest > 0) & (count >= agree), mean, 0.0).astype(np.float32))


def without_moved(still: RGBDFrame, first: RGBDFrame, plane: Plane) -> RGBDFrame:
    """The same without things of the first frame that do not stay: where one always covers a pixel, no frame says so."""
    noise = depth_noise(first.depth)
    depth = still.depth.copy()
    for thing in find_components(first, plane, noise):
        seen = thing.mask & (first.depth > 0) & (depth > 0)
        tolerance = _CLEARANCE + 3 * noise * depth[seen] ** 2
        stays = np.abs(depth[seen] - first.depth[seen]) < tolerance
        if seen.any() and stays.mean() < _STAYS:
            # Where the scene behind it came to light, that is known; only what stayed covered is not.
            hidden = np.zeros(depth.shape, bool)
            hidden[seen] = stays
            depth[hidden] = 0.0
    return replace(still, depth=depth)
