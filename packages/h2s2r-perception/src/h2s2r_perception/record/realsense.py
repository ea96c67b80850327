"""A RealSense camera, or a file that one recorded (``.bag``, ``.db3``), through its SDK (extra [realsense]).

In:  serial number or file.   Out: ``RealSenseCamera``.
Not here: other cameras; reading those files by hand.

Depth is brought onto the colour picture's pixels by the SDK; its temporal filter is off, since it drags moving things.
"""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame, pinhole
from h2s2r_perception.record.camera import CameraError, CameraFrame, Clock, MonotonicClock
from h2s2r_schemas.artifacts import Calibration, CameraIntrinsics

#: Files that the SDK plays.
SUFFIXES = (".bag", ".db3")
#: [s] without a frame after which a file has ended: the SDK does not say so.
_PATIENCE = 4.0


@dataclass(frozen=True)
class RealSenseCfg:
    """Which camera, and how it takes pictures; for a file, what it holds counts."""

    serial: str = ""
    """Serial number of the camera; any if empty."""
    width: int = 640
    """[px]"""
    height: int = 480
    """[px]"""
    rate_hz: int = 30
    """[Hz]"""


class RealSenseCamera:
    """A camera that is plugged in, or a file of one.

    Args:
        file: a ``.bag`` or ``.db3``; the camera if none.
        cfg: settings.
        clock: on which capture times are told; for a file they are its own, from 0.
        sdk: the module ``pyrealsense2``; imported if none.

    Raises:
        CameraError: the SDK is not installed, or no such file.
    """

    def __init__(
        self,
        file: Path | None = None,
        cfg: RealSenseCfg | None = None,
        clock: Clock | None = None,
        sdk: Any = None,
    ) -> None:
        if file is not None and (file.suffix.lower() not in SUFFIXES or not file.is_file()):
            raise CameraError(f"{file} is no file of a RealSense: there are {' and '.join(SUFFIXES)}.")
        self._file, self._cfg, self._clock = file, cfg or RealSenseCfg(), clock or MonotonicClock()
        self._rs: Any = sdk or _sdk()
        self.name = str(file) if file is not None else f"RealSense {self._cfg.serial}".strip()
        self._pipeline: Any = None
        self._align: Any = None
        self._unit = 0.001
        self._first, self._offset = float("nan"), float("inf")
        self._camera: CameraIntrinsics | None = None

    def start(self) -> Calibration:
        """Begin to take pictures.

        Raises:
            CameraError: no camera, settings it does not have, or a file that cannot be played.
        """
        rs, cfg = self._rs, self._cfg
        config = rs.config()
        if self._file is not None:
            # All streams as recorded: asking for a format in a file is refused where it was recorded in another.
            config.enable_device_from_file(str(self._file), repeat_playback=False)
        else:
            if cfg.serial:
                config.enable_device(cfg.serial)
            config.enable_stream(rs.stream.color, cfg.width, cfg.height, rs.format.rgb8, cfg.rate_hz)
            config.enable_stream(rs.stream.depth, cfg.width, cfg.height, rs.format.z16, cfg.rate_hz)
        self._pipeline = rs.pipeline()
        try:
            profile = self._pipeline.start(config)
        except RuntimeError as error:
            self._pipeline = None
            raise CameraError(
                f"{self.name} does not start: {error}. Plug it into a USB 3 port, close other programs that use it, or ask for "
                "a resolution and rate that it has; a file must hold colour and depth."
            ) from error
        held = {stream.stream_type() for stream in profile.get_streams()}
        if not {rs.stream.color, rs.stream.depth} <= held:
            self.stop()
            raise CameraError(
                f"{self.name} holds no {'depth' if rs.stream.color in held else 'colour'}: record both streams."
            )
        device = profile.get_device()
        if self._file is not None:
            device.as_playback().set_real_time(False)
        self.name = f"{device.get_info(rs.camera_info.name)} {device.get_info(rs.camera_info.serial_number)}"
        self._unit = float(device.first_depth_sensor().get_depth_scale())
        self._align = rs.align(rs.stream.color)
        color = profile.get_stream(rs.stream.color).as_video_stream_profile().get_intrinsics()
        self._camera = intrinsics_of(color, rs)
        plain = pinhole(self._camera)  # pictures are handed out without distortion
        return Calibration(color=plain, depth=plain, method="intrinsics from the camera's maker")

    def read(self, timeout: float = 1.0) -> CameraFrame | None:
        """The next frame; none at the end of a file.

        Raises:
            CameraError: not started, or no frame came within ``timeout`` [s].
        """
        if self._pipeline is None or self._camera is None:
            raise CameraError(f"{self.name} is not started.")
        came, pair = self._pipeline.try_wait_for_frames(int(1000 * (timeout if self._file is None else _PATIENCE)))
        if not came:
            if self._file is not None:
                return None
            raise CameraError(f"{self.name} gave no frame within {timeout:g} s: is its cable loose?")
        arrived = self._clock.now()
        both = self._align.process(pair)
        color, depth = both.get_color_frame(), both.get_depth_frame()
        if not color or not depth:
            raise CameraError(
                f"{self.name} gave a frame without {'depth' if color else 'colour'}: record both streams."
            )
        rgb = _rgb(np.asanyarray(color.get_data()), color.get_profile().format(), self._rs)
        counts = np.asanyarray(depth.get_data())
        number = int(color.get_frame_number())
        taken = self._capture_time(float(color.get_timestamp()) / 1000.0, color.get_frame_timestamp_domain(), arrived)
        return CameraFrame(number, taken, _pictures(number, taken, rgb, counts, self._unit, self._camera))

    def _capture_time(self, stamp: float, domain: Any, arrived: float) -> float:
        """[s] on our clock of a camera's time stamp [s]."""
        if self._file is not None:
            self._first = stamp if np.isnan(self._first) else self._first
            return stamp - self._first
        domains = self._rs.timestamp_domain
        if domain in (domains.global_time, domains.system_time):
            return arrived - max(0.0, time.time() - stamp)
        # The camera's own clock: the fastest delivery so far tells its offset from ours.
        self._offset = min(self._offset, arrived - stamp)
        return stamp + self._offset

    def stop(self) -> None:
        """Stop; may be called twice."""
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None


def _rgb(data: np.ndarray, form: Any, rs: Any) -> np.ndarray:
    """(H, W, 3) uint8, red first."""
    if form == rs.format.rgb8:
        return np.array(data, np.uint8)
    if form == rs.format.bgr8:
        return np.ascontiguousarray(data[..., ::-1])
    if form == rs.format.yuyv:
        return cv2.cvtColor(data.view(np.uint8).reshape(*data.shape[:2], 2), cv2.COLOR_YUV2RGB_YUYV)
    raise CameraError(f"Colour in format {form} is not known here: record RGB8, BGR8 or YUYV.")


def _sdk() -> Any:
    try:
        return importlib.import_module("pyrealsense2")
    except ImportError as error:
        raise CameraError(
            f"The RealSense SDK cannot be used ({error}): pip install 'h2s2r-perception[realsense]'; on Debian and Ubuntu it "
            "needs the system package libusb-1.0-0."
        ) from error


def intrinsics_of(found: Any, rs: Any) -> CameraIntrinsics:
    """The SDK's intrinsics in OpenCV's form.

    Raises:
        CameraError: a lens model without such a form.
    """
    camera = CameraIntrinsics(
        width=found.width, height=found.height, fx=found.fx, fy=found.fy, cx=found.ppx, cy=found.ppy
    )
    coefficients = np.asarray(found.coeffs, float)[:5]
    if not coefficients.any() or found.model == rs.distortion.none:
        return camera
    if found.model in (rs.distortion.brown_conrady, rs.distortion.modified_brown_conrady):
        return camera.replace(distortion=coefficients)
    if found.model != rs.distortion.inverse_brown_conrady:
        raise CameraError(f"A lens of model {found.model} is not known here; use the camera's rectified stream.")
    return camera.replace(distortion=_inverted(camera, coefficients))


def _inverted(camera: CameraIntrinsics, inverse: np.ndarray) -> np.ndarray:
    """(5) coefficients of distortion, from those of a polynomial that undoes it: linear in them, so by least squares."""
    u, v = np.meshgrid(np.linspace(0, camera.width, 30), np.linspace(0, camera.height, 24))
    seen = np.stack(((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy), -1).reshape(-1, 2)
    ideal = _bend(seen) @ inverse + seen
    return np.linalg.lstsq(_bend(ideal).reshape(-1, 5), (seen - ideal).ravel(), rcond=None)[0]


def _bend(xy: np.ndarray) -> np.ndarray:
    """(N, 2, 5) by how much each of k1, k2, p1, p2, k3 shifts points (N, 2) of the plane at depth 1."""
    x, y = xy[:, 0], xy[:, 1]
    r2 = x * x + y * y
    radial = np.stack((r2, r2**2, r2**3), -1)
    along_x = np.stack((2 * x * y, r2 + 2 * x * x), -1)
    along_y = np.stack((r2 + 2 * y * y, 2 * x * y), -1)
    rows = [
        np.concatenate((radial[:, :2] * axis[:, None], tangential, radial[:, 2:] * axis[:, None]), axis=1)
        for axis, tangential in ((x, along_x), (y, along_y))
    ]
    return np.stack(rows, axis=1)


def _pictures(
    number: int, taken: float, rgb: np.ndarray, counts: np.ndarray, unit: float, camera: CameraIntrinsics
) -> RGBDFrame:
    """Without distortion, in metres."""
    depth = counts.astype(np.float32) * np.float32(unit)
    if camera.distortion.any():
        size, matrix = (camera.width, camera.height), camera.matrix()
        where = cv2.initUndistortRectifyMap(matrix, camera.distortion, np.eye(3), matrix, size, cv2.CV_32FC1)
        rgb = cv2.remap(rgb, where[0], where[1], cv2.INTER_LINEAR)
        depth = cv2.remap(depth, where[0], where[1], cv2.INTER_NEAREST)
    return RGBDFrame(number, taken, rgb, depth, pinhole(camera))
