"""Write what a camera takes into a ``Demo``.

In:  ``Camera``.   Out: a ``Demo`` folder, ``FilmReport``; a preview on the way.
Not here: cameras (camera, realsense).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame
from h2s2r_perception.record.camera import Camera, CameraError, CameraFrame
from h2s2r_schemas.demo import Demo, DemoMeta, DemoWriter, open_demo

#: [m] of one count of depth; the farthest that 16 bits hold is 65 m.
DEPTH_UNIT = 0.001
#: [m] depth that the preview shows as its last colour.
_FAR = 1.5


@dataclass(frozen=True)
class FilmCfg:
    """How a recording is made."""

    seconds: float = 10.0
    """[s] after which it ends; a file that is played ends earlier if it is shorter."""
    name: str = ""
    """Of the recording; that of its folder if none."""
    licence: str = "not stated"
    """Of the pictures, in words."""
    jpeg_quality: int = 95
    """Of the colour pictures, 1 to 100."""
    most_dropped: float = 0.2
    """Share of the camera's frames that may be missing before the recording is refused."""
    least_depth: float = 0.2
    """Share of the pixels that must have depth, on average over the recording."""
    overwrite: bool = False
    """Replace a recording that is there already."""


@dataclass
class FilmReport:
    """What happened, so far."""

    frames: int = 0
    """Written."""
    dropped: int = 0
    """Taken by the camera, by its own count, and never received."""
    repeated: int = 0
    """Received twice; written once."""
    seconds: float = 0.0
    """[s] from the first frame to the last."""
    depth_share: float = 0.0
    """Share of the pixels that have depth, on average."""

    @property
    def rate_hz(self) -> float:
        """[Hz] of what was written."""
        return (self.frames - 1) / self.seconds if self.seconds > 0 else 0.0


def film(
    camera: Camera,
    folder: Path,
    cfg: FilmCfg | None = None,
    preview: Callable[[RGBDFrame, FilmReport], None] | None = None,
) -> tuple[Demo, FilmReport]:
    """Record from a camera.

    Args:
        camera: not started yet.
        folder: of the new recording.
        cfg: settings.
        preview: called with each frame and the report so far.

    Raises:
        CameraError: no camera; no frame came; its clock jumped; too many frames dropped, or hardly any depth.
        SchemaError: the folder is there already.
    """
    cfg = cfg or FilmCfg()
    report = FilmReport()
    try:
        calibration = camera.start()
        meta = DemoMeta(
            name=cfg.name or folder.name,
            calibration=calibration,
            depth_unit=DEPTH_UNIT,
            licence=cfg.licence,
            source=camera.name,
        )
        with DemoWriter(folder, meta, cfg.overwrite) as writer:
            _roll(camera, writer, cfg, report, preview)
            _judge(report, cfg)
    finally:
        camera.stop()
    return open_demo(folder), report


def _roll(
    camera: Camera,
    writer: DemoWriter,
    cfg: FilmCfg,
    report: FilmReport,
    preview: Callable[[RGBDFrame, FilmReport], None] | None,
) -> None:
    first: CameraFrame | None = None
    last: CameraFrame | None = None
    while (taken := camera.read()) is not None:
        first = first or taken
        if taken.capture_time - first.capture_time > cfg.seconds:
            return
        if last is not None and taken.number == last.number:
            report.repeated += 1
            continue
        if last is not None and taken.capture_time <= last.capture_time:
            raise CameraError(
                f"{camera.name}: frame {taken.number} was taken at {taken.capture_time:.3f} s, the one before at "
                f"{last.capture_time:.3f} s: the camera's clock jumped. Record it again; plug the camera in anew if it repeats."
            )
        report.dropped += 0 if last is None else max(0, taken.number - last.number - 1)
        depth = np.rint(taken.frame.depth / DEPTH_UNIT)
        counts = np.where(depth < 2**16, depth, 0).astype(np.uint16)
        rgb = _encoded(".jpg", taken.frame.rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, cfg.jpeg_quality))
        encoded_depth = _encoded(".png", counts, (cv2.IMWRITE_PNG_COMPRESSION, 1))
        writer.append(taken.capture_time - first.capture_time, rgb, encoded_depth)
        report.depth_share += (float((counts > 0).mean()) - report.depth_share) / (report.frames + 1)
        report.frames += 1
        report.seconds = taken.capture_time - first.capture_time
        last = taken
        if preview is not None:
            preview(taken.frame, report)


def _judge(report: FilmReport, cfg: FilmCfg) -> None:
    if not report.frames:
        raise CameraError("The camera gave no frame. Is it plugged in, or does the file hold colour and depth?")
    if report.dropped > cfg.most_dropped * (report.frames + report.dropped):
        raise CameraError(
            f"{report.dropped} of {report.frames + report.dropped} frames were dropped; {cfg.most_dropped:.0%} are allowed. "
            "Use a USB 3 port and cable, a lower rate or resolution, and a faster disk."
        )
    if report.depth_share < cfg.least_depth:
        raise CameraError(
            f"Depth was measured in {report.depth_share:.0%} of the pixels; {cfg.least_depth:.0%} are needed. Is the lens "
            "covered, or everything nearer than the camera can measure?"
        )


def preview_picture(frame: RGBDFrame, report: FilmReport) -> np.ndarray:
    """(H, 2·W, 3) uint8 red first: colour, depth as colours, and what was dropped so far."""
    near = np.clip(255 * (1 - frame.depth / _FAR), 0, 255).astype(np.uint8)
    shades = cv2.applyColorMap(near, cv2.COLORMAP_VIRIDIS)[..., ::-1] * (frame.depth > 0)[..., None]
    both = np.ascontiguousarray(np.hstack((frame.rgb, shades.astype(np.uint8))))
    said = f"{report.frames} frames, {report.rate_hz:.1f} Hz, {report.dropped} dropped, depth {report.depth_share:.0%}"
    cv2.putText(both, said, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 3, cv2.LINE_AA)
    cv2.putText(both, said, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    return both


def _encoded(suffix: str, picture: np.ndarray, options: tuple[int, int]) -> bytes:
    return cv2.imencode(suffix, picture, options)[1].tobytes()
