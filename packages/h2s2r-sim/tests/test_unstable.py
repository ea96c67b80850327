"""Worlds that explode end their episode, are counted, and explode again from their dump; no number ever stops being finite.

In:  pushes no world stands; states that are no numbers.   Out: endings, counts, dumps.
Not here: a million random steps (benchmark), other endings (test_endings).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.artifacts import FAILURE_KINDS
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engines import make_engine
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.env.unstable import MAX_DUMPS, load_dump, replay_dump
from h2s2r_sim.perturbation import STANDARD
from h2s2r_sim.scene import SceneOptions, build_model
from h2s2r_sim.task import load_task

#: A push of 10 km/s² on every object in every step: 670 m/s after one step, which no real thing has.
VIOLENT = STANDARD.replace(push_probability=1.0, push_acceleration=1e4)


def env_of(folder: Path | None = None, count: int = 4, violent: bool = True) -> Environment:
    noise = VIOLENT if violent else STANDARD
    cfg = EnvCfg(perturbation=noise, start=StartCfg(pool=10), dump_folder=folder)
    return make_env("snackbox_push", num_envs=count, cfg=cfg)


def test_an_exploded_world_ends_its_episode_and_all_numbers_stay_finite() -> None:
    env = env_of()
    env.reset(0)
    exploded = 0
    for _ in range(5):
        obs, reward, terminated, _, extras = env.step(np.zeros((4, env.num_actions)))
        assert terminated.all()
        # One that is pushed down through the table is not fast any more when it is looked at.
        kinds = [FAILURE_KINDS[index] for index in extras["failure"]]
        assert set(kinds) <= {"unstable", "out_of_workspace"}
        exploded += kinds.count("unstable")
        everything = (*obs.values(), *extras["final_obs"].values(), reward, extras["wxyz_xyz_world_object"])
        assert all(np.isfinite(values).all() for values in everything)
        assert env.recorder.count == exploded
    assert exploded > 10


@pytest.mark.parametrize("where", ["_qpos", "_qvel"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_a_state_that_is_no_number_is_caught_in_its_world_alone(where: str, value: float) -> None:
    env, calm = env_of(violent=False), env_of(violent=False)
    for each in (env, calm):
        each.reset(0)
    getattr(env.engine, where)[2, 3] = value
    obs, reward, terminated, _, extras = env.step(np.zeros((4, env.num_actions)))
    expected, *_ = calm.step(np.zeros((4, env.num_actions)))
    assert terminated.tolist() == [False, False, True, False]
    assert FAILURE_KINDS[extras["failure"][2]] == "unstable"
    assert np.isfinite(obs["critic"]).all() and np.isfinite(reward).all()
    others = [0, 1, 3]
    assert np.array_equal(obs["critic"][others], expected["critic"][others])
    for _ in range(5):
        obs, *_ = env.step(np.zeros((4, env.num_actions)))
        assert np.isfinite(obs["critic"]).all()
    assert env.recorder.count == 1


def test_a_dump_explodes_again_and_no_more_are_written_than_allowed(tmp_path: Path) -> None:
    env = env_of(tmp_path / "dumps")
    env.reset(0)
    for _ in range(2 * MAX_DUMPS // 4):
        env.step(np.zeros((4, env.num_actions)))
    files = sorted((tmp_path / "dumps").iterdir())
    assert len(files) == MAX_DUMPS < env.recorder.count
    one = make_engine("mujoco", env.scene, 1, env.cfg.decimation, 1)
    for file in files[:5]:
        assert replay_dump(load_dump(file), one).unstable.all()
    # Without the push that was dumped with it, that world is calm: it is the moment that is kept, not a verdict.
    dump = load_dump(files[0])
    dump.wrench_world_object[:] = 0.0
    assert not replay_dump(dump, one).unstable.any()


def test_what_is_no_dump_or_of_another_scene_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no dump", encoding="utf-8")
    with pytest.raises(SchemaError, match="is no dump of an unstable world"):
        load_dump(tmp_path / "text")
    env = env_of(tmp_path)
    env.reset(0)
    env.step(np.zeros((4, env.num_actions)))
    dump = load_dump(next(tmp_path.glob("unstable-*.npz")))
    other = build_model(load_task("snackbox_push"), load_embodiment("iiwa14_umi"), SceneOptions(visuals=False))
    for scene, count in ((other, 1), (env.scene, 2)):
        with pytest.raises(SchemaError, match="one world, made for the same task and robot"):
            replay_dump(dump, make_engine("mujoco", scene, count, 8, 1))


def test_nothing_explodes_in_an_ordinary_rollout() -> None:
    env, rng = env_of(count=16, violent=False), np.random.default_rng(0)
    env.reset(0)
    for _ in range(60):
        env.step(rng.uniform(-1.0, 1.0, (16, env.num_actions)))
    assert env.recorder.count == 0
