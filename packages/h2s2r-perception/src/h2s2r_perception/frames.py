"""Pictures of a recording as arrays: colour and depth pixel on pixel, in metres, without lens distortion.

In:  ``Demo`` frames (encoded).   Out: ``RGBDFrame`` (colour, depth [m], masks), all on the colour camera's pixels.
Not here: files (schemas.demo, convert), what is in the picture (segment, track, hand).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from h2s2r_schemas.artifacts import Calibration, CameraIntrinsics
from h2s2r_schemas.demo import Demo, Frame
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class RGBDFrame:
    """One moment of a recording, decoded. H×W is the size of the colour picture."""

    index: int
    """Counted from 0 in its recording."""
    time: float
    """[s] since the start of the recording."""
    rgb: np.ndarray
    """(H, W, 3) uint8, red first."""
    depth: np.ndarray
    """(H, W) float32 [m] along the optical axis; 0 where nothing was measured."""
    camera: CameraIntrinsics
    """Of both pictures, without distortion."""
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(H, W) bool by name: what can be seen of each thing; only those this frame has."""


def decode(frame: Frame, calibration: Calibration, depth_unit: float) -> RGBDFrame:
    """Decode one frame, undistort it and bring depth onto the colour picture's pixels.

    Args:
        frame: of a ``Demo``.
        calibration: of that ``Demo``.
        depth_unit: [m] of one count of a depth picture.

    Raises:
        SchemaError: a picture cannot be decoded.
    """
    bgr = _picture(frame.rgb, cv2.IMREAD_COLOR, f"Colour of frame {frame.index}")
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    counts = _picture(frame.depth, cv2.IMREAD_UNCHANGED, f"Depth of frame {frame.index}")
    depth = counts.astype(np.float32) * np.float32(depth_unit)
    masks = {name: _mask(data, f"Mask {name} of frame {frame.index}") for name, data in frame.masks.items()}
    camera = calibration.color
    if not _aligned(calibration):
        depth = align_depth(depth, calibration)
    elif camera.distortion.any():
        depth = _undistort(depth, camera, cv2.INTER_NEAREST)
    if camera.distortion.any():
        rgb = _undistort(rgb, camera, cv2.INTER_LINEAR)
        masks = {name: _undistort(mask.astype(np.uint8), camera, cv2.INTER_NEAREST) > 0 for name, mask in masks.items()}
    return RGBDFrame(frame.index, frame.time, rgb, depth, pinhole(camera), masks)


def decode_all(demo: Demo, first: int = 0, last: int | None = None) -> Iterator[RGBDFrame]:
    """Frames ``first`` to ``last`` (included; to the end if none) of a recording, one at a time.

    Raises:
        SchemaError: there are no such frames, or a picture cannot be decoded.
    """
    end = len(demo) - 1 if last is None else last
    if not 0 <= first <= end < len(demo):
        raise SchemaError(f"Frames {first} to {end} of a recording of 0 to {len(demo) - 1}: choose a range within it.")
    for index in range(first, end + 1):
        yield decode(demo[index], demo.meta.calibration, demo.meta.depth_unit)


def pinhole(camera: CameraIntrinsics) -> CameraIntrinsics:
    """The same camera without its distortion."""
    return camera.replace(distortion=(0.0, 0.0, 0.0, 0.0, 0.0))


def deproject(camera: CameraIntrinsics, u: np.ndarray, v: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(…, 3) [m] points in the camera frame of pixels (u, v) (…) [px] at ``depth`` (…) [m] along the optical axis."""
    return np.stack(((u - camera.cx) / camera.fx * depth, (v - camera.cy) / camera.fy * depth, depth), axis=-1)


def project(camera: CameraIntrinsics, p_camera_points: np.ndarray) -> np.ndarray:
    """(…, 2) [px] where points (…, 3) [m] in the camera frame, in front of it, are seen."""
    u = camera.fx * p_camera_points[..., 0] / p_camera_points[..., 2] + camera.cx
    v = camera.fy * p_camera_points[..., 1] / p_camera_points[..., 2] + camera.cy
    return np.stack((u, v), axis=-1)


def align_depth(depth: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Depth (H', W') [m] of the depth camera as seen by the colour camera, (H, W) float32 [m], 0 where nothing lands.

    Each measurement fills the pixels its own footprint covers, the nearest one wins.
    """
    camera, color = calibration.depth, pinhole(calibration.color)
    if camera.distortion.any():
        depth = _undistort(depth, camera, cv2.INTER_NEAREST)
    v, u = np.nonzero(depth > 0)
    p_color = SE3(calibration.wxyz_xyz_color_depth).apply(deproject(camera, u, v, depth[v, u].astype(np.float64)))
    p_color = p_color[p_color[:, 2] > 1e-3]
    pixels = project(color, p_color)
    aligned = np.full((color.height, color.width), np.inf, np.float32)
    # Where the colour picture is finer than depth, one measurement covers several of its pixels.
    reach = int(np.ceil(max(color.fx / camera.fx, color.fy / camera.fy, 1.0)) - 1)
    for shift_v in range(reach + 1):
        for shift_u in range(reach + 1):
            column = np.rint(pixels[:, 0]).astype(int) + shift_u
            row = np.rint(pixels[:, 1]).astype(int) + shift_v
            inside = (column >= 0) & (column < color.width) & (row >= 0) & (row < color.height)
            np.minimum.at(aligned, (row[inside], column[inside]), p_color[inside, 2].astype(np.float32))
    aligned[~np.isfinite(aligned)] = 0.0
    return aligned


def _aligned(calibration: Calibration) -> bool:
    color, depth = calibration.color, calibration.depth
    same = (color.width, color.height) == (depth.width, depth.height) and np.allclose(color.matrix(), depth.matrix())
    return bool(same and np.allclose(calibration.wxyz_xyz_color_depth, (1, 0, 0, 0, 0, 0, 0)))


def _undistort(picture: np.ndarray, camera: CameraIntrinsics, interpolation: int) -> np.ndarray:
    size = (camera.width, camera.height)
    mapped = cv2.initUndistortRectifyMap(
        camera.matrix(), camera.distortion, np.eye(3), camera.matrix(), size, cv2.CV_32FC1
    )
    return cv2.remap(picture, mapped[0], mapped[1], interpolation)


def _mask(data: bytes, what: str) -> np.ndarray:
    return _picture(data, cv2.IMREAD_GRAYSCALE, what) > 0


def _picture(data: bytes, flags: int, what: str) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if picture is None:
        raise SchemaError(f"{what} cannot be decoded ({len(data)} bytes): the file is damaged. Copy or record it anew.")
    return picture
