"""From a camera to a recording.

In:  a RealSense, its ``.bag`` or ``.db3`` file, or a recording played again.   Out: ``Demo``, what was dropped on the way.
Not here: recordings of other tools (convert).
"""

from h2s2r_perception.record.camera import Camera, CameraError, CameraFrame, Clock, MonotonicClock, RecordedCamera
from h2s2r_perception.record.film import FilmCfg, FilmReport, film
from h2s2r_perception.record.realsense import RealSenseCamera

__all__ = [
    "Camera",
    "CameraError",
    "CameraFrame",
    "Clock",
    "FilmCfg",
    "FilmReport",
    "MonotonicClock",
    "RealSenseCamera",
    "RecordedCamera",
    "film",
]
