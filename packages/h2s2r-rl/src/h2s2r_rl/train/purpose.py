"""What a policy is trained for, as plain data in its checkpoint: task, robot, what it sees, what its actions mean.

In:  an environment.   Out: that data; the ``PolicySpec`` and the task that it holds.
Not here: weights (checkpoint), files (export).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch
from rsl_rl.models import MLPModel, RNNModel
from rsl_rl.modules import EmpiricalNormalization

from h2s2r_rl.config import plain
from h2s2r_schemas.artifacts import ObsTerm, PolicySpec, TaskSpec
from h2s2r_schemas.codec import decode, encode
from h2s2r_schemas.codec.files import MAX_BLOCK
from h2s2r_schemas.contracts import VecEnv
from h2s2r_sim.env.environment import Environment

#: Normalised observations are held within this: far outside of what occurs, it only keeps numbers finite.
OBS_CLIP = 1e4
#: Stands for the hash of a network that was not exported.
UNEXPORTED = "unexported"
#: [Hz] of environments that do not say.
_CONTROL_HZ = 15.0


def purpose(env: VecEnv, num_obs: int) -> dict[str, Any]:
    """What a policy that learns in ``env`` is for; of environments other than h2s2r-sim's, as much as the contract tells."""
    encoded = encode(env.task)
    found: dict[str, Any] = {
        "task": torch.frombuffer(bytearray(encoded), dtype=torch.uint8),
        "task_name": env.task.name,
        "task_hash": hashlib.sha256(encoded).hexdigest(),
        "robot_name": env.robot.name,
        "robot_hash": env.robot.hash(),
        "joint_names": list(env.robot.joint_names),
        "num_actions": env.num_actions,
        "control_hz": _CONTROL_HZ,
        "obs_layout": [{"name": "actor", "size": num_obs, "arguments": {}}],
        "action_map": {},
        "goal_clock": {},
    }
    if isinstance(env, Environment):
        found["control_hz"] = env.cfg.control_hz
        found["obs_layout"] = [
            {"name": term.name, "size": term.size, "arguments": plain(dict(term.arguments))} for term in env.obs_layout
        ]
        found["action_map"] = plain(env.actions.as_data())
        found["goal_clock"] = plain(env.cfg.goal.as_data())
    return found


def task_of(purpose: dict[str, Any]) -> TaskSpec:
    """The task it was trained for."""
    return decode(purpose["task"].numpy().tobytes(), TaskSpec, MAX_BLOCK)


def policy_spec(model: MLPModel, purpose: dict[str, Any]) -> PolicySpec:
    """What a runner needs besides the network, which is not exported yet."""
    normaliser = model.obs_normalizer
    assert isinstance(normaliser, EmpiricalNormalization)
    memory = model.rnn.rnn if isinstance(model, RNNModel) else None
    return PolicySpec(
        name=f"{purpose['task_name']}_{purpose['robot_name']}",
        joint_names=tuple(purpose["joint_names"]),
        obs_layout=tuple(ObsTerm(**term) for term in purpose["obs_layout"]),
        # As the network's own normaliser divides: by the deviation plus a small number.
        obs_mean=normaliser.mean.numpy().astype(np.float64),
        obs_std=(normaliser.std + normaliser.eps).numpy().astype(np.float64),
        obs_clip=OBS_CLIP,
        onnx_sha256=UNEXPORTED,
        hidden_size=memory.hidden_size if memory else 0,
        num_layers=memory.num_layers if memory else 0,
        **{
            name: purpose[name]
            for name in (
                "task_name", "task_hash", "robot_name", "robot_hash", "control_hz", "num_actions", "action_map", "goal_clock",
            )
        },
    )  # fmt: skip
