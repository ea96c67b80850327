"""Who says where the object is: with the noise of training, or by tracking it in pictures.

In:  the twin.   Out: ``NoisyTracker``, ``CameraTracker``: stages of a rehearsal that publish ``ObjectState``s.
Not here: sockets (cell), noise (h2s2r_sim), pictures (h2s2r-hw's emulated camera), tracking (h2s2r-perception).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import numpy as np

from h2s2r_hw.emulators.camera import CameraCfg, TwinCamera
from h2s2r_hw.emulators.sight import Sight
from h2s2r_hw.emulators.twin import Twin
from h2s2r_perception.frames import RGBDFrame
from h2s2r_perception.live import LiveTracker
from h2s2r_perception.record.camera import CameraFrame
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import ObjectModel, TaskSpec
from h2s2r_schemas.client.objects import OBJECTS
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.wire import ObjectState
from h2s2r_sim.demonstrate.stage import color_camera
from h2s2r_sim.task.anchors import surface_points

Publish = Callable[[ObjectState], None]
#: [px] of the emulated camera's pictures, and [Hz] of it: as in the recordings, and as the noise of training has it.
_SIZE, _RATE_HZ = (640, 480), 15.0
#: [rad] how high it stands over the table, and [m] how near and far it may be.
_ELEVATION, _NEAREST, _FARTHEST = float(np.deg2rad(45.0)), 0.5, 1.1
#: Share of the picture, from its middle, that holds what the object does.
_FRAME = 0.75
_SECOND = 1_000_000_000


class NoisyTracker:
    """The true pose, late and noisy as in training, once for each state of the robot.

    Args:
        twin: what is looked at.
        period_ns: [ns] from pose to pose.
        seed: decides the noise.
    """

    def __init__(self, twin: Twin, period_ns: int, seed: int) -> None:
        self.publish: Publish | None = None
        """Told of every pose; none while nobody listens."""
        self._twin, self._period_ns, self._due_ns, self._seed = twin, period_ns, 0, seed
        self._sight: Sight | None = None

    def next_event_ns(self) -> int:
        """[ns]."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing is sent to it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Look and publish."""
        self._due_ns += self._period_ns
        if self.publish is None:
            return {}
        self._twin.advance(now_ns)
        if self._sight is None:
            # Only now, as it is with the first pose that an episode begins in training.
            self._sight = Sight(self._twin, self._period_ns * 1e-9, self._seed)
        self.publish(self._sight.look())
        return {OBJECTS: 1}

    def close(self) -> None:
        """Nothing to do."""


class CameraTracker:
    """h2s2r-perception's live tracker, on the pictures of an emulated camera, with the delay of training.

    Args:
        twin: what the camera looks at.
        embodiment: the robot, for how it looks.
        delay: [s] from picture to pose: what tracking takes here has no part in the cell's time.
        seed: decides the camera's faults.

    Raises:
        NoGraphicsError: nothing draws here.
    """

    def __init__(self, twin: Twin, embodiment: Embodiment, delay: float, seed: int) -> None:
        self.publish: Publish | None = None
        """Told of every pose; none while nobody listens."""
        T_world_camera = view_of(twin.task, embodiment)
        self._intrinsics = color_camera(*_SIZE)
        self._camera = TwinCamera(twin, embodiment, T_world_camera, self._intrinsics, CameraCfg(rate_hz=_RATE_HZ), seed)
        self._tracker = LiveTracker(twin.task.object, T_world_camera)
        self._twin, self._delay_ns = twin, round(delay * _SECOND)
        self._start, self._alike = twin.task.reference.Ts_world_object[0], turns_alike(twin.task.object)
        self._registered, self._T_object_turned = 0, SE3.identity()
        self._known: deque[tuple[int, ObjectState]] = deque()
        self._frames = 0

    def next_event_ns(self) -> int:
        """[ns]."""
        return min(self._camera.next_event_ns(), *(due_ns for due_ns, _ in self._known), 2**62)

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing is sent to it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Take pictures, track, and publish what is known by now."""
        self._twin.advance(now_ns)
        for taken in self._camera.act(now_ns):
            frame = RGBDFrame(self._frames, taken.time, taken.rgb, taken.depth, self._intrinsics)
            state = self._turned(self._tracker.look(CameraFrame(self._frames, taken.time, frame)))
            self._known.append((max(now_ns, round(taken.time * _SECOND) + self._delay_ns), state))
            self._frames += 1
        published = 0
        while self._known and self._known[0][0] <= now_ns:
            _, state = self._known.popleft()
            if self.publish is not None:
                self.publish(state)
                published += 1
        return {OBJECTS: published} if published else {}

    def _turned(self, state: ObjectState) -> ObjectState:
        """Of all poses that the shape cannot tell, found anew, the one that lies as where the task begins: whoever puts a box
        there sees its print.
        """
        if state.lost:
            return state
        T_world_object = SE3(state.wxyz_xyz_world_object)
        if self._tracker.report.registered != self._registered:
            self._registered = self._tracker.report.registered
            angles = [
                float(self._start.distance(T_world_object @ T_object_turned)[1]) for T_object_turned in self._alike
            ]
            self._T_object_turned = self._alike[int(np.argmin(angles))]
        T_world_turned = T_world_object @ self._T_object_turned
        return state.replace(wxyz_xyz_world_object=T_world_turned.wxyz_xyz)

    def close(self) -> None:
        """Give the graphics memory back."""
        self._camera.close()


def turns_alike(model: ObjectModel) -> list[SE3]:
    """No turn, and those by half about the axes of its frame after which an object has the same shape (to 1 mm)."""
    points = np.concatenate([surface_points(shape) for shape in model.collision])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    found = [SE3.identity()]
    for axis in np.eye(3):
        half_turn = np.array([0.0, *axis])
        T_object_turned = SE3.from_parts(half_turn, middle - SE3.from_parts(half_turn, np.zeros(3)).apply(middle))
        away = np.linalg.norm(T_object_turned.apply(points)[:, None] - points[None], axis=-1).min(axis=1)
        if away.max() < 1e-3:
            found.append(T_object_turned)
    return found


def view_of(task: TaskSpec, embodiment: Embodiment) -> SE3:
    """T_world_camera: across the object from the hand, from above, so near that all the object does is in the picture."""
    Ts_world_object = task.reference.Ts_world_object
    points = np.concatenate([Ts_world_object[at].apply(task.anchor_points) for at in range(len(task.reference.time))])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    across = (middle - hand_place(task, embodiment)) * (1.0, 1.0, 0.0)
    across /= max(float(np.linalg.norm(across)), 1e-9)
    # Not behind the arm, which comes from the world's origin.
    ahead = middle * (1.0, 1.0, 0.0) / np.linalg.norm(middle[:2])
    level = across + ahead
    level /= np.linalg.norm(level)
    away = np.cos(_ELEVATION) * level + np.sin(_ELEVATION) * np.array([0.0, 0.0, 1.0])
    right = np.cross(-away, np.array([0.0, 0.0, 1.0]))
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(-away, right), -away], axis=-1)
    camera = color_camera(*_SIZE)
    half = _FRAME * np.array([camera.width / 2 / camera.fx, camera.height / 2 / camera.fy])
    seen = (points - middle) @ rotation
    # At this distance the furthest out of the points is at the frame's edge.
    distance = float((np.abs(seen[:, :2]) / half - seen[:, 2:]).max())
    return SE3.from_rotation_matrix(rotation, middle + float(np.clip(distance, _NEAREST, _FARTHEST)) * away)


def hand_place(task: TaskSpec, embodiment: Embodiment) -> np.ndarray:
    """(3) [m] where the palm is at the start, or the human's hand where no robot was chosen yet."""
    if task.robot_pose is not None and task.robot_pose.robot_hash == embodiment.spec().hash():
        return task.robot_pose.T_world_palm.translation
    return task.reference.Ts_world_object[0].apply(task.p_object_keypoints).mean(axis=0)
