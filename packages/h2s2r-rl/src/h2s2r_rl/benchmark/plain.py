"""``h2s2r bench plain``: our learner beside rsl_rl's own runner, in the same environment and with the same numbers.

In:  seeds.   Out: one flat mapping of figures.
Not here: what is learned in the end (committed).

What ours adds to rsl_rl is checkpoints, after each of which all episodes begin anew, a learning rate that falls, and somebody who
watches. ``ours_cpu_s`` and ``plain_cpu_s`` [s of CPU time, medians over seeds] are how long each takes until nine of ten episodes
of its last iterations succeed, while it explores; ``ours_over_plain`` is the median of their ratios, each of one seed.
``…_never`` count the seeds with which it did not come to that.
"""

from __future__ import annotations

import contextlib
import io
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from rsl_rl.runners import OnPolicyRunner

from h2s2r_rl.config import TrainCfg, fast
from h2s2r_rl.train import learn
from h2s2r_rl.train.actor import torch_threads
from h2s2r_rl.train.algorithm import rsl_rl_config
from h2s2r_rl.train.curriculum import env_cfg_at
from h2s2r_rl.train.progress import Progress
from h2s2r_rl.train.rsl_rl_env import RslRlVecEnv, Tally
from h2s2r_schemas.contracts import VecEnv
from h2s2r_sim.env.make import make_env

_SEEDS = (931, 932, 933)
_TASK = "snackbox_push"
#: Success, and over how many iterations.
_BAR, _RECENT = 0.9, 5


class Reached(Exception):
    """Enough episodes succeeded."""


def run(slow: bool = False, seeds: tuple[int, ...] = ()) -> dict[str, float]:
    """All figures.

    Args:
        slow: nothing changes.
        seeds: of the trainings.
    """
    cfg = fast()
    # As a training begins, and without what only ours can do: perturbations that widen, and a hand that explores by itself.
    env_cfg = replace(env_cfg_at(cfg, cfg.first_share), num_threads=1)
    env_cfg = replace(env_cfg, start=replace(env_cfg.start, slid=0.0))
    cfg = replace(
        cfg, env=env_cfg, init_std_hand=None, first_share=1.0, first_limit=None, first_slid=0.0, restart_at=1.0
    )
    return compare(
        [replace(cfg, seed=seed) for seed in seeds or _SEEDS],
        lambda: make_env(_TASK, num_envs=cfg.num_envs, cfg=env_cfg),
    )


def compare(cfgs: list[TrainCfg], make: Callable[[], VecEnv]) -> dict[str, float]:
    """Both learners with each configuration, in an environment of its own."""
    seconds = np.array([[ours(make(), cfg), plain(make(), cfg)] for cfg in cfgs])
    never = np.isnan(seconds).sum(0)
    found: dict[str, float] = {"seeds": len(cfgs), "ours_never": int(never[0]), "plain_never": int(never[1])}
    both = seconds[~np.isnan(seconds).any(-1)]
    if len(both):
        found["ours_cpu_s"], found["plain_cpu_s"] = (float(value) for value in np.median(both, 0))
        found["ours_over_plain"] = float(np.median(both[:, 0] / both[:, 1]))
    return found


def ours(env: VecEnv, cfg: TrainCfg) -> float:
    """[s] of CPU time until enough episodes succeed; NaN if they never do."""
    recent: deque[float] = deque(maxlen=_RECENT)
    began = time.process_time()

    def watch(progress: Progress) -> None:
        recent.append(progress.success)
        if _enough(recent):
            raise Reached

    try:
        learn(env, cfg, watch=watch)
    except Reached:
        return time.process_time() - began
    return float("nan")


def plain(env: VecEnv, cfg: TrainCfg) -> float:
    """The same of rsl_rl's runner, given the environment and nothing else of ours."""
    adapter = RslRlVecEnv(env, cfg.reward_scale, cfg.seed)
    torch.manual_seed(cfg.seed)
    recent: deque[float] = deque(maxlen=_RECENT)
    began = time.process_time()
    with torch_threads(cfg.torch_threads), contextlib.redirect_stdout(io.StringIO()):
        runner = OnPolicyRunner(adapter, rsl_rl_config(cfg), log_dir=None, device="cpu")
        for _ in range(-(-cfg.steps // (cfg.num_envs * cfg.steps_per_iteration))):
            adapter.tally = Tally()
            runner.learn(1)
            tally = adapter.tally
            recent.append(tally.successes / tally.episodes if tally.episodes else float("nan"))
            if _enough(recent):
                return time.process_time() - began
    return float("nan")


def _enough(recent: deque[float]) -> bool:
    known = [share for share in recent if not math.isnan(share)]
    return len(recent) == _RECENT and bool(known) and float(np.mean(known)) >= _BAR
