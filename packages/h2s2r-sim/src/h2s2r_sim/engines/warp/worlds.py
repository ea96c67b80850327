"""N MuJoCo Warp worlds of one scene.

In:  ``SceneModel``; targets and wrenches.   Out: ``EngineState``.
Not here: what physical parameters mean (engines.mujoco.parameters), getting them to the device (fields).

Warp computes in single precision: states agree with those of the engine ``mujoco`` to rounding, not to the bit. Overlap of
single configurations is found by MuJoCo on the CPU.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from mujoco.batch import Batch

from h2s2r_schemas.se3 import quaternions
from h2s2r_sim.engine import EngineError, EngineState, PhysicalParameters, StartState
from h2s2r_sim.engines.mujoco.overlap import overlaps
from h2s2r_sim.engines.mujoco.parameters import WorldParameters, weightless
from h2s2r_sim.engines.mujoco.prepare import Prepared
from h2s2r_sim.engines.mujoco.worlds import MAX_ANGULAR_SPEED, MAX_LINEAR_SPEED
from h2s2r_sim.engines.warp.device import find_device, mjw, wp
from h2s2r_sim.engines.warp.fields import upload
from h2s2r_sim.scene.model import SceneModel

#: Contacts, and rows of the solver, that a world has room for; one that needs more counts as unstable.
_CONTACTS, _ROWS = 96, 512
#: Every row.
_ALL = slice(None)
_OVERFLOW = int(
    mjw.OverflowType.NEFC | mjw.OverflowType.BROADPHASE | mjw.OverflowType.NARROWPHASE | mjw.OverflowType.CCD
)


class WarpEngine:
    """``Engine`` on MuJoCo Warp. Same calls, same bytes, on the same device.

    Args:
        scene: what is simulated.
        num_envs: how many worlds.
        decimation: substeps of ``scene.model.opt.timestep`` in a control period.
        num_threads: CPU threads, for parameters and overlap.
        device: as ``find_device``.

    Raises:
        EngineError: a number that is not positive, or no such device.
    """

    def __init__(
        self, scene: SceneModel, num_envs: int, decimation: int, num_threads: int = 2, device: str = "cuda"
    ) -> None:
        if min(num_envs, decimation, num_threads) < 1:
            raise EngineError(
                f"num_envs {num_envs}, decimation {decimation}, num_threads {num_threads}: each is at least 1."
            )
        self.scene, self.num_envs, self.decimation = scene, num_envs, decimation
        self._device: Any = find_device(device)
        model = weightless(scene.model)
        self._batch = Batch(model, num_envs, num_threads)
        self._parameters = WorldParameters(scene, self._batch)
        # With dampers switched off, Warp's integrator also leaves out how the servos damp; what costs MuJoCo time costs it none.
        known = copy.copy(model)
        known.opt.disableflags = scene.model.opt.disableflags
        with wp.ScopedDevice(self._device):
            self._model: Any = mjw.put_model(known)
            self._data: Any = mjw.make_data(known, num_envs, nconmax=_CONTACTS, njmax=_ROWS)
            self._model.opt.warn_overflow = 0
            self._model.opt.deterministic = (
                mjw.DeterminismType.ALL if self._device.is_cuda else mjw.DeterminismType.NONE
            )
        self._graph: Any = None
        self._speed_limit = np.full(model.nv, MAX_ANGULAR_SPEED)
        self._speed_limit[scene.object_dofs[:3]] = MAX_LINEAR_SPEED
        self._unstable = np.zeros(num_envs, dtype=bool)
        self._ctrl = np.zeros((num_envs, model.nu), dtype=np.float32)
        home = np.repeat(scene.robot.home[None], num_envs, 0)
        self._start = StartState(home, np.repeat(model.qpos0[scene.object_qpos][None], num_envs, 0))
        self._fetch()
        self.reset(np.arange(num_envs), self._start)

    def prepare(self, parameters: PhysicalParameters) -> Prepared:
        return self._parameters.prepare(parameters)

    def set_parameters(self, env_ids: np.ndarray, prepared: Prepared, rows: slice = _ALL) -> None:
        self._parameters.write(env_ids, prepared, rows)
        self._upload()

    def reset(self, env_ids: np.ndarray, start: StartState) -> None:
        if not len(env_ids):
            return
        scene, rows = self.scene, env_ids[:, None]
        chosen = np.zeros(self.num_envs, dtype=bool)
        chosen[env_ids] = True
        with wp.ScopedDevice(self._device):
            mjw.reset_data(self._model, self._data, reset=wp.array(chosen, dtype=bool))
        self._qpos[rows, scene.robot_qpos] = scene.all_joint_pos(start.joint_pos)
        self._qpos[rows, scene.object_qpos] = start.wxyz_xyz_world_object
        self._qvel[env_ids] = self._torque[env_ids] = 0.0
        self._ctrl[rows, scene.actuators] = start.joint_pos
        self._send()
        self._start.joint_pos[env_ids] = start.joint_pos
        self._start.wxyz_xyz_world_object[env_ids] = start.wxyz_xyz_world_object
        self._unstable[env_ids] = False

    def step(self, joint_pos_target: np.ndarray, wrench_world_object: np.ndarray) -> EngineState:
        pieces = joint_pos_target.shape[1]
        if self.decimation % pieces:
            raise EngineError(f"{pieces} targets a step do not divide {self.decimation} substeps evenly.")
        applied = self._parameters.weight.copy()
        applied[:, self.scene.object_body] += wrench_world_object
        self._data.xfrc_applied.assign(applied.astype(np.float32))
        self._data.overflow.zero_()
        for piece in range(pieces):
            self._ctrl[:, self.scene.actuators] = joint_pos_target[:, piece]
            self._data.ctrl.assign(self._ctrl)
            self._hold_still_joints(piece)
            self._advance(self.decimation // pieces)
        self._fetch()
        self._catch_explosions()
        return self.state()

    def state(self) -> EngineState:
        scene, qpos, qvel = self.scene, self._qpos.astype(np.float64), self._qvel.astype(np.float64)
        wxyz_xyz, velocity = qpos[:, scene.object_qpos], qvel[:, scene.object_dofs]
        wxyz_xyz[:, :4] /= np.linalg.norm(wxyz_xyz[:, :4], axis=-1, keepdims=True)
        return EngineState(
            joint_pos=qpos[:, scene.joint_qpos],
            joint_vel=qvel[:, scene.joint_dofs],
            joint_torque=self._torque[:, scene.joint_dofs].astype(np.float64),
            wxyz_xyz_world_object=wxyz_xyz,
            lin_vel_world_object=velocity[:, :3],
            # MuJoCo gives the turning of a free body in its own frame.
            ang_vel_world_object=quaternions.rotate(wxyz_xyz[:, :4], velocity[:, 3:]),
            unstable=self._unstable.copy(),
        )

    def save(self, env_ids: np.ndarray) -> np.ndarray:
        parts = (self._qpos, self._qvel, self._torque, self._ctrl, self._data.qacc_warmstart.numpy())
        return np.concatenate([each[env_ids] for each in parts], axis=-1)

    def restore(self, env_ids: np.ndarray, rows: np.ndarray) -> None:
        warmstart = self._data.qacc_warmstart.numpy()
        parts = (self._qpos, self._qvel, self._torque, self._ctrl, warmstart)
        ends = np.cumsum([each.shape[-1] for each in parts])
        for mine, theirs in zip(parts, np.split(rows, ends[:-1], axis=-1), strict=True):
            mine[env_ids] = theirs
        self._send()
        self._data.qacc_warmstart.assign(warmstart)
        self._unstable[env_ids] = False

    def overlap(
        self, joint_pos: np.ndarray, wxyz_xyz_world_object: np.ndarray, object_size: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        return overlaps(self.scene, joint_pos, wxyz_xyz_world_object, object_size)

    def penetration(self) -> np.ndarray:
        with wp.ScopedDevice(self._device):
            mjw.kinematics(self._model, self._data)
            mjw.com_pos(self._model, self._data)
            mjw.collision(self._model, self._data)
        count = int(self._data.nacon.numpy()[0])
        depth = np.zeros(self.num_envs)
        np.maximum.at(depth, self._data.contact.worldid.numpy()[:count], -self._data.contact.dist.numpy()[:count])
        return depth

    def _hold_still_joints(self, piece: int) -> None:
        if self._parameters.sticky:
            if piece:
                self._fetch()
            self._parameters.hold_still_joints(self._qvel)
            self._upload(("dof_frictionloss",))

    def _upload(self, fields: tuple[str, ...] | None = None) -> None:
        with wp.ScopedDevice(self._device):
            replaced = upload(self._batch, self._model, fields) if fields else upload(self._batch, self._model)
        if replaced:
            self._graph = None

    def _advance(self, substeps: int) -> None:
        with wp.ScopedDevice(self._device):
            if self._device.is_cuda and self._graph is None:
                # Loads every kernel, which must not happen while a graph is recorded, and is the first substep.
                mjw.step(self._model, self._data)
                substeps -= 1
                with wp.ScopedCapture() as capture:
                    mjw.step(self._model, self._data)
                self._graph = capture.graph
            for _ in range(substeps):
                if self._graph is None:
                    mjw.step(self._model, self._data)
                else:
                    wp.capture_launch(self._graph)

    def _fetch(self) -> None:
        data = self._data
        self._qpos, self._qvel, self._torque = (
            each.numpy().copy() for each in (data.qpos, data.qvel, data.qfrc_actuator)
        )

    def _send(self) -> None:
        self._data.qpos.assign(self._qpos)
        self._data.qvel.assign(self._qvel)
        self._data.ctrl.assign(self._ctrl)

    def _catch_explosions(self) -> None:
        """Mark worlds that left what is physical, and put them back to their start, so that all numbers stay finite."""
        # Written so that NaN counts as exceeding.
        exploded = ~((np.abs(self._qvel) <= self._speed_limit).all(-1) & np.isfinite(self._qpos).all(-1))
        exploded |= (self._data.overflow.numpy() & _OVERFLOW) != 0
        self._unstable[:] = exploded
        if exploded.any():
            env_ids = np.flatnonzero(exploded)
            self.reset(env_ids, StartState(self._start.joint_pos[env_ids], self._start.wxyz_xyz_world_object[env_ids]))
            self._unstable[env_ids] = True
