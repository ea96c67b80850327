"""Stopping and going on: what a checkpoint holds of a training, and a training that continues from one.

In:  a training, a checkpoint.   Out: the one from the other.
Not here: the file (checkpoint), iterations (learner).

A checkpoint holds no state of the environment. Instead, whenever one is due, environment, exploration and the actor's memory
begin anew from a seed that follows from the training's seed and the number of the checkpoint. So what comes after a
checkpoint is the same, bit for bit on the same CPU, whether the training was stopped there or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rsl_rl.runners import OnPolicyRunner

from h2s2r_rl.config import TrainCfg
from h2s2r_rl.train.algorithm import actor_config
from h2s2r_rl.train.rsl_rl_env import RslRlVecEnv
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import SchemaError

#: What random numbers are for: so that none are drawn twice.
WEIGHTS, _STRETCH = 1, 2


@dataclass(frozen=True)
class Done:
    """How far a training is."""

    iterations: int
    """How many are done."""
    seconds: float
    """[s] they took."""
    cpu_seconds: float
    """[s] of CPU time they took."""
    share: float
    """Of the perturbations, in the stretch that comes next."""
    began: int = 0
    """Iterations that were done when the present weights began."""
    restarts: int = 0
    """How often they began anew."""


def seed_torch(*numbers: int) -> None:
    """Seed torch from all of these: its generator on the CPU looks at 32 bits of a seed alone, and says nothing of the others."""
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))


def begin_stretch(
    runner: OnPolicyRunner, adapter: RslRlVecEnv, cfg: TrainCfg, stretch: int, env: VecEnv | None = None
) -> None:
    """Begin the iterations after checkpoint number ``stretch``, or those before the first one for 0, in ``env`` or as before."""
    seed_torch(cfg.seed, _STRETCH, stretch)
    # Seeds of evaluations are below 2³² and so never among these, but for the training's own.
    adapter.restart(cfg.seed + (stretch << 32), env)
    with torch.inference_mode():
        # Not reset() without arguments: rsl_rl would then go on with an older memory where it stores the first step's.
        runner.alg.get_policy().reset(torch.ones(cfg.num_envs, dtype=torch.bool))


def content_of(runner: OnPolicyRunner, purpose: dict[str, Any], cfg: TrainCfg, done: Done) -> dict[str, Any]:
    """What a checkpoint holds."""
    return {
        **purpose,
        "num_obs": sum(term["size"] for term in purpose["obs_layout"]),
        "iteration": done.iterations,
        "seconds": done.seconds,
        "cpu_seconds": done.cpu_seconds,
        "share": done.share,
        "began": done.began,
        "restarts": done.restarts,
        "actor": actor_config(cfg),
        "training": cfg.as_data(),
        "state": runner.alg.save(),
    }


def restore(runner: OnPolicyRunner, content: dict[str, Any], purpose: dict[str, Any], cfg: TrainCfg) -> Done:
    """Put a training where a checkpoint was written; how far it was.

    Raises:
        SchemaError: the checkpoint is of another task, robot or configuration.
    """
    for name in ("task_name", "task_hash", "robot_name", "robot_hash"):
        if content[name] != purpose[name]:
            raise SchemaError(
                f"The checkpoint has {name} {content[name]!r}, this training {purpose[name]!r}: it cannot go on from "
                "there. Train in another folder."
            )
    changed = differences(content["training"], cfg.as_data())
    if changed:
        raise SchemaError(
            f"The checkpoint was trained with other settings: {'; '.join(changed)}. Give the same ones, or train "
            "in another folder."
        )
    runner.alg.load(content["state"], None, True)
    return Done(
        content["iteration"],
        content["seconds"],
        content["cpu_seconds"],
        content["share"],
        content["began"],
        content["restarts"],
    )


def differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Where two plain configurations differ, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*before, *(key for key in now if key not in before)]
        return [
            text for key in keys for text in differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if before == now else [f"{name} {before!r}, now {now!r}"]
