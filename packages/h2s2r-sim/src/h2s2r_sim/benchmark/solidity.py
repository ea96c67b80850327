"""How deep things get into each other, and whether anything that is no number ever gets out.

In:  how many steps, a seed.   Out: figures per task and of all.
Not here: speed.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from h2s2r_sim.benchmark.drive import Pusher, wild_actions
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.task import task_names

_NUM_ENVS = 128
#: Policy steps over which penetration is looked at, of how many of them.
_PUSHED, _LOOKED = 60, 5


def measure(steps: int, seed: int) -> dict[str, float]:
    """Figures of solidity: ``steps`` random ones over all tasks, and penetrations while objects are pushed about."""
    figures: dict[str, float] = {}
    names = task_names()
    per_task = math.ceil(steps / (len(names) * _NUM_ENVS))
    escapes = exploded = 0
    depths = []
    for name in names:
        env = _made(name)
        depth = penetrations(env, seed)
        escaped = wild_steps(env, per_task, seed)
        depths.append(depth)
        escapes += escaped
        exploded += env.recorder.count
        figures[f"penetration_p99_mm_{name}"] = float(np.percentile(depth, 99.0)) * 1e3
        figures[f"nan_escapes_{name}"] = escaped
    return {
        "penetration_p99_mm": float(np.percentile(np.concatenate(depths), 99.0)) * 1e3,
        "penetration_p50_mm": float(np.median(np.concatenate(depths))) * 1e3,
        "nan_escapes": escapes,
        "nan_steps": per_task * len(names) * _NUM_ENVS,
        "explosions_caught": exploded,
        **figures,
    }


def _made(name: str) -> Environment:
    cfg = EnvCfg(num_threads=1)
    return make_env(name, num_envs=_NUM_ENVS, cfg=replace(cfg, start=replace(cfg.start, pool=_NUM_ENVS)))


def penetrations(env: Environment, seed: int) -> np.ndarray:
    """Deepest contact [m] of each world at many instants, while robots push their objects about."""
    env.reset(seed)
    drive = Pusher(env, np.random.default_rng([seed, 1]))
    depths = []
    for step in range(_PUSHED):
        env.step(drive.act())
        if step % _LOOKED == 0:
            depths.append(env.engine.penetration())
    return np.concatenate(depths)


def wild_steps(env: Environment, steps: int, seed: int) -> int:
    """Step with random actions; how many environments' steps gave anything that is not finite."""
    env.reset(seed)
    rng = np.random.default_rng([seed, 2])
    action = np.zeros((env.num_envs, env.num_actions))
    escapes = 0
    for _ in range(steps):
        action = wild_actions(rng, action.shape, action)
        obs, reward, _, _, extras = env.step(action)
        finite = np.isfinite(reward)
        for values in (*obs.values(), *extras["final_obs"].values()):
            finite &= np.isfinite(values).all(-1)
        escapes += int((~finite).sum())
    return escapes
