"""Where the object is now: a camera's frames to ``ObjectState``s.

In:  ``Camera``, ``ObjectModel``, ``T_world_camera``.   Out: ``ObjectState`` per frame, for a publisher; ``LiveReport``.
Not here: sockets (schemas.client), tracking (track), whole recordings (track.offline).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from h2s2r_perception.record.camera import Camera, CameraFrame
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.start import search
from h2s2r_perception.track.surface import object_mesh, surface_of
from h2s2r_perception.track.tracker import Tracked, Tracker
from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.wire import ObjectState


@dataclass(frozen=True)
class LiveCfg:
    """How an object is followed live."""

    start_score: float = 0.4
    """Least score of a first pose that is believed."""
    start_over: float = 2.0
    """[s] lost after which the tracker begins anew from nothing; before, it looks around where the object was."""
    track: TrackCfg = field(default_factory=TrackCfg)
    """Of the tracker."""


@dataclass
class LiveReport:
    """What happened, so far."""

    frames: int = 0
    """That were looked at."""
    missed: int = 0
    """That the camera took and nobody read: tracking was slower than the camera."""
    lost: int = 0
    """In which the object was not found."""
    registered: int = 0
    """How often the object was found from nothing: once at the start, and after long losses."""


class LiveTracker:
    """Follows one object in frames that come one at a time.

    Args:
        model: the object.
        T_world_camera: where the camera stands.
        cfg: settings.
    """

    def __init__(self, model: ObjectModel, T_world_camera: SE3, cfg: LiveCfg | None = None) -> None:
        self.cfg, self.report = cfg or LiveCfg(), LiveReport()
        self._name, self._T_world_camera = model.name, T_world_camera
        self._surface = surface_of(object_mesh(model), model.name)
        self._up = T_world_camera.inv().rotate(np.array([0.0, 0.0, 1.0]))
        self._tracker: Tracker | None = None
        self._number, self._seen = -1, -np.inf

    def look(self, taken: CameraFrame) -> ObjectState:
        """Where the object is in the next frame; lost until it is found."""
        report = self.report
        report.missed += max(0, taken.number - self._number - 1) if report.frames else 0
        self._number = taken.number
        tracked = self._track(taken)
        lost = tracked is None or tracked.lost
        if not lost:
            self._seen = taken.capture_time
        report.lost += lost
        report.frames += 1
        if tracked is None or tracked.lost:
            wxyz_xyz, confidence = np.full(7, np.nan), 0.0
        else:
            T_world_camera, T_camera_object = self._T_world_camera, tracked.T_camera_object
            wxyz_xyz, confidence = (T_world_camera @ T_camera_object).wxyz_xyz, tracked.confidence
        return ObjectState(
            object_name=self._name,
            sequence=report.frames - 1,
            capture_time=taken.capture_time,
            wxyz_xyz_world_object=wxyz_xyz,
            confidence=confidence,
            lost=lost,
        )

    def _track(self, taken: CameraFrame) -> Tracked | None:
        """The object by the tracker, or, where there is none or it has been lost for long, by a search of the whole picture."""
        tracked = None if self._tracker is None else self._tracker.track(taken.frame)
        long_lost = taken.capture_time - self._seen > self.cfg.start_over
        if tracked is not None and not (tracked.lost and long_lost):
            return tracked
        try:
            starts = search(taken.frame, self._surface, self.cfg.track, self._up)
        except SchemaError:
            return tracked  # nothing there that could be it: that is what being lost means
        if starts[0].score < self.cfg.start_score:
            return tracked
        self._tracker = Tracker(self._surface, self.cfg.track)
        self.report.registered += 1
        return self._tracker.begin(taken.frame, starts[0].T_camera_object)


def follow(
    camera: Camera,
    model: ObjectModel,
    T_world_camera: SE3 | None,
    publish: Callable[[ObjectState], None],
    cfg: LiveCfg | None = None,
    frames: int | None = None,
    watch: Callable[[ObjectState, LiveReport], None] | None = None,
) -> LiveReport:
    """Read a camera until its stream ends, and publish where the object is in every frame.

    Args:
        camera: not started yet.
        model: the object.
        T_world_camera: where it stands; that of its calibration if none.
        publish: e.g. ``ObjectPublisher(...).publish``.
        cfg: settings.
        frames: after how many to stop; never if none.
        watch: called with each state and the report so far.

    Raises:
        CameraError: no camera, or no frame came.
        SchemaError: nobody says where the camera stands.
    """
    try:
        calibration = camera.start()
        tracker = LiveTracker(model, calibration.T_world_camera if T_world_camera is None else T_world_camera, cfg)
        while frames is None or tracker.report.frames < frames:
            taken = camera.read()
            if taken is None:
                break
            state = tracker.look(taken)
            publish(state)
            if watch is not None:
                watch(state, tracker.report)
    finally:
        camera.stop()
    return tracker.report
