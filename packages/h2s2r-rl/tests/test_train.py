"""Training for seconds: that it learns is measured by the demo and the benchmarks."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")

from running_goals import RunningGoals  # noqa: E402

from h2s2r_rl.config import TrainCfg  # noqa: E402
from h2s2r_rl.evaluate import judge  # noqa: E402
from h2s2r_rl.train import Actor, TrainingError, learn, load_checkpoint, save_checkpoint, train  # noqa: E402
from h2s2r_rl.train.algorithm import rsl_rl_config  # noqa: E402
from h2s2r_rl.train.purpose import task_of  # noqa: E402
from h2s2r_rl.train.rsl_rl_env import RslRlVecEnv  # noqa: E402
from h2s2r_schemas.errors import SchemaError  # noqa: E402
from h2s2r_schemas.testing import PointMassEnv  # noqa: E402
from h2s2r_sim.config import EnvCfg  # noqa: E402
from h2s2r_sim.env.make import make_env  # noqa: E402
from h2s2r_sim.env.start.pool import StartCfg  # noqa: E402
from h2s2r_sim.mdp.actions import ActionCfg  # noqa: E402
from h2s2r_sim.mdp.goal import GoalCfg  # noqa: E402

ENV = EnvCfg(start=StartCfg(pool=32), num_threads=1)
TINY = TrainCfg(steps=96, num_envs=4, steps_per_iteration=8, mini_batches=2, epochs=1, env=ENV, checkpoint_interval=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    seen = []
    actor = train("snackbox_push", cfg=TINY, folder=folder, watch=seen.append)
    return actor, folder, seen


def test_progress_is_told_after_each_iteration(trained):
    _, _, seen = trained
    assert [progress.iteration for progress in seen] == [1, 2, 3]
    assert {progress.iterations for progress in seen} == {3}
    assert [progress.steps for progress in seen] == [32, 64, 96]
    assert all(0.0 <= progress.reward <= 1.0 and progress.steps_per_s > 0.0 for progress in seen)
    assert seen[0].seconds < seen[-1].seconds


def test_same_seed_same_weights_and_another_seed_others(trained, tmp_path):
    _, folder, _ = trained
    mine = load_checkpoint(folder / "policy.pt")["state"]["actor_state_dict"]
    train("snackbox_push", cfg=TINY, folder=tmp_path / "again")
    train("snackbox_push", cfg=replace(TINY, seed=1), folder=tmp_path / "other")
    again, other = (
        load_checkpoint(tmp_path / name / "policy.pt")["state"]["actor_state_dict"] for name in ("again", "other")
    )
    assert all(torch.equal(mine[name], again[name]) for name in mine)
    assert any(not torch.equal(mine[name], other[name]) for name in mine)


def test_checkpoint_gives_back_the_actor(trained):
    actor, folder, _ = trained
    content = load_checkpoint(folder / "policy.pt")
    assert (content["task_name"], content["robot_name"]) == ("snackbox_push", "iiwa14_allegro")
    assert content["iteration"] == 3
    again = Actor.load(folder / "policy.pt")
    obs = np.random.default_rng(0).normal(size=(5, content["num_obs"]))
    actor.reset()
    action = actor.act(obs)
    assert action.shape == (5, content["num_actions"])
    assert np.abs(action).max() <= 1.0
    np.testing.assert_array_equal(action, again.act(obs))


def test_the_checkpoint_says_what_the_policy_is_for(trained):
    actor, folder, _ = trained
    task = task_of(load_checkpoint(folder / "policy.pt"))
    env = make_env("snackbox_push", num_envs=2, cfg=ENV)
    env.reset(0)
    assert task == env.task
    spec = actor.spec
    assert (spec.robot_hash, spec.joint_names) == (env.robot.hash(), env.robot.joint_names)
    assert (spec.obs_layout, spec.control_hz) == (env.obs_layout, ENV.control_hz)
    assert ActionCfg(**spec.action_map) == ENV.action
    assert GoalCfg.from_data(spec.goal_clock) == ENV.goal


def test_actions_depend_on_observations(trained):
    actor, folder, _ = trained
    size = load_checkpoint(folder / "policy.pt")["num_obs"]
    actor.reset()
    assert not np.array_equal(actor.act(np.zeros((1, size))), actor.act(np.ones((1, size))))


def test_learns():
    """Boxes that go where actions say: from no success at all to nothing else, within seconds."""
    seen = []
    cfg = TrainCfg(steps=64 * 32 * 20, num_envs=64, mini_batches=4, hidden=(32,))
    actor = learn(RunningGoals(num_envs=64), cfg, watch=seen.append)
    assert np.mean([progress.success for progress in seen[:5]]) < 0.1
    assert judge(actor, RunningGoals(num_envs=32), episodes=64, seed=1234).success > 0.9


class TestCheckpointFile:
    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="train first"):
            load_checkpoint(tmp_path / "none.pt")

    def test_damaged(self, tmp_path):
        path = tmp_path / "policy.pt"
        save_checkpoint(path, {"value": torch.ones(1000)})
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], b"", b"nothing of the kind"):
            path.write_bytes(damaged)
            with pytest.raises(SchemaError, match="damaged"):
                load_checkpoint(path)

    def test_something_else(self, tmp_path):
        torch.save({"weights": torch.ones(1)}, tmp_path / "other.pt")
        with pytest.raises(SchemaError, match="no checkpoint of h2s2r-rl"):
            load_checkpoint(tmp_path / "other.pt")

    def test_another_version(self, tmp_path):
        torch.save({"schema": "h2s2r.Checkpoint", "version": 99}, tmp_path / "new.pt")
        with pytest.raises(SchemaError, match="version 99"):
            load_checkpoint(tmp_path / "new.pt")

    def test_failed_write_leaves_the_old_one(self, tmp_path):
        path = tmp_path / "policy.pt"
        save_checkpoint(path, {"value": 1})
        with pytest.raises(Exception, match=r"[Pp]ickle|local object"):
            save_checkpoint(path, {"value": lambda: None})
        assert load_checkpoint(path)["value"] == 1
        assert [each.name for each in tmp_path.iterdir()] == ["policy.pt"]


class TestRslRlVecEnv:
    def test_hands_on_what_the_environment_says(self):
        env, twin = PointMassEnv(), PointMassEnv()
        adapter = RslRlVecEnv(env, 0.5, seed=3)
        obs = twin.reset(3)
        np.testing.assert_allclose(adapter.get_observations()["actor"].numpy(), obs["actor"], rtol=1e-6)
        rng = np.random.default_rng(0)
        ended = successes = 0
        for _ in range(200):
            action = rng.uniform(-1.0, 1.0, (env.num_envs, env.num_actions)).astype(np.float32)
            mine = adapter.step(torch.from_numpy(action))
            obs, reward, terminated, truncated, extras = twin.step(action)
            np.testing.assert_allclose(mine[0]["critic"].numpy(), obs["critic"], rtol=1e-6)
            np.testing.assert_allclose(mine[1].numpy(), 0.5 * reward, rtol=1e-6)
            np.testing.assert_array_equal(mine[2].numpy(), terminated | truncated)
            np.testing.assert_array_equal(mine[3]["time_outs"].numpy(), truncated)
            ended += int((terminated | truncated).sum())
            successes += int(extras["success"].sum())
        assert ended > 0
        assert (adapter.tally.episodes, adapter.tally.successes) == (ended, successes)
        assert sum(adapter.tally.failures.values()) <= ended
        assert adapter.tally.steps == 200 * env.num_envs


def test_losses_that_are_no_numbers_end_training_with_the_last_checkpoint_whole(tmp_path):
    seen = []
    with pytest.raises(TrainingError, match="learning_rate"):
        train(
            "snackbox_push",
            cfg=replace(TINY, learning_rate=1e30, checkpoint_interval=1),
            folder=tmp_path,
            watch=seen.append,
        )
    if seen:
        assert load_checkpoint(tmp_path / "policy.pt")["iteration"] == seen[-1].iteration


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"gamma": 1.0}, "gamma"),
        ({"mini_batches": 3}, "mini-batches"),
    ],
)
def test_impossible_settings_are_refused(change, says):
    with pytest.raises(SchemaError, match=says):
        replace(TINY, **change)


def test_rsl_rl_gets_our_numbers():
    config = rsl_rl_config(replace(TINY, gamma=0.9, clip=0.11))
    assert (config["algorithm"]["gamma"], config["algorithm"]["clip_param"]) == (0.9, 0.11)
    assert config["obs_groups"] == {"actor": ["actor"], "critic": ["critic"]}
