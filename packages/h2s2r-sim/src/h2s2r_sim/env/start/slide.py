"""How far a reference goes with the object sliding on what it stands on, before it is tipped or lifted.

In:  ``GoalPath``.   Out: by how much objects are shifted and turned in those steps.
Not here: starts (pool).

There, and nowhere else, an object can be put anywhere along the reference and stays: what comes later needs a hand that holds it.
Where nothing comes later, nothing is gained by beginning on the way.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.se3 import SE3, quaternions
from h2s2r_sim.mdp.goal import GoalPath

#: [m] and [rad] by which an object that slides may rise and lean, as it was tracked.
_RISE, _LEAN = 0.003, float(np.deg2rad(2.0))
#: [m] and [rad] by which one rises, or leans, that is lifted or tipped later.
_LIFTED, _TIPPED = 0.02, float(np.deg2rad(15.0))
#: [m] by which something that slides gets away at least; less is an object at rest, as tracked.
_AWAY = 0.01


def sliding(path: GoalPath) -> np.ndarray:
    """(S, 6) horizontal shifts [m], then rotation vectors [rad] about the vertical, in the world's frame, by which the object is
    away from its start in the steps 1 to S of the goal clock in which it slides; none (S = 0) where it hardly does, and where it
    is neither lifted nor tipped later.
    """
    poses = SE3(path.reference.wxyz_xyz_world_object)
    shift = poses.translation - poses.translation[0]
    turn = quaternions.log(quaternions.multiply(poses.wxyz, quaternions.conjugate(poses.wxyz[:1])))
    lean, rise = np.linalg.norm(turn[:, :2], axis=-1), np.abs(shift[:, 2])
    later = (lean > _TIPPED) | (rise > _LIFTED)
    end = int(np.argmin((lean < _LEAN) & (rise < _RISE))) if later.any() else 0
    offset = np.concatenate([shift, turn], -1)[1 : max(end, 1)] * (1.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    away = np.linalg.norm(offset[:, :3], axis=-1).max(initial=0.0) > _AWAY
    return offset if away else offset[:0]
