"""What robots do while they are measured: follow the goal roughly, or act at random.

In:  an environment.   Out: actions (N, A).
Not here: figures (speed, solidity).
"""

from __future__ import annotations

import numpy as np

from h2s2r_sim.env.environment import Environment

#: Of a random action that the next one keeps, and the standard deviation of what is added: 0.5 in the long run.
_KEPT, _ADDED = 0.8, 0.3


class Pusher:
    """Goes with the goal, with the noise of a learner on top: hands stay at their objects and push them about.

    Args:
        env: whose robots act by ``palm_twist``.
        rng: of the noise.
    """

    def __init__(self, env: Environment, rng: np.random.Generator) -> None:
        self._env, self._rng = env, rng
        self._noise = np.zeros((env.num_envs, env.num_actions))

    def act(self) -> np.ndarray:
        """The next actions (N, A)."""
        self._noise = _KEPT * self._noise + _ADDED * self._rng.standard_normal(self._noise.shape)
        env = self._env
        path = env.path.target.wxyz_xyz_world_object[:, 4:]
        ahead = path[np.minimum(env.episodes.goal_index + 1, env.path.last)] - path[env.episodes.goal_index]
        action = self._noise.copy()
        action[:, :3] += ahead / env.cfg.action.palm_translation
        return np.clip(action, -1.0, 1.0)


def wild_actions(rng: np.random.Generator, shape: tuple[int, int], last: np.ndarray) -> np.ndarray:
    """Actions (N, A) anywhere in [-1, 1]: one half of the robots draws each anew, the other slams from end to end and
    stays there for five steps on average.
    """
    action = rng.uniform(-1.0, 1.0, shape)
    ends = np.where(rng.random(shape) < 0.2, np.sign(action), last)
    slamming = slice(shape[0] // 2, None)
    action[slamming] = ends[slamming]
    return action
