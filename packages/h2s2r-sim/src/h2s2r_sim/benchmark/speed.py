"""How much time of the simulated cell passes in a second of one CPU core.

In:  a seed.   Out: figures of ``snackbox_push``.
Not here: what the robots do meanwhile (drive).

Times are process CPU time of one thread. Neighbours on a shared machine still take caches and clock, half as much again at
times, for a moment or for minutes. So exactly the same episodes are played several times over, and for the headline the
quickest time of each step counts: what the work takes when nobody disturbs it. Nothing is left out by that, for every step
is part of the sum. Sizes are compared side by side: while the most environments play their steps once, fewer play theirs
again and again in between, so that what neighbours take they take from all; the quietest such turn counts.

What happens in an episode decides what MuJoCo takes for it: of six draws of 64 environments the dearest took a quarter more
than the cheapest. So each time that few are compared with many they play other episodes, as many as the many do in all, and
the headline is the mean of several draws.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
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
HEADLINE, SIZES = 128, (64, 512, 2048)
#: Policy steps before any is timed, and those that are: hands reach their objects, and most episodes end.
_WARM_UP, _STEPS = 8, 64
#: Draws of episodes of the headline; how often each is played with the bare engine beside it, and how often without.
_DRAWS, _WITH_ENGINE, _WITHOUT = 4, 3, 15
#: Turns in which sizes are compared.
_TURNS = 2


Times = dict[int, list[np.ndarray]]
"""[s] per draw, and each time it was played, the CPU time of each step."""


@dataclass
class Timed:
    """What the same episodes took, each time they were played. A draw of them is the ``seed`` and a number."""

    env: Environment
    seed: int
    whole: Times = field(default_factory=dict)
    """Of the environment."""
    engine: Times = field(default_factory=dict)
    """Of the bare engine alone in it, of the first times: those in which it was measured."""
    ends: dict[int, bytes] = field(default_factory=dict)
    """Per draw all worlds after the last step, which are the same each time."""

    def cost(self, times: Times) -> float:
        """[s] per environment and policy step: each at its quickest."""
        return float(np.mean([np.min(each, 0) for each in times.values()]) / self.env.num_envs)


class _BareEngine:
    """Steps MuJoCo a second time from the same states, alone, and keeps that time apart: the bare engine.

    Args:
        engine: whose every call of MuJoCo is repeated.
    """

    def __init__(self, engine: MujocoEngine) -> None:
        self.seconds = self.extra = 0.0
        self._rollout, self._state = engine.batch.rollout, engine.batch.state
        engine.batch.rollout = self.rollout  # type: ignore[method-assign] - only while this is measured

    def rollout(self, nstep: int, control: np.ndarray, record: tuple[str, ...]) -> None:
        began = time.process_time()
        before = self._state.copy()
        between = time.process_time()
        self._rollout(nstep, control, record=record)
        ended = time.process_time()
        after = self._state.copy()
        self._state[:] = before
        again = time.process_time()
        self._rollout(nstep, control, record=record)
        self.seconds += time.process_time() - again
        assert np.array_equal(self._state, after), "The same step twice gave two results."
        self.extra += time.process_time() - began - (ended - between)


def measure(seed: int) -> dict[str, float]:
    """Figures of speed."""
    flat = _compare({size: _made(size, seed) for size in SIZES})
    headline = _made(HEADLINE, seed)
    for repetition, draw in itertools.product(range(_WITH_ENGINE + _WITHOUT), range(_DRAWS)):
        for _ in _play(headline, draw, with_engine=repetition < _WITH_ENGINE):
            pass
    passed, beside = headline.env.control_dt, [each[:_WITH_ENGINE] for each in headline.whole.values()]
    return {
        "sim_seconds_per_cpu_s": passed / headline.cost(headline.whole),
        "sim_seconds_per_cpu_s_mean": passed * HEADLINE / float(np.mean(list(headline.whole.values()))),
        "engine_fraction": float(np.sum(list(headline.engine.values())) / np.sum(beside)),
        "engine_sim_seconds_per_cpu_s": passed / headline.cost(headline.engine),
        "cost_flatness": max(flat.values()) / min(flat.values()) - 1.0,
        **{f"cost_us_{size}": value * 1e6 for size, value in flat.items()},
        **_settings(headline.env),
    }


def _made(size: int, seed: int) -> Timed:
    cfg = EnvCfg(num_threads=1)
    return Timed(make_env(TASK, num_envs=size, cfg=replace(cfg, start=replace(cfg.start, pool=500))), seed)


def _compare(timed: dict[int, Timed]) -> dict[int, float]:
    """[s] per environment and policy step of each size, in the quietest of some turns."""
    most = max(timed)
    turns: list[dict[int, float]] = []
    for _ in range(_TURNS):
        played: dict[int, list[float]] = {size: [] for size in timed}
        draws = dict.fromkeys(timed, 0)
        for step, seconds in enumerate(_play(timed[most], 0, with_engine=False)):
            played[most].append(seconds)
            for size, each in timed.items():
                # As many steps of one environment as of all others, so far.
                while len(played[size]) * size < (step + 1) * most:
                    played[size].extend(_play(each, draws[size], with_engine=False))
                    draws[size] += 1
        turns.append({size: sum(seconds) / (len(seconds) * size) for size, seconds in played.items()})
    return min(turns, key=lambda each: sum(each.values()))


def _play(timed: Timed, draw: int, with_engine: bool) -> Iterator[float]:
    """Play the episodes of a draw once, from their beginning: the CPU time [s] of each step that counts."""
    env, engine, seed = timed.env, timed.env.engine, timed.seed + draw
    assert isinstance(engine, MujocoEngine)
    env.reset(seed)
    drive = Pusher(env, np.random.default_rng([seed, env.num_envs]))
    bare = _BareEngine(engine) if with_engine else None
    whole, alone = np.zeros(_WARM_UP + _STEPS), np.zeros(_WARM_UP + _STEPS)
    for step in range(_WARM_UP + _STEPS):
        action = drive.act()
        began = time.process_time()
        env.step(action)
        whole[step] = time.process_time() - began
        if bare:
            whole[step] -= bare.extra
            alone[step] = bare.seconds
            bare.seconds = bare.extra = 0.0
        if step >= _WARM_UP:
            yield whole[step]
    if bare:
        del engine.batch.rollout  # back to the class's own
        timed.engine.setdefault(draw, []).append(alone[_WARM_UP:])
    timed.whole.setdefault(draw, []).append(whole[_WARM_UP:])
    end = engine.batch.state.tobytes()
    assert timed.ends.setdefault(draw, end) == end, "The same seed gave other episodes."


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
