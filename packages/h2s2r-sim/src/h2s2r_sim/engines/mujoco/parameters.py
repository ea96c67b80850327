"""Physical parameters as fields of MuJoCo's model, per world.

In:  ``PhysicalParameters``.   Out: nothing; the batch's per-world model fields are written.
Not here: drawing them (perturbation), stepping (worlds).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import Batch

from h2s2r_sim.engine import EngineError, PhysicalParameters
from h2s2r_sim.scene.model import SceneModel

#: [rad/s] a joint slower than this stands still, and stiction holds it (what encoders of such arms can tell from rest).
STILL = 0.01

_OFF = mujoco.mjtDisableBit


def weightless(model: mujoco.MjModel) -> mujoco.MjModel:
    """A copy without gravity, and without what this scene has no use for; physics stays the same.

    Computing a robot's weight and its compensation costs a fifteenth of a step: weight is applied instead, as a force, to
    what is not compensated. The test of bounding boxes before each pair of shapes costs more than it saves for shapes
    as simple as ours; so does looking for groups of bodies that do not touch each other, to solve their contacts apart: a
    hand at its object leaves one group (3 % of a step).
    """
    model = copy.copy(model)
    model.opt.gravity[:] = 0.0
    model.body_gravcomp[:] = 0.0
    model.opt.disableflags |= int(_OFF.mjDSBL_GRAVITY) | int(_OFF.mjDSBL_MIDPHASE) | int(_OFF.mjDSBL_ISLAND)
    if not (model.jnt_stiffness.any() or model.tendon_stiffness.any()):
        model.opt.disableflags |= int(_OFF.mjDSBL_SPRING)
    if not (model.dof_damping.any() or model.tendon_damping.any()):
        model.opt.disableflags |= int(_OFF.mjDSBL_DAMPER)
    return model


def sized_object(
    scene: SceneModel, model: mujoco.MjModel, size: np.ndarray, com_shift: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What an object of another size collides with.

    Args:
        scene: where everything is in ``model``.
        model: with the object as it is.
        size: (K) factor on the object's lengths.
        com_shift: (K, 3) [m] of its centre of mass, after that.

    Returns:
        Per field of the model the rows (W) that differ, and their values (K, W, …).

    Raises:
        EngineError: another size for an object that collides as a mesh.
    """
    geoms, factor = scene.object_geoms, size[:, None]
    if (model.geom_type[geoms] == mujoco.mjtGeom.mjGEOM_MESH).any() and (size != 1.0).any():
        raise EngineError(
            "An object that collides as a mesh has one size in MuJoCo; give it primitive collision shapes, or leave "
            "the size out of the perturbations."
        )
    sized = {
        field: (geoms, getattr(model, field)[geoms] * factor[..., None])
        for field in ("geom_size", "geom_pos", "geom_aabb")
    }
    sized["geom_rbound"] = (geoms, model.geom_rbound[geoms] * factor)
    first, count = model.body_bvhadr[scene.object_body], model.body_bvhnum[scene.object_body]
    volumes = model.bvh_aabb[first : first + count] * factor[..., None]
    # Bounding volumes are kept in the frame of the centre of mass, which the shift moves.
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[scene.object_body])
    volumes[..., :3] -= np.einsum("ki,ij->kj", com_shift, rotation.reshape(3, 3))[:, None]
    sized["bvh_aabb"] = (first + np.arange(count), volumes)
    return sized


@dataclass(frozen=True)
class _Nominal:
    """Fields of the model as they are without perturbation, as arrays of their own: the binding makes a new view of a field
    each time it is asked, which took a third of the time of a reset.
    """

    actuator_biasprm: np.ndarray
    actuator_forcerange: np.ndarray
    actuator_gainprm: np.ndarray
    bvh_aabb: np.ndarray
    body_inertia: np.ndarray
    body_invweight0: np.ndarray
    body_ipos: np.ndarray
    body_mass: np.ndarray
    body_subtreemass: np.ndarray
    dof_armature: np.ndarray
    dof_frictionloss: np.ndarray
    geom_aabb: np.ndarray
    geom_friction: np.ndarray
    geom_pos: np.ndarray
    geom_rbound: np.ndarray
    geom_size: np.ndarray
    pair_friction: np.ndarray
    pair_geom1: np.ndarray
    pair_geom2: np.ndarray

    @classmethod
    def of(cls, model: mujoco.MjModel) -> _Nominal:
        return cls(**{each.name: np.array(getattr(model, each.name)) for each in fields(cls)})


class WorldParameters:
    """Writes parameters into a batch of a ``weightless`` model. A field becomes per-world when it first has to differ: what
    is off costs nothing.
    """

    def __init__(self, scene: SceneModel, batch: Batch) -> None:
        self._scene, self._batch, self._nominal = scene, batch, _Nominal.of(batch.model)
        self._palm = int(batch.model.site_bodyid[scene.palm_site])
        self._robot_geoms = np.concatenate([scene.arm_geoms, scene.hand_geoms])
        self._scene_geoms = np.concatenate([scene.table_geoms, scene.fixture_geoms])
        self._gravity = scene.model.opt.gravity.copy()
        self.weight = np.zeros((batch.nsim, batch.model.nbody, 6))
        """(N, B, 6) [N, N·m] weight of each body that nothing compensates, to be applied in every step."""
        carried = scene.model.body_mass * (1.0 - scene.model.body_gravcomp)
        self.weight[..., :3] = carried[:, None] * self._gravity
        self.weighed = np.union1d(np.flatnonzero(carried), [scene.object_body, self._palm])
        """Bodies that ``weight`` is of: that of all others is always zero."""
        self._fields: dict[str, np.ndarray] = {}
        self._robot_differs = False
        self._joint_friction = np.zeros((batch.nsim, len(scene.joint_dofs)))
        self._stiction = np.zeros((batch.nsim, len(scene.joint_dofs)))

    def write(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        """Give the worlds ``env_ids`` these parameters.

        Raises:
            EngineError: another size for an object that collides as a mesh.
        """
        if not len(env_ids):
            return
        self._write_friction(env_ids, parameters)
        self._write_object(env_ids, parameters)
        self._write_joints(env_ids, parameters)
        self._put("body_mass", env_ids, self._palm, self._nominal.body_mass[self._palm] + parameters.payload)
        self._write_weight(env_ids, parameters)
        self._robot_differs |= bool(parameters.payload.any() or (parameters.armature != 1.0).any())
        if self._robot_differs:
            self._batch.set_const(env_ids)
        else:
            self._write_object_constants(env_ids, parameters)

    @property
    def sticky(self) -> bool:
        """Whether any joint has stiction."""
        return bool(self._stiction.any())

    def hold_still_joints(self, qvel: np.ndarray) -> None:
        """Friction of the next substeps: more where a joint with stiction stands still."""
        still = np.abs(qvel[:, self._scene.joint_dofs]) < STILL
        friction = self._batch.expand("dof_frictionloss")
        base = self._nominal.dof_frictionloss[self._scene.joint_dofs]
        friction[:, self._scene.joint_dofs] = base + self._joint_friction + self._stiction * still

    def _put(self, field: str, env_ids: np.ndarray, where: Any, values: np.ndarray, column: Any = None) -> None:
        """Write ``values`` (K, …) into the entries ``where`` of a field, unless it is shared and they are the model's.

        Args:
            field: of the model.
            env_ids: (K) worlds.
            where: index of one entry, or of W.
            values: (K, …), or (K, W, …).
            column: of the entries; none for whole ones.
        """
        into = self._fields.get(field)
        if into is None:
            base = getattr(self._nominal, field)[where]
            if ((base if column is None else base[..., column]) == values).all():
                return
            into = self._fields[field] = self._batch.expand(field)
        rows = env_ids if np.ndim(where) == 0 else env_ids[:, None]
        into[(rows, where) if column is None else (rows, where, column)] = values

    def _write_friction(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        friction = np.zeros((len(env_ids), len(self._nominal.geom_friction)))
        for geoms, factor in (
            (self._scene.object_geoms, parameters.object_friction),
            (self._robot_geoms, parameters.robot_friction),
            (self._scene_geoms, parameters.scene_friction),
        ):
            friction[:, geoms] = self._nominal.geom_friction[geoms, 0] * factor[:, None]
        # Of two geoms in contact the larger coefficient counts, along both directions of sliding.
        of_pair = np.maximum(friction[:, self._nominal.pair_geom1], friction[:, self._nominal.pair_geom2])
        self._put("pair_friction", env_ids, slice(None), of_pair[..., None], slice(2))

    def _write_object(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        nominal, body, size = self._nominal, self._scene.object_body, parameters.object_size
        mass = nominal.body_mass[body] * parameters.object_mass
        inertia = parameters.object_mass * parameters.object_inertia * size**2
        self._put("body_mass", env_ids, body, mass)
        self._put("body_inertia", env_ids, body, nominal.body_inertia[body] * inertia[:, None])
        com = nominal.body_ipos[body] * size[:, None] + parameters.object_com
        self._put("body_ipos", env_ids, body, com)
        self._write_size(env_ids, size, parameters.object_com)

    def _write_size(self, env_ids: np.ndarray, size: np.ndarray, shift: np.ndarray) -> None:
        if "geom_size" not in self._fields and (size == 1.0).all() and not shift.any():
            return
        for field, (where, values) in sized_object(self._scene, self._batch.model, size, shift).items():
            self._put(field, env_ids, where, values)

    def _write_object_constants(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        """What MuJoCo derives from an object's mass and inertia and steps with, as ``set_const`` would for the whole model.

        How a free body gives way to a force does not depend on anything else, and 90 µs for each reset were a fiftieth of
        all time.
        """
        nominal, body = self._nominal, self._scene.object_body
        mass = nominal.body_mass[body] * parameters.object_mass
        inertia = parameters.object_mass * parameters.object_inertia * parameters.object_size**2
        turned = (1.0 / nominal.body_inertia[body]).mean() / inertia
        self._put("body_invweight0", env_ids, body, np.stack([1.0 / mass, turned], -1))
        self._put("body_subtreemass", env_ids, body, mass)
        self._put("body_subtreemass", env_ids, 0, nominal.body_subtreemass[0] - nominal.body_mass[body] + mass)

    def _write_joints(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        nominal, actuators, dofs = self._nominal, self._scene.actuators, self._scene.joint_dofs
        gain, bias = nominal.actuator_gainprm[actuators], nominal.actuator_biasprm[actuators]
        self._put("actuator_gainprm", env_ids, actuators, gain[:, 0] * parameters.stiffness, column=0)
        self._put("actuator_biasprm", env_ids, actuators, bias[:, 1] * parameters.stiffness, column=1)
        self._put("actuator_biasprm", env_ids, actuators, bias[:, 2] * parameters.damping, column=2)
        effort = nominal.actuator_forcerange[actuators] * parameters.effort[..., None]
        self._put("actuator_forcerange", env_ids, actuators, effort)
        self._put("dof_armature", env_ids, dofs, nominal.dof_armature[dofs] * parameters.armature)
        self._put("dof_frictionloss", env_ids, dofs, nominal.dof_frictionloss[dofs] + parameters.joint_friction)
        self._joint_friction[env_ids] = parameters.joint_friction
        self._stiction[env_ids] = parameters.stiction

    def _write_weight(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        gravity = self._gravity + parameters.gravity
        mass = self._nominal.body_mass[self._scene.object_body] * parameters.object_mass
        self.weight[env_ids, self._scene.object_body, :3] = mass[:, None] * gravity
        self.weight[env_ids, self._palm, :3] = parameters.payload[:, None] * gravity
