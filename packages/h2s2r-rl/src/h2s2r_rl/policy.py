"""A policy on a robot PC: what its network remembers, row by row, and how it is fed; with onnxruntime, without torch.

In:  ``PolicySpec``, a network.   Out: ``NetworkPolicy``, ``OnnxPolicy``: the contract ``Policy``, on NumPy arrays.
Not here: training one (train), writing the files (export), driving a robot (runner).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from h2s2r_schemas.artifacts import PolicySpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import ContractError, SchemaError

#: Names of the files of an exported policy in their folder.
SPEC, NETWORK, TASK = "policy.h2s", "policy.onnx", "task.h2s"

#: h and c (L, N, H) of an LSTM; of size 0 for a network without memory.
Memory = tuple[np.ndarray, np.ndarray]
#: Normalised observations (N, O), float32, and the memory before; actions (N, A) and the memory after.
Network = Callable[[np.ndarray, Memory], tuple[np.ndarray, Memory]]


def normalised(spec: PolicySpec, obs: np.ndarray) -> np.ndarray:
    """(N, O) float32 what the network sees of observations (N, O)."""
    mean, std = spec.obs_mean.astype(np.float32), spec.obs_std.astype(np.float32)
    # What is too large for float32 becomes infinite, and is clipped below.
    with np.errstate(over="ignore"):
        scaled = (obs.astype(np.float32) - mean) / std
    return np.clip(scaled, -spec.obs_clip, spec.obs_clip) if spec.obs_clip else scaled


class NetworkPolicy:
    """Satisfies ``Policy`` with any network.

    Args:
        spec: gives sizes and normalisation.
        network: is given zeros as the memory of an episode that begins.
    """

    def __init__(self, spec: PolicySpec, network: Network) -> None:
        self.spec = spec
        self._network = network
        self._memory: Memory | None = None

    def reset(self, env_ids: Sequence[int] | np.ndarray | None = None) -> None:
        """Forget episodes ``env_ids``, or all."""
        if env_ids is None:
            self._memory = None
        elif self._memory is not None:
            for part in self._memory:
                part[:, np.asarray(env_ids, dtype=np.int64)] = 0.0

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Actions (N, A) in [-1, 1], float32, for observations (N, O), not normalised.

        Raises:
            ContractError: another number of rows than since the last ``reset()``, or another O.
        """
        obs = np.asarray(obs)
        if obs.ndim != 2 or obs.shape[1] != len(self.spec.obs_mean):
            raise ContractError(f"Observations have shape (N, {len(self.spec.obs_mean)}); these have {obs.shape}.")
        if self._memory is None:
            shape = (self.spec.num_layers, len(obs), self.spec.hidden_size)
            self._memory = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        if len(obs) != self._memory[0].shape[1]:
            raise ContractError(
                f"{len(obs)} rows, where {self._memory[0].shape[1]} began; call reset() before another number of them."
            )
        action, self._memory = self._network(normalised(self.spec, obs), self._memory)
        return np.clip(action, -1.0, 1.0)


class OnnxPolicy(NetworkPolicy):
    """An exported policy, run by onnxruntime on one CPU thread.

    Args:
        spec: beside the network.
        onnx: the content of ``policy.onnx``.

    Raises:
        SchemaError: the network is not the one that the spec was written for.
    """

    def __init__(self, spec: PolicySpec, onnx: bytes) -> None:
        found = hashlib.sha256(onnx).hexdigest()
        if found != spec.onnx_sha256:
            raise SchemaError(
                f"The network of policy {spec.name!r} has SHA-256 {found}, its PolicySpec says {spec.onnx_sha256}: the two files "
                "do not belong together; export them again."
            )
        options = onnxruntime.SessionOptions()
        # One thread: a batch of one gains nothing from more, and the same order of sums gives the same bits.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        super().__init__(spec, self._run)

    @classmethod
    def load(cls, folder: str | Path) -> OnnxPolicy:
        """From the folder that ``export`` wrote.

        Raises:
            FileNotFoundError: there is no exported policy.
            SchemaError: a file is damaged, or the two do not belong together.
        """
        folder = Path(folder)
        if not ((folder / SPEC).is_file() and (folder / NETWORK).is_file()):
            raise FileNotFoundError(
                f"{folder} holds no exported policy ({SPEC} and {NETWORK}): make one with h2s2r-rl export CHECKPOINT."
            )
        return cls(load(folder / SPEC, PolicySpec), (folder / NETWORK).read_bytes())

    def _run(self, obs: np.ndarray, memory: Memory) -> tuple[np.ndarray, Memory]:
        if not self.spec.num_layers:
            (action,) = self._session.run(["actions"], {"obs": obs})
            return np.asarray(action), memory
        feed = {"obs": obs, "h_in": memory[0], "c_in": memory[1]}
        action, h, c = (np.asarray(each) for each in self._session.run(["actions", "h_out", "c_out"], feed))
        return action, (h, c)
