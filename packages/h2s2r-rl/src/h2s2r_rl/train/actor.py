"""A trained actor still in torch, as evaluations and videos use it.

In:  a network of rsl_rl, what it was trained for.   Out: ``Actor``: the contract ``Policy``, without exploration.
Not here: the same without torch (policy, export).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rsl_rl.models import MLPModel, RNNModel
from tensordict import TensorDict

from h2s2r_rl.policy import Memory, NetworkPolicy
from h2s2r_rl.train.checkpoint import load_checkpoint
from h2s2r_rl.train.purpose import policy_spec


class Actor(NetworkPolicy):
    """Acts with the mean of the learned distribution; what becomes of ``model`` afterwards does not change it.

    Args:
        model: of rsl_rl.
        purpose: what it was trained for, as in its checkpoint (``train.purpose``).
    """

    def __init__(self, model: MLPModel, purpose: dict[str, Any]) -> None:
        self.network = bare(model)
        super().__init__(policy_spec(model, purpose), self._run)

    @classmethod
    def load(cls, checkpoint: str | Path) -> Actor:
        """From a checkpoint.

        Raises:
            FileNotFoundError, SchemaError: as ``load_checkpoint``.
        """
        content = load_checkpoint(checkpoint)
        return cls(model_of(content), content)

    def _run(self, obs: np.ndarray, memory: Memory) -> tuple[np.ndarray, Memory]:
        # More threads only wait for each other at this size.
        with torch_threads(1), torch.inference_mode():
            if not self.spec.num_layers:
                return self.network(torch.from_numpy(obs)).numpy(), memory
            action, h, c = self.network(torch.from_numpy(obs), *(torch.from_numpy(each) for each in memory))
            return action.numpy(), (h.numpy(), c.numpy())


def bare(model: MLPModel) -> torch.nn.Module:
    """A copy without normalisation, whose memory goes in and out: ``obs, h, c`` to ``action, h, c``."""
    network = model.as_onnx(verbose=False).eval()
    network.obs_normalizer = torch.nn.Identity()
    return network


def model_of(content: dict[str, Any]) -> MLPModel:
    """The actor's network in a checkpoint, as it was trained."""
    arguments = dict(content["actor"])
    kind = {"MLPModel": MLPModel, "RNNModel": RNNModel}[arguments.pop("class_name")]
    obs = TensorDict({"actor": torch.zeros(1, content["num_obs"])}, batch_size=[1])
    model = kind(obs, {"actor": ["actor"]}, "actor", content["num_actions"], **arguments)
    model.load_state_dict(content["state"]["actor_state_dict"])
    return model.eval()


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use so many CPU threads meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
