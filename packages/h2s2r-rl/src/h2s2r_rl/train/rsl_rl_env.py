"""Our environment in the form that rsl_rl asks for.

In:  ``VecEnv``: NumPy arrays.   Out: rsl_rl's ``VecEnv``: torch tensors, rewards scaled, episodes counted.
Not here: the environment (h2s2r_sim.env).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from rsl_rl.env import VecEnv as RslRlVecEnvBase
from tensordict import TensorDict

from h2s2r_schemas.arrays import Array
from h2s2r_schemas.contracts import VecEnv


@dataclass
class Tally:
    """What happened in episodes that ended since the last look."""

    episodes: int = 0
    """How many ended, of those that ran from the beginning and were not cut short."""
    successes: int = 0
    """How many of them succeeded."""
    steps: int = 0
    """Policy steps taken, over all environments."""
    reward: float = 0.0
    """Sum of the rewards, not scaled."""
    failures: dict[str, int] = field(default_factory=dict)
    """How many failed, by kind."""


class RslRlVecEnv(RslRlVecEnvBase):
    """``env`` as rsl_rl steps it.

    Args:
        env: to be learned in.
        reward_scale: rewards are multiplied by it.
        seed: of the first reset.
    """

    def __init__(self, env: VecEnv, reward_scale: float, seed: int) -> None:
        self._env, self._reward_scale = env, reward_scale
        self.num_envs, self.num_actions = env.num_envs, env.num_actions
        self.device, self.cfg = "cpu", {}
        # rsl_rl reads the two below only to start episodes at random ages, which is not asked of it.
        self.max_episode_length = 1
        self.episode_length_buf = torch.zeros(env.num_envs, dtype=torch.long)
        self.tally = Tally()
        self._obs = self._tensors(env.reset(seed))

    def restart(self, seed: int, env: VecEnv | None = None) -> None:
        """Begin all episodes anew, and all random draws; in another environment of the same kind, where one is given."""
        self._env = env or self._env
        self._obs = self._tensors(self._env.reset(seed))

    def get_observations(self) -> TensorDict:
        """The newest observations."""
        return self._obs

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        """One policy step; ``time_outs`` marks the episodes that ended without having failed."""
        obs, *outcome, extras = self._env.step(actions.numpy())
        self._obs = self._tensors(obs)
        reward, terminated, truncated = (np.asarray(values) for values in outcome)
        self._count(reward, terminated, truncated, extras)
        scaled = torch.from_numpy((self._reward_scale * reward).astype(np.float32))
        return self._obs, scaled, torch.from_numpy(terminated | truncated), {"time_outs": torch.from_numpy(truncated)}

    def _tensors(self, obs: Mapping[str, Array]) -> TensorDict:
        tensors = {name: torch.from_numpy(np.asarray(values, dtype=np.float32)) for name, values in obs.items()}
        return TensorDict(tensors, batch_size=[self.num_envs])

    def _count(
        self, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray, extras: Mapping[str, Any]
    ) -> None:
        tally = self.tally
        tally.steps += len(reward)
        tally.reward += float(reward.sum())
        whole = ~np.asarray(extras.get("partial", np.zeros(len(reward), dtype=bool)))
        tally.episodes += int(((terminated | truncated) & whole).sum())
        tally.successes += int(extras["success"].sum())
        for index in extras["failure"][terminated & whole]:
            kind = self._env.failure_kinds[index]
            tally.failures[kind] = tally.failures.get(kind, 0) + 1
