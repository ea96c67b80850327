"""A colour video beside a folder of depth pictures.

In:  a video file, ``depth/`` beside it, intrinsics.   Out: ``Source``.
Not here: writing a ``Demo`` (convert).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from h2s2r_perception.convert.source import Source, SourceFrame, intrinsics, pictures
from h2s2r_schemas.errors import SchemaError

#: [m] of one count, unless the caller says otherwise.
DEPTH_UNIT = 0.001
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov")
#: The video is compressed already; what is kept of it need not be lossless.
_JPEG_QUALITY = 95


class _Video:
    """Frames of a video in order, one decoded at a time."""

    def __init__(self, path: Path) -> None:
        self._path, self._capture, self._next = path, cv2.VideoCapture(str(path)), 0
        if not self._capture.isOpened():
            raise SchemaError(f"{path} is not a video that OpenCV can read. Convert it to mp4 (H.264).")

    @property
    def frames(self) -> int:
        return int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))

    @property
    def rate_hz(self) -> float:
        return float(self._capture.get(cv2.CAP_PROP_FPS))

    @property
    def size(self) -> tuple[int, int]:
        width, height = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH), self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        return int(width), int(height)

    def frame(self, index: int) -> bytes:
        if index != self._next:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        good, picture = self._capture.read()
        self._next = index + 1
        if not good:
            raise SchemaError(f"{self._path}: frame {index} cannot be decoded; the video is cut short. Copy it anew.")
        return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))[1].tobytes()


def read_video(video: Path, camera_matrix: np.ndarray | None, rate_hz: float | None) -> Source:
    """Such a video.

    Args:
        video: the file; ``depth/`` lies beside it, one picture for every frame of the video.
        camera_matrix: (3, 3) [px] of both pictures.
        rate_hz: frame rate, instead of what the video says; none for that.

    Raises:
        SchemaError: no intrinsics, no depth, or not as many depth pictures as frames.
    """
    if camera_matrix is None:
        raise SchemaError("A video holds no intrinsics: give fx fy cx cy of its camera (--intrinsics).")
    source, depth = _Video(video), pictures(video.parent / "depth", (".png",))
    if source.frames != len(depth):
        raise SchemaError(
            f"{video} has {source.frames} frames, {video.parent / 'depth'} {len(depth)} pictures: which belong together is "
            "not known. Export both anew from one recording."
        )
    rate = rate_hz or source.rate_hz
    if not 1.0 <= rate <= 240.0:
        raise SchemaError(f"{video} says {rate:g} frames a second; give the rate it was recorded at (--rate-hz).")
    frames = [SourceFrame(index / rate, _later(source, index), path) for index, path in enumerate(depth)]
    camera = intrinsics(camera_matrix, source.size, "The intrinsics given")
    return Source(frames, camera, DEPTH_UNIT, time_measured=False)


def _later(video: _Video, index: int) -> Callable[[], bytes]:
    return lambda: video.frame(index)
