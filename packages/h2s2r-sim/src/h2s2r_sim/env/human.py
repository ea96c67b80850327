"""Where the human's fingertips were along the reference, for the ablation that pays for being near them.

In:  ``TaskSpec``, embodiment, the goal's path.   Out: (T, F, 3) points [m] in the world.
Not here: the reward made of them (mdp.rewards).
"""

from __future__ import annotations

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp.goal import GoalPath


def human_path(task: TaskSpec, embodiment: Embodiment, path: GoalPath) -> np.ndarray:
    """Fingertip targets (T, F, 3) [m] at every step of the goal clock.

    A task without the whole hand path has its hand just before contact: it is then carried along by the object.
    """
    if task.hand is None:
        keypoints = SE3(path.reference.wxyz_xyz_world_object[:, None]).apply(task.p_object_keypoints)
    else:
        seen = ~task.hand.lost
        flat = task.hand.p_world_keypoints[seen].reshape(int(seen.sum()), -1)
        time = np.minimum(path.control_dt * np.arange(path.last + 1), path.duration)
        columns = [np.interp(time, task.hand.time[seen], column) for column in flat.T]
        keypoints = np.stack(columns, -1).reshape(len(time), -1, 3)
    return embodiment.fingertip_targets(keypoints)
