"""The files a robot PC runs: the network as ONNX, what belongs to it, and the task it was trained for.

In:  a checkpoint.   Out: a folder with ``policy.h2s`` (``PolicySpec``), ``policy.onnx`` and ``task.h2s``.
Not here: running them (policy, runner), how well the policy does (evaluate).
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from h2s2r_rl.policy import NETWORK, SPEC, TASK, OnnxPolicy
from h2s2r_rl.train import load_checkpoint
from h2s2r_rl.train.actor import bare, model_of, torch_threads
from h2s2r_rl.train.purpose import policy_spec, task_of
from h2s2r_schemas.artifacts import PolicySpec
from h2s2r_schemas.codec import save, write_whole
from h2s2r_schemas.errors import H2S2RError

#: Steps over which an exported policy is compared with the one that was trained, and by how much an action may differ.
CHECKED_STEPS, TOLERANCE = 1000, 1e-5
#: Rows of that comparison, and how often one of their episodes ends.
_ROWS, _ENDS = 3, 0.01
_OPSET = 18


class ExportError(H2S2RError):
    """An exported policy does not act as the one that was trained."""


def export(checkpoint: str | Path, folder: str | Path, name: str | None = None) -> PolicySpec:
    """Write what a robot PC needs to run a policy, and compare it with the policy that was trained.

    Args:
        checkpoint: of a training.
        folder: for the files, made if need be.
        name: of the policy; task and robot if none.

    Raises:
        FileNotFoundError, SchemaError: as ``load_checkpoint``.
        ExportError: it acts differently; nothing is written then.
        OSError: the folder cannot be written to. Files of two exports side by side are refused when they are loaded.
    """
    content = load_checkpoint(checkpoint)
    model = model_of(content)
    found = policy_spec(model, content)
    onnx = _onnx(bare(model), found)
    spec = found.replace(
        name=name or found.name,
        onnx_sha256=hashlib.sha256(onnx).hexdigest(),
        training={
            "steps": content["iteration"]
            * content["training"]["num_envs"]
            * content["training"]["steps_per_iteration"],
            "seconds": content["seconds"],
            "cpu_seconds": content["cpu_seconds"],
            "configuration": content["training"],
        },
    )
    off = largest_difference(OnnxPolicy(spec, onnx), model)
    if not off <= TOLERANCE:
        raise ExportError(
            f"Over {CHECKED_STEPS} steps the exported policy's actions differ by up to {off:.3g} from those of the trained one; "
            f"{TOLERANCE} is allowed. Report this with the versions of torch and onnxruntime."
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    save(task_of(content), target / TASK)
    write_whole(target / NETWORK, onnx)
    save(spec, target / SPEC)
    return spec


def largest_difference(policy: OnnxPolicy, model: Any, seed: int = 0) -> float:
    """Largest difference of an action over ``CHECKED_STEPS`` steps, in which some episodes end.

    Args:
        policy: exported.
        model: of rsl_rl, as it was trained: with its own normalisation and memory.
        seed: of the observations.
    """
    rng, spec, worst = np.random.default_rng(seed), policy.spec, 0.0
    policy.reset()
    with torch_threads(1), torch.inference_mode():
        model.reset()
        for _ in range(CHECKED_STEPS):
            obs = spec.obs_mean + spec.obs_std * rng.normal(size=(_ROWS, len(spec.obs_mean)))
            wanted = model({"actor": torch.from_numpy(obs.astype(np.float32))}).clamp(-1.0, 1.0).numpy()
            worst = np.maximum(worst, np.abs(policy.act(obs) - wanted).max())  # NaN stays NaN
            ended = rng.random(_ROWS) < _ENDS
            policy.reset(np.flatnonzero(ended))
            model.reset(torch.from_numpy(ended))
    return float(worst)


def _onnx(network: torch.nn.Module, spec: PolicySpec) -> bytes:
    """The network as ONNX, for any number of rows."""
    obs, state = torch.zeros(1, len(spec.obs_mean)), torch.zeros(spec.num_layers, 1, spec.hidden_size)
    inputs, outputs, dimensions = ["obs"], ["actions"], {"obs": {0: "N"}, "actions": {0: "N"}}
    if spec.num_layers:
        inputs, outputs = ["obs", "h_in", "c_in"], ["actions", "h_out", "c_out"]
        dimensions |= {name: {1: "N"} for name in (*inputs[1:], *outputs[1:])}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / NETWORK
        # The newer exporter takes thirty times as long for the same network.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (obs, state, state.clone()) if spec.num_layers else (obs,),
            path,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=dimensions,
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()
