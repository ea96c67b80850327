"""A trained actor on the CPU, as evaluations and videos use it.

In:  observations (N, O), NumPy.   Out: actions (N, A), NumPy, without exploration.
Not here: its export for a robot PC.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict


class Actor:
    """Acts on batches of observations with the mean of the learned distribution.

    Args:
        model: rsl_rl's.
    """

    def __init__(self, model: MLPModel) -> None:
        self._model = model

    @classmethod
    def from_state(cls, config: dict[str, Any], state: dict[str, Any], num_obs: int, num_actions: int) -> Actor:
        """From the weights in a checkpoint.

        Args:
            config: ``algorithm.actor_config`` of the training.
            state: of the network.
            num_obs: O.
            num_actions: A.
        """
        arguments = {name: value for name, value in config.items() if name != "class_name"}
        obs = TensorDict({"actor": torch.zeros(1, num_obs)}, batch_size=[1])
        model = MLPModel(obs, {"actor": ["actor"]}, "actor", num_actions, **arguments)
        model.load_state_dict(state)
        return cls(model.eval())

    def reset(self, env_ids: np.ndarray | None = None) -> None:
        """Forget episodes ``env_ids``, or all: this network remembers nothing."""

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Actions (N, A) in [-1, 1] for observations (N, O)."""
        batch = TensorDict({"actor": torch.from_numpy(np.asarray(obs, dtype=np.float32))}, batch_size=[len(obs)])
        with torch.inference_mode():
            return self._model(batch).clamp(-1.0, 1.0).numpy()
