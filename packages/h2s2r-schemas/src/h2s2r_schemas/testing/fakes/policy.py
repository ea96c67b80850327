"""A recurrent policy of a few lines of NumPy, behind the whole ``Policy`` contract.

In:  sizes and a seed.   Out: ``RecurrentPolicy``, with random weights.
Not here: running trained ones (rl). To test against a policy that misbehaves, override one of its small methods.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from h2s2r_schemas.artifacts import ObsTerm, PolicySpec
from h2s2r_schemas.errors import ContractError

_HASH = "0" * 64


def fake_policy_spec(num_obs: int = 6, num_actions: int = 3, hidden_size: int = 8) -> PolicySpec:
    """A policy for a robot that does not exist, with a normaliser that does something."""
    return PolicySpec(
        name="fake",
        task_name="fake",
        task_hash=_HASH,
        robot_name="fake",
        robot_hash=_HASH,
        joint_names=("arm_1", "arm_2", "finger_1", "thumb_slide"),
        control_hz=15.0,
        obs_layout=(ObsTerm(name="joint_pos", size=4), ObsTerm(name="goal", size=num_obs - 4)),
        obs_mean=np.linspace(-1.0, 1.0, num_obs),
        obs_std=np.linspace(0.5, 2.0, num_obs),
        obs_clip=5.0,
        num_actions=num_actions,
        action_map={"name": "joint_delta"},
        goal_clock={"name": "run"},
        onnx_sha256=_HASH,
        hidden_size=hidden_size,
        num_layers=1,
    )


class RecurrentPolicy:
    """Satisfies ``Policy``: one layer whose state is kept between calls.

    Args:
        seed: of its random weights.
    """

    def __init__(self, seed: int = 0) -> None:
        self.spec = fake_policy_spec()
        rng = np.random.default_rng(seed)
        hidden, obs, actions = self.spec.hidden_size, len(self.spec.obs_mean), self.spec.num_actions
        self.from_obs = rng.normal(size=(obs, hidden)) / np.sqrt(obs)
        self.from_memory = rng.normal(size=(hidden, hidden)) / np.sqrt(hidden)
        self.to_action = rng.normal(size=(hidden, actions)) / np.sqrt(hidden)
        self.memory: np.ndarray | None = None

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        if env_ids is None:
            self.memory = None
        elif self.memory is not None:
            self.memory[list(env_ids)] = 0.0

    def act(self, obs: np.ndarray) -> np.ndarray:
        if self.memory is None:
            self.memory = np.zeros((len(obs), self.spec.hidden_size))
        if len(obs) != len(self.memory):
            raise ContractError(f"{len(obs)} rows, where {len(self.memory)} began; call reset() first.")
        memory = np.tanh(self.normalised(obs) @ self.from_obs + self.memory @ self.from_memory)
        self.memory = memory
        return self.output(memory)

    def normalised(self, obs: np.ndarray) -> np.ndarray:
        """(N, O) what the network sees."""
        scaled = (obs - self.spec.obs_mean) / self.spec.obs_std
        return np.clip(scaled, -self.spec.obs_clip, self.spec.obs_clip)

    def output(self, memory: np.ndarray) -> np.ndarray:
        """(N, A) actions."""
        return np.tanh(memory @ self.to_action)
