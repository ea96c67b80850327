"""An emulated depth camera that looks at the twin: colour and depth in the cell's time, with the faults of a real one.

In:  the twin, where the camera stands, its intrinsics.   Out: ``CameraFrame``.
Not here: the pose that a tracker makes of it (h2s2r-perception), poses without pictures (sight).

It looks at a model of its own, with what is only seen; of the twin it takes joint positions and the object's pose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import mujoco
import numpy as np

from h2s2r_hw.emulators.twin import Twin
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.camera import D435, DepthFaults, Exposure, expose, measure_depth
from h2s2r_sim.demonstrate.stage import Look
from h2s2r_sim.demonstrate.stage.offscreen import Offscreen
from h2s2r_sim.demonstrate.stage.surroundings import describe
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.scene.robot import PREFIX, add_robot

_NEVER_NS = 2**62


@dataclass(frozen=True)
class CameraCfg:
    """How the camera takes pictures."""

    rate_hz: float = 30.0
    """[Hz] nominal."""
    duration: float = 60.0
    """[s] of the cell's time for which it takes them."""
    faults: DepthFaults = D435
    """What is wrong with depth and with the times."""
    look: Look = field(default_factory=Look)
    """Colours and light of what it sees."""


@dataclass(frozen=True)
class CameraFrame:
    """One frame as it arrives."""

    time: float
    """[s] its time stamp, of the cell's time."""
    rgb: np.ndarray
    """(H, W, 3) uint8, red first."""
    depth: np.ndarray
    """(H, W) float32 [m] along the optical axis; 0 where nothing was measured."""


class TwinCamera:
    """An emulated depth camera; ``close`` it. Whoever keeps the time calls ``act`` at each ``next_event_ns``.

    Args:
        twin: what it looks at.
        embodiment: its robot, for how it looks.
        T_world_camera: where it stands.
        intrinsics: of both pictures: no distortion, principal point in the middle.
        cfg: rate, faults, colours.
        seed: decides all that is drawn.

    Raises:
        SchemaError: intrinsics it cannot have, or depth that is taken more than half a period after colour.
        NoGraphicsError: nothing draws here; the message says what to install.
    """

    def __init__(
        self,
        twin: Twin,
        embodiment: Embodiment,
        T_world_camera: SE3,
        intrinsics: CameraIntrinsics,
        cfg: CameraCfg | None = None,
        seed: int = 0,
    ) -> None:
        self.cfg, self.intrinsics, self.T_world_camera = cfg or CameraCfg(), intrinsics, T_world_camera
        _check(intrinsics, self.cfg)
        self._twin, self._rng = twin, np.random.default_rng([seed, 3])
        spec = describe(twin.task, self.cfg.look, intrinsics, T_world_camera)
        add_robot(spec, embodiment, SceneOptions())
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        joints = [self._model.joint(PREFIX + name).id for name in twin.spec.joint_names]
        self._joints = self._model.jnt_qposadr[joints]
        first = int(self._model.joint("object").qposadr[0])
        self._object = first + np.array([3, 4, 5, 6, 0, 1, 2])
        self._window = Offscreen(self._model, intrinsics.width, intrinsics.height)
        self._rgb = np.zeros((intrinsics.height, intrinsics.width, 3), np.uint8)
        self._depth = np.zeros((intrinsics.height, intrinsics.width), np.float32)
        self._due = deque(self._plan())

    def next_event_ns(self) -> int:
        """[ns] when it wants to act next; far away after ``cfg.duration``."""
        return self._due[0][0] if self._due else _NEVER_NS

    def act(self, now_ns: int) -> list[CameraFrame]:
        """Do what is due: what it sees is the twin as it is now. Returns the frames that arrived."""
        frames: list[CameraFrame] = []
        while self.next_event_ns() <= now_ns:
            _, do = self._due.popleft()
            frame = do()
            if frame is not None:
                frames.append(frame)
        return frames

    def close(self) -> None:
        """Give the graphics memory back."""
        self._window.close()

    def _plan(self) -> list[tuple[int, Callable[[], CameraFrame | None]]]:
        """What happens when [ns]; a frame that is delivered again shows what the one before it did."""
        plan: list[tuple[int, Callable[[], CameraFrame | None]]] = []
        for each in expose(self.cfg.duration, self.cfg.rate_hz, self.cfg.faults, self._rng):
            if each.color_time < each.time:
                plan.append((round(each.time * 1e9), partial(self._arrive, each)))
                continue
            plan.append((round(each.color_time * 1e9), self._take_colour))
            plan.append((round(each.depth_time * 1e9), partial(self._take_depth, each)))
        return sorted(plan, key=lambda event: event[0])

    def _take_colour(self) -> None:
        self._look()
        self._rgb = self._window.colour()

    def _take_depth(self, exposure: Exposure) -> CameraFrame:
        self._look()
        self._depth = measure_depth(self._window.depth(), self.intrinsics, self.cfg.faults, self._rng)
        return self._arrive(exposure)

    def _arrive(self, exposure: Exposure) -> CameraFrame:
        return CameraFrame(exposure.time, self._rgb.copy(), self._depth.copy())

    def _look(self) -> None:
        """Take over where everything is."""
        self._data.qpos[self._joints] = self._twin.joint_pos
        self._data.qpos[self._object] = self._twin.T_world_object.wxyz_xyz
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._window.update(self._data)


def _check(camera: CameraIntrinsics, cfg: CameraCfg) -> None:
    middle = ((camera.width - 1) / 2, (camera.height - 1) / 2)
    if (
        camera.distortion.any()
        or not np.allclose((camera.cx, camera.cy), middle)
        or not np.isclose(camera.fx, camera.fy)
    ):
        raise SchemaError(
            f"The emulated camera has no distortion, one focal length and its principal point at {middle}; these intrinsics "
            f"have distortion {camera.distortion}, fx {camera.fx}, fy {camera.fy}, principal point {(camera.cx, camera.cy)}."
        )
    longest = 0.5 / cfg.rate_hz
    if not 0.0 <= cfg.faults.delay <= longest:
        raise SchemaError(f"Depth comes {cfg.faults.delay} s after colour; at this rate 0 to {longest} s are possible.")
