"""Physical parameters on Warp's device.

In:  a batch of MuJoCo, into which parameters were written.   Out: nothing; the fields of Warp's model follow.
Not here: what a parameter means (engines.mujoco.parameters: the same for both engines).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mujoco.batch import Batch

from h2s2r_sim.engines.warp.device import wp

#: What parameters change in MuJoCo's model, and what follows from it, as far as Warp's model has it too.
FIELDS = (
    "actuator_acc0",
    "actuator_biasprm",
    "actuator_forcerange",
    "actuator_gainprm",
    "body_inertia",
    "body_invweight0",
    "body_ipos",
    "body_mass",
    "body_subtreemass",
    "dof_armature",
    "dof_frictionloss",
    "dof_invweight0",
    "geom_aabb",
    "geom_pos",
    "geom_rbound",
    "geom_size",
    "pair_friction",
)
#: What follows in MuJoCo's alone: its tree of bounding volumes, sizes for lamps, sleeping and pictures.
ELSEWHERE = (
    "bvh_aabb",
    "dof_M0",
    "dof_length",
    "light_poscom0",
    "light_pos0",
    "cam_poscom0",
    "cam_pos0",
    "stat.meaninertia",
)


def upload(batch: Batch, model: Any, fields: tuple[str, ...] = FIELDS) -> bool:
    """Copy what differs between worlds into Warp's model.

    Args:
        batch: holds the fields, one row a world.
        model: Warp's.
        fields: which ones.

    Returns:
        Whether an array of the model was replaced by a larger one: what was recorded with the old one is void.
    """
    replaced = False
    for name in fields:
        values = batch.expanded(name)
        if values is None:
            continue
        there = getattr(model, name)
        values = values.reshape(batch.nsim, *there.numpy().shape[1:]).astype(np.float32)
        if there.shape[0] == batch.nsim:
            there.assign(values)
        else:
            setattr(model, name, wp.array(values, dtype=there.dtype, device=there.device))
            replaced = True
    return replaced
