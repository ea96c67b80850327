"""How deep things get into each other, and whether anything that is no number ever gets out.

In:  how many steps, a seed.   Out: figures per task and of all.
Not here: speed.
"""

from __future__ import annotations

import math
from dataclasses import replace

import mujoco
import numpy as np

from h2s2r_sim.benchmark.drive import Pusher, wild_actions
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import Engine
from h2s2r_sim.engines.mujoco import MujocoEngine
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
    depths, deepests = [], []
    for name in names:
        env = _made(name)
        depth, deepest = penetrations(env, seed)
        escaped = wild_steps(env, per_task, seed)
        depths.append(depth)
        deepests.append(deepest)
        escapes += escaped
        exploded += env.recorder.count
        figures[f"penetration_p99_mm_{name}"] = float(np.percentile(depth, 99.0)) * 1e3
        figures[f"nan_escapes_{name}"] = escaped
    return {
        "penetration_p99_mm": float(np.percentile(np.concatenate(depths), 99.0)) * 1e3,
        "penetration_p99_mm_deepest_of_each_world": float(np.percentile(np.concatenate(deepests), 99.0)) * 1e3,
        "nan_escapes": escapes,
        "nan_steps": per_task * len(names) * _NUM_ENVS,
        "explosions_caught": exploded,
        **figures,
    }


def _made(name: str) -> Environment:
    cfg = EnvCfg(num_threads=1)
    return make_env(name, num_envs=_NUM_ENVS, cfg=replace(cfg, start=replace(cfg.start, pool=_NUM_ENVS)))


def penetrations(env: Environment, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All contacts' depths [m] at many instants while robots push their objects about; then the deepest of each world."""
    env.reset(seed)
    drive = Pusher(env, np.random.default_rng([seed, 1]))
    worlds = []
    for step in range(_PUSHED):
        env.step(drive.act())
        if step % _LOOKED == 0:
            worlds += contact_depths(env.engine)
    return np.concatenate(worlds), np.array([depths.max(initial=0.0) for depths in worlds])


def contact_depths(engine: Engine) -> list[np.ndarray]:
    """Depths [m] of the contacts in each world as it is now."""
    assert isinstance(engine, MujocoEngine)
    depths = []
    for index in range(engine.num_envs):
        model, data = engine.batch.get_model(index), engine.batch.get_data(index)
        mujoco.mj_fwdPosition(model, data)
        depths.append(np.maximum(-data.contact.dist, 0.0))
    return depths


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
