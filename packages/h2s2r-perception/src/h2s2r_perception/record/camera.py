"""What takes pictures: a camera, or a recording that is played as if it were one.

In:  a ``Demo`` and a clock.   Out: ``Camera``, ``CameraFrame``, ``RecordedCamera``.
Not here: a RealSense (realsense), what is done with the pictures (film, live).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from h2s2r_perception.frames import RGBDFrame, decode, pinhole
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.demo import Demo, Frame
from h2s2r_schemas.errors import H2S2RError


class CameraError(H2S2RError):
    """A camera is not there, or stopped."""


class Clock(Protocol):
    """Where time comes from: the wall's, a robot's, or a virtual one."""

    def now(self) -> float:
        """[s]"""
        ...

    def sleep_until(self, moment: float) -> None:
        """Come back when ``now()`` is at least ``moment`` [s]."""
        ...


class MonotonicClock:
    """The computer's."""

    def now(self) -> float:
        """[s]"""
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        """Wait for it."""
        time.sleep(max(0.0, moment - time.monotonic()))


@dataclass(frozen=True)
class CameraFrame:
    """What a camera took."""

    number: int
    """Counted by the camera: a gap is frames that never arrived."""
    capture_time: float
    """[s] when it was taken, on the clock given to the camera."""
    frame: RGBDFrame
    """Colour and depth, pixel on pixel."""


class Camera(Protocol):
    """An RGB-D camera that stands still.

    ``read`` gives frames in order; each is newer than the one before. Between ``start`` and ``stop`` the calibration does not
    change.
    """

    name: str
    """Maker, model, serial number: kept with a recording."""

    def start(self) -> Calibration:
        """Begin to take pictures.

        Raises:
            CameraError: no camera, or it cannot be opened.
        """
        ...

    def read(self, timeout: float = 1.0) -> CameraFrame | None:
        """The next frame; none where the stream has ended.

        Raises:
            CameraError: none came within ``timeout`` [s].
        """
        ...

    def stop(self) -> None:
        """Stop; may be called twice."""
        ...


class RecordedCamera:
    """A recording as a camera: its frames come when they came then.

    Args:
        demo: the recording.
        clock: tells time; frame i is there ``time[i]`` after ``start``.
        skip: leave out frames that are already past when ``read`` is called, as a camera does whose reader is slow.
    """

    def __init__(self, demo: Demo, clock: Clock | None = None, skip: bool = True) -> None:
        self.name = f"recording {demo.meta.name}"
        self._demo, self._clock, self._skip = demo, clock or MonotonicClock(), skip
        self._started, self._next = 0.0, 0

    def start(self) -> Calibration:
        """Begin with the first frame."""
        self._started, self._next = self._clock.now(), 0
        calibration = self._demo.meta.calibration
        plain = pinhole(calibration.color)  # frames are handed out without distortion, depth on colour's pixels
        return calibration.replace(color=plain, depth=plain, wxyz_xyz_color_depth=(1, 0, 0, 0, 0, 0, 0))

    def read(self, timeout: float = 1.0) -> CameraFrame | None:
        """The next frame, when its time has come; none after the last."""
        times = self._demo.meta.time - self._demo.meta.time[0] + self._started
        if self._next >= len(times):
            return None
        if self._skip:
            while self._next + 1 < len(times) and times[self._next + 1] <= self._clock.now():
                self._next += 1
        index, moment = self._next, float(times[self._next])
        if moment > self._clock.now() + timeout:
            raise CameraError(
                f"{self.name}: no frame within {timeout:g} s; the next one comes {moment:.2f} s after the start."
            )
        self._clock.sleep_until(moment)
        self._next += 1
        stored: Frame = self._demo[index]
        frame = decode(stored, self._demo.meta.calibration, self._demo.meta.depth_unit)
        return CameraFrame(index, moment, frame)

    def stop(self) -> None:
        """Nothing is left open."""
