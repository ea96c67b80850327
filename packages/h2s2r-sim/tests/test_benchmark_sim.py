"""The benchmark measures what it says: the same worlds with and without it, every escape counted, nothing simulated less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from h2s2r_sim.benchmark import drive, solidity, speed
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engines.mujoco import MujocoEngine
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env

NUM_ENVS = 4


@pytest.fixture(scope="module")
def env() -> Environment:
    cfg = EnvCfg(num_threads=1)
    return make_env("snackbox_push", num_envs=NUM_ENVS, cfg=replace(cfg, start=replace(cfg.start, pool=16)))


def engine_of(env: Environment) -> MujocoEngine:
    assert isinstance(env.engine, MujocoEngine)
    return env.engine


def test_measuring_changes_nothing_and_plays_the_same_again(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    env.reset(5)
    pusher = drive.Pusher(env, np.random.default_rng([5, NUM_ENVS]))
    for _ in range(6):
        env.step(pusher.act())
    plain = engine_of(env).batch.state.tobytes()
    monkeypatch.setattr(speed, "_WARM_UP", 2)
    monkeypatch.setattr(speed, "_STEPS", 4)
    timed = speed.Timed(env, 5)
    for draw, with_engine in ((0, True), (0, False), (1, True), (0, True)):
        assert len(list(speed._play(timed, draw, with_engine))) == 4
    assert timed.ends[0] == plain != timed.ends[1]
    assert [each.shape for each in timed.whole[0]] == [(4,)] * 3
    beside = (timed.whole[0][0], timed.whole[0][2])
    assert all(
        (alone > 0.0).all() and (alone < whole).all() for alone, whole in zip(timed.engine[0], beside, strict=True)
    )
    assert "rollout" not in vars(engine_of(env).batch)


def test_the_quickest_of_each_step_counts_and_none_is_left_out(env: Environment) -> None:
    one, other = [np.array([1.0, 9.0, 2.0, 2.0]), np.array([5.0, 3.0, 1.0, 4.0])], [np.full(4, 9.0), np.full(4, 8.0)]
    timed = speed.Timed(env, 0, whole={0: one, 1: other})
    assert timed.cost(timed.whole) == (1 + 3 + 1 + 2 + 4 * 8) / (2 * 4 * NUM_ENVS)


def test_sizes_are_compared_side_by_side_over_equally_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, turn, order, draws = 4, 2, [], []

    def play(size: int, draw: int, with_engine: bool) -> Iterator[float]:
        draws.append((size, draw))
        for _ in range(steps):
            order.append(size)
            # A slow first turn, in which a step of one environment takes twice as long.
            yield size * (2.0 if len(order) <= 3 * 8 * steps // turn else 1.0)

    monkeypatch.setattr(speed, "_TURNS", turn)
    monkeypatch.setattr(speed, "_play", play)
    assert speed._compare({1: 1, 2: 2, 8: 8}) == {1: 1.0, 2: 1.0, 8: 1.0}  # type: ignore[dict-item]
    assert [order.count(size) * size for size in (1, 2, 8)] == [turn * steps * 8] * 3
    # Other episodes each time, as the eight have.
    assert [draw for size, draw in draws if size == 1] == turn * list(range(8))
    assert order[:14] == [8, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 8]


def test_what_is_measured_is_what_the_issue_asks_for(env: Environment) -> None:
    env.reset(0)
    for _ in range(5):
        env.step(np.zeros((NUM_ENVS, env.num_actions)))
    settings = speed._settings(env)
    assert settings["sim_dt"] <= 1.0 / 120.0 and settings["control_hz"] == 15.0 and settings["ls_iterations"] >= 50
    assert settings["contacts_per_world"] >= 3.0  # each box stands on its table
    assert env.cfg.perturbation.push_probability > 0.0 and env.cfg.perturbation.friction > 0.0


def test_depths_are_those_of_all_contacts(env: Environment) -> None:
    env.reset(1)
    pusher = drive.Pusher(env, np.random.default_rng(1))
    for _ in range(10):
        env.step(pusher.act())
    depths = solidity.contact_depths(env.engine)
    assert np.allclose([each.max(initial=0.0) for each in depths], env.engine.penetration(), atol=1e-9)
    assert all(len(each) for each in depths)


def test_pushers_go_with_the_goal(env: Environment) -> None:
    env.reset(2)
    pusher = drive.Pusher(env, np.random.default_rng(2))
    ahead = env.path.target.wxyz_xyz_world_object[-1, 4:] - env.path.target.wxyz_xyz_world_object[0, 4:]
    actions = []
    for _ in range(150):
        actions.append(pusher.act())
        env.step(actions[-1])
    mean = np.mean(actions, axis=(0, 1))[:3]
    assert mean @ ahead > 0.0


def test_wild_actions_fill_the_range() -> None:
    rng, last = np.random.default_rng(0), np.zeros((8, 11))
    seen = []
    for _ in range(200):
        last = drive.wild_actions(rng, last.shape, last)
        seen.append(last)
    actions = np.array(seen)
    assert np.abs(actions).max() <= 1.0
    slamming = actions[20:, 4:]
    assert np.isin(slamming, [-1.0, 1.0]).mean() > 0.95 and (slamming > 0).any() and (slamming < 0).any()


def test_every_escape_is_counted(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert solidity.wild_steps(env, 5, seed=0) == 0
    whole = env.step

    def leaking(action: np.ndarray):
        obs, reward, *others = whole(action)
        reward[1] = np.nan
        obs["actor"][2, 0] = np.inf
        return obs, reward, *others

    monkeypatch.setattr(env, "step", leaking)
    assert solidity.wild_steps(env, 5, seed=0) == 10
