"""Physical parameters as fields of MuJoCo's model, per world.

In:  what was prepared of ``PhysicalParameters``.   Out: nothing; the batch's per-world model fields are written.
Not here: working it out (prepare), drawing (perturbation), stepping (worlds).
"""

from __future__ import annotations

import copy

import mujoco
import numpy as np
from mujoco.batch import Batch

from h2s2r_sim.engine import PhysicalParameters
from h2s2r_sim.engines.mujoco.prepare import Entry, Prepared, Preparer
from h2s2r_sim.rows import Rows, as_slice
from h2s2r_sim.scene.model import SceneModel

#: [rad/s] a joint slower than this stands still, and stiction holds it (what encoders of such arms can tell from rest).
STILL = 0.01

_OFF = mujoco.mjtDisableBit
#: Every row.
_ALL = slice(None)


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


class WorldParameters:
    """Writes parameters into a batch of a ``weightless`` model. A field becomes per-world when it first has to differ: what
    is off costs nothing.
    """

    def __init__(self, scene: SceneModel, batch: Batch) -> None:
        self._scene, self._batch = scene, batch
        self._preparer = preparer = Preparer(scene, batch.model)
        self.weight = np.zeros((batch.nsim, batch.model.nbody, 6))
        """(N, B, 6) [N, N·m] weight of each body that nothing compensates, to be applied in every step."""
        carried = scene.model.body_mass * (1.0 - scene.model.body_gravcomp)
        self.weight[..., :3] = carried[:, None] * preparer.gravity
        self.weighed = np.union1d(np.flatnonzero(carried), [scene.object_body, preparer.palm])
        """Bodies that ``weight`` is of: that of all others is always zero."""
        self._fields: dict[str, np.ndarray] = {}
        self._robot_differs = False
        self._joint_friction = np.zeros((batch.nsim, len(scene.joint_dofs)))
        self._stiction = np.zeros((batch.nsim, len(scene.joint_dofs)))

    def prepare(self, parameters: PhysicalParameters) -> Prepared:
        """As ``Preparer.prepare``."""
        return self._preparer.prepare(parameters)

    def write(self, env_ids: np.ndarray, prepared: Prepared, rows: slice = _ALL) -> None:
        """Give the worlds ``env_ids`` what was prepared for ``rows``."""
        if not len(env_ids):
            return
        worlds = as_slice(env_ids)
        for entry in prepared.entries:
            self._put(worlds, entry, rows)
        self._joint_friction[worlds] = prepared.parameters.joint_friction[rows]
        self._stiction[worlds] = prepared.parameters.stiction[rows]
        self.weight[worlds, self._scene.object_body, :3] = prepared.object_weight[rows]
        self.weight[worlds, self._preparer.palm, :3] = prepared.palm_weight[rows]
        self._robot_differs |= bool(prepared.robot_differs[rows].any())
        if self._robot_differs:
            self._batch.set_const(env_ids)
        else:
            for entry in prepared.constants:
                self._put(worlds, entry, rows)

    @property
    def sticky(self) -> bool:
        """Whether any joint has stiction."""
        return bool(self._stiction.any())

    def hold_still_joints(self, qvel: np.ndarray) -> None:
        """Friction of the next substeps: more where a joint with stiction stands still."""
        still = np.abs(qvel[:, self._scene.joint_dofs]) < STILL
        friction = self._batch.expand("dof_frictionloss")
        friction[:, self._scene.joint_dofs] = (
            self._preparer.joint_friction + self._joint_friction + self._stiction * still
        )

    def _put(self, worlds: Rows, entry: Entry, rows: slice) -> None:
        """Write the rows of an entry into a field, unless it is shared and they are the model's."""
        into = self._fields.get(entry.field)
        if into is None:
            if entry.plain:
                return
            into = self._fields[entry.field] = self._batch.expand(entry.field)
        where, column = entry.where, entry.column
        if isinstance(worlds, np.ndarray) and isinstance(where, np.ndarray):
            worlds = worlds[:, None]
        into[(worlds, where) if column is None else (worlds, where, column)] = entry.values[rows]
