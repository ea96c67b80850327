"""How much time of the simulated cell passes in a second of one CPU core.

In:  a seed.   Out: figures of ``snackbox_push``.
Not here: what the robots do meanwhile (drive).

Times are process CPU time of one thread. Neighbours on a shared machine still take caches and clock, half as much again at
times: so the best of many short rounds counts, and sizes, which are compared with each other, take turns of equal length
and are compared by their medians.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from h2s2r_sim.benchmark.drive import Pusher
from h2s2r_sim.benchmark.solidity import contact_depths
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engines.mujoco import MujocoEngine
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env

TASK = "snackbox_push"
#: Environments: the headline, and those that cost per environment is compared over.
HEADLINE, SIZES = 128, (64, 128, 512, 2048)
#: Policy steps before any is timed: hands have reached their objects, and first episodes have ended.
_WARM_UP = 24
#: Rounds, and steps of one environment in each turn of any size.
_ROUNDS, _STEPS = 16, 2048


@dataclass
class Timed:
    """What rounds of one environment took."""

    env: Environment
    drive: Pusher
    whole: list[float] = field(default_factory=list)
    """[s] CPU time of each round, per environment and policy step."""
    engine: list[float] = field(default_factory=list)
    """[s] of the bare engine alone in each round, likewise."""


class _BareEngine:
    """Steps MuJoCo a second time from the same states, alone, and keeps that time apart: the bare engine.

    Args:
        engine: whose every call of MuJoCo is repeated.
    """

    def __init__(self, engine: MujocoEngine) -> None:
        self.seconds = self.extra = 0.0
        self._step, self._state = engine.batch.step, engine.batch.state
        engine.batch.step = self.step  # type: ignore[method-assign] - only while this is measured

    def step(self, nstep: int) -> None:
        began = time.process_time()
        before = self._state.copy()
        between = time.process_time()
        self._step(nstep=nstep)
        ended = time.process_time()
        after = self._state.copy()
        self._state[:] = before
        again = time.process_time()
        self._step(nstep=nstep)
        self.seconds += time.process_time() - again
        assert np.array_equal(self._state, after), "The same step twice gave two results."
        self.extra += time.process_time() - began - (ended - between)


def measure(seed: int) -> dict[str, float]:
    """Figures of speed."""
    timed = {size: _begun(size, seed) for size in SIZES}
    for _ in range(_ROUNDS):
        for each in timed.values():
            _round(each)
    cost = {size: float(np.median(each.whole)) for size, each in timed.items()}
    headline = timed[HEADLINE]
    passed = headline.env.control_dt
    return {
        "sim_seconds_per_cpu_s": passed / min(headline.whole),
        "sim_seconds_per_cpu_s_median": passed / cost[HEADLINE],
        "engine_fraction": sum(headline.engine) / sum(headline.whole),
        "engine_sim_seconds_per_cpu_s": passed / min(headline.engine),
        "cost_flatness": max(cost.values()) / min(cost.values()) - 1.0,
        **{f"cost_us_{size}_median": value * 1e6 for size, value in cost.items()},
        **{f"cost_us_{size}": min(each.whole) * 1e6 for size, each in timed.items()},
        **_settings(headline.env),
    }


def _begun(size: int, seed: int) -> Timed:
    """An environment warmed up."""
    cfg = EnvCfg(num_threads=1)
    env = make_env(TASK, num_envs=size, cfg=replace(cfg, start=replace(cfg.start, pool=500)))
    env.reset(seed)
    timed = Timed(env, Pusher(env, np.random.default_rng([seed, size])))
    for _ in range(_WARM_UP):
        env.step(timed.drive.act())
    return timed


def _round(timed: Timed) -> None:
    env, engine = timed.env, timed.env.engine
    assert isinstance(engine, MujocoEngine)
    bare, step = _BareEngine(engine), engine.batch.step
    whole, steps = 0.0, _STEPS // env.num_envs
    for _ in range(steps):
        action = timed.drive.act()
        began = time.process_time()
        env.step(action)
        whole += time.process_time() - began
    del engine.batch.step  # back to the class's own
    assert step is not engine.batch.step
    count = steps * env.num_envs
    timed.whole.append((whole - bare.extra) / count)
    timed.engine.append(bare.seconds / count)


def _settings(env: Environment) -> dict[str, float]:
    """What it was measured at, so that a figure cannot be had by simulating less."""
    engine = env.engine
    assert isinstance(engine, MujocoEngine)
    model = engine.scene.model
    return {
        "sim_dt": model.opt.timestep,
        "control_hz": env.cfg.control_hz,
        "solver_iterations": model.opt.iterations,
        "ls_iterations": model.opt.ls_iterations,
        "contacts_per_world": float(np.mean([len(depths) for depths in contact_depths(engine)])),
    }
