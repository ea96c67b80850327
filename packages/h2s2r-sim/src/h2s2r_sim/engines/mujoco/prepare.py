"""Physical parameters worked out as entries of MuJoCo's model fields, for many worlds at once.

In:  ``PhysicalParameters`` (K).   Out: ``Prepared``.
Not here: writing them into a batch (parameters), drawing them (perturbation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import mujoco
import numpy as np

from h2s2r_sim.engine import EngineError, PhysicalParameters
from h2s2r_sim.scene.model import SceneModel


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


class Entry(NamedTuple):
    """Values of some entries of one field of the model."""

    field: str
    where: Any
    """Index of one entry, or of W."""
    values: np.ndarray
    """(K, …), or (K, W, …)."""
    column: Any
    """Of the entries; none for whole ones."""
    plain: bool
    """Whether they are all the model's own."""


@dataclass(frozen=True)
class Prepared:
    """What is written for K worlds, worked out for all of them at once."""

    parameters: PhysicalParameters
    """(K) what it was worked out from."""
    entries: tuple[Entry, ...]
    """All fields but the next."""
    constants: tuple[Entry, ...]
    """What MuJoCo derives from an object's mass and inertia and steps with."""
    object_weight: np.ndarray
    """(K, 3) [N]."""
    palm_weight: np.ndarray
    """(K, 3) [N] of the payload."""
    robot_differs: np.ndarray
    """(K) whether what MuJoCo derives from the robot's masses changes too."""


class Preparer:
    """Of one scene.

    Args:
        scene: where everything is in ``model``.
        model: the ``weightless`` one, without perturbation.
    """

    def __init__(self, scene: SceneModel, model: mujoco.MjModel) -> None:
        self._scene, self._model, self._nominal = scene, model, _Nominal.of(model)
        self.palm = int(model.site_bodyid[scene.palm_site])
        """Body that payloads hang on."""
        self._robot_geoms = np.concatenate([scene.arm_geoms, scene.hand_geoms])
        self._scene_geoms = np.concatenate([scene.table_geoms, scene.fixture_geoms])
        self.gravity = scene.model.opt.gravity.copy()
        """(3) [m/s²]."""
        self.joint_friction = self._nominal.dof_frictionloss[scene.joint_dofs]
        """(J) [N·m; N] of the model."""

    def prepare(self, parameters: PhysicalParameters) -> Prepared:
        """What to write for these parameters (K).

        Raises:
            EngineError: another size for an object that collides as a mesh.
        """
        object_mass = self._nominal.body_mass[self._scene.object_body] * parameters.object_mass
        gravity = self.gravity + parameters.gravity
        entries = (
            *self._friction(parameters),
            *self._object(parameters),
            *self._joints(parameters),
            self._entry("body_mass", self.palm, self._nominal.body_mass[self.palm] + parameters.payload),
        )
        return Prepared(
            parameters=parameters,
            entries=entries,
            constants=tuple(self._object_constants(parameters)),
            object_weight=object_mass[:, None] * gravity,
            palm_weight=parameters.payload[:, None] * gravity,
            robot_differs=(parameters.payload != 0.0) | (parameters.armature != 1.0).any(-1),
        )

    def _entry(self, field: str, where: Any, values: np.ndarray, column: Any = None) -> Entry:
        base = getattr(self._nominal, field)[where]
        return Entry(
            field, where, values, column, bool(((base if column is None else base[..., column]) == values).all())
        )

    def _friction(self, parameters: PhysicalParameters) -> Iterator[Entry]:
        friction = np.zeros((len(parameters.object_friction), len(self._nominal.geom_friction)))
        for geoms, factor in (
            (self._scene.object_geoms, parameters.object_friction),
            (self._robot_geoms, parameters.robot_friction),
            (self._scene_geoms, parameters.scene_friction),
        ):
            friction[:, geoms] = self._nominal.geom_friction[geoms, 0] * factor[:, None]
        # Of two geoms in contact the larger coefficient counts, along both directions of sliding.
        of_pair = np.maximum(friction[:, self._nominal.pair_geom1], friction[:, self._nominal.pair_geom2])
        yield self._entry("pair_friction", slice(None), of_pair[..., None], slice(2))

    def _object(self, parameters: PhysicalParameters) -> Iterator[Entry]:
        nominal, body, size = self._nominal, self._scene.object_body, parameters.object_size
        inertia = parameters.object_mass * parameters.object_inertia * size**2
        yield self._entry("body_mass", body, nominal.body_mass[body] * parameters.object_mass)
        yield self._entry("body_inertia", body, nominal.body_inertia[body] * inertia[:, None])
        yield self._entry("body_ipos", body, nominal.body_ipos[body] * size[:, None] + parameters.object_com)
        sized = sized_object(self._scene, self._model, size, parameters.object_com)
        yield from (self._entry(field, where, values) for field, (where, values) in sized.items())

    def _object_constants(self, parameters: PhysicalParameters) -> Iterator[Entry]:
        """As ``set_const`` would have them for the whole model.

        How a free body gives way to a force does not depend on anything else, and 90 µs for each reset were a fiftieth of
        all time.
        """
        nominal, body = self._nominal, self._scene.object_body
        mass = nominal.body_mass[body] * parameters.object_mass
        inertia = parameters.object_mass * parameters.object_inertia * parameters.object_size**2
        turned = (1.0 / nominal.body_inertia[body]).mean() / inertia
        yield self._entry("body_invweight0", body, np.stack([1.0 / mass, turned], -1))
        yield self._entry("body_subtreemass", body, mass)
        yield self._entry("body_subtreemass", 0, nominal.body_subtreemass[0] - nominal.body_mass[body] + mass)

    def _joints(self, parameters: PhysicalParameters) -> Iterator[Entry]:
        nominal, actuators, dofs = self._nominal, self._scene.actuators, self._scene.joint_dofs
        gain, bias = nominal.actuator_gainprm[actuators], nominal.actuator_biasprm[actuators]
        yield self._entry("actuator_gainprm", actuators, gain[:, 0] * parameters.stiffness, 0)
        yield self._entry("actuator_biasprm", actuators, bias[:, 1] * parameters.stiffness, 1)
        yield self._entry("actuator_biasprm", actuators, bias[:, 2] * parameters.damping, 2)
        effort = nominal.actuator_forcerange[actuators] * parameters.effort[..., None]
        yield self._entry("actuator_forcerange", actuators, effort)
        yield self._entry("dof_armature", dofs, nominal.dof_armature[dofs] * parameters.armature)
        yield self._entry("dof_frictionloss", dofs, nominal.dof_frictionloss[dofs] + parameters.joint_friction)


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
