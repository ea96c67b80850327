"""Trainings that are stopped, killed or run into a full disk, and what they find when they go on."""

import errno
import os
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")

from h2s2r_rl.benchmark.kills import training_kills  # noqa: E402
from h2s2r_rl.config import TrainCfg  # noqa: E402
from h2s2r_rl.train import TrainingError, learn, load_checkpoint, train  # noqa: E402
from h2s2r_schemas.errors import SchemaError  # noqa: E402
from h2s2r_schemas.testing import PointMassEnv  # noqa: E402
from h2s2r_sim.config import EnvCfg  # noqa: E402
from h2s2r_sim.env.start.pool import StartCfg  # noqa: E402

CFG = TrainCfg(
    steps=4 * 8 * 7, num_envs=4, steps_per_iteration=8, mini_batches=2, epochs=2, hidden=(16,), checkpoint_interval=2
)
REAL = replace(CFG, env=EnvCfg(start=StartCfg(pool=32), num_threads=1))


class StopError(Exception):
    """Stops a training from its ``watch``."""


def stopping_at(iteration):
    def watch(progress):
        if progress.iteration == iteration:
            raise StopError

    return watch


def weights(folder):
    state = load_checkpoint(folder / "policy.pt")["state"]
    return [*state["actor_state_dict"].values(), *state["critic_state_dict"].values()]


def same(mine, others):
    return all(torch.equal(a, b) for a, b in zip(mine, others, strict=True))


@pytest.mark.parametrize("memory", [0, 8])
@pytest.mark.parametrize("stopped_at", [1, 2, 3, 6])
def test_a_resumed_training_ends_with_the_same_weights(tmp_path, memory, stopped_at):
    cfg = replace(CFG, memory=memory)
    learn(PointMassEnv(4), cfg, tmp_path / "whole")
    with pytest.raises(StopError):
        learn(PointMassEnv(4), cfg, tmp_path / "stopped", stopping_at(stopped_at))
    seen = []
    learn(PointMassEnv(4), cfg, tmp_path / "stopped", seen.append, resume=True)
    # What was done since the last checkpoint is repeated, and nothing else.
    assert [progress.iteration for progress in seen] == list(range(stopped_at // 2 * 2 + 1, 8))
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


def test_the_same_holds_in_the_real_environment(tmp_path):
    train("snackbox_push", cfg=REAL, folder=tmp_path / "whole")
    with pytest.raises(StopError):
        train("snackbox_push", cfg=REAL, folder=tmp_path / "stopped", watch=stopping_at(5))
    train("snackbox_push", cfg=REAL, folder=tmp_path / "stopped", resume=True)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


def test_time_adds_up(tmp_path):
    with pytest.raises(StopError):
        learn(PointMassEnv(4), CFG, tmp_path, stopping_at(4))
    before = load_checkpoint(tmp_path / "policy.pt")
    learn(PointMassEnv(4), CFG, tmp_path, resume=True)
    after = load_checkpoint(tmp_path / "policy.pt")
    assert after["seconds"] > before["seconds"] > 0.0
    assert after["cpu_seconds"] > before["cpu_seconds"] > 0.0


def test_resuming_what_is_done_or_never_began(tmp_path):
    seen = []
    learn(PointMassEnv(4), CFG, tmp_path, seen.append, resume=True)
    assert len(seen) == 7
    mine = weights(tmp_path)
    learn(PointMassEnv(4), CFG, tmp_path, seen.append, resume=True)
    assert len(seen) == 7
    assert same(mine, weights(tmp_path))


def test_kills(tmp_path):
    """SIGKILL at random moments; 100 of them in the benchmark."""
    counts = training_kills(points=3, seed=3)
    assert counts["training_kills"] >= 3
    assert counts["training_lost_checkpoints"] == 0
    assert counts["training_most_intervals_repeated"] <= 1
    assert counts["training_same_weights"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [({"gamma": 0.9}, "gamma 0.97, now 0.9"), ({"seed": 1}, "seed 0, now 1"), ({"hidden": (8,)}, "hidden")],
)
def test_other_settings_are_refused(tmp_path, change, says):
    learn(PointMassEnv(4), CFG, tmp_path)
    with pytest.raises(SchemaError, match=says):
        learn(PointMassEnv(4), replace(CFG, **change), tmp_path, resume=True)


def test_another_robot_or_task_is_refused(tmp_path):
    learn(PointMassEnv(4), CFG, tmp_path)
    robot, task = PointMassEnv(4), PointMassEnv(4)
    robot.robot = robot.robot.replace(velocity_limit=2.0 * robot.robot.velocity_limit)
    task.task = task.task.replace(name="other")
    for env, says in ((robot, "robot_hash"), (task, "task_name 'fake', this training 'other'")):
        with pytest.raises(SchemaError, match=says):
            learn(env, CFG, tmp_path, resume=True)


def test_threads_and_folders_of_the_environment_are_no_other_settings():
    assert replace(CFG, env=replace(CFG.env, num_threads=7)).as_data() == CFG.as_data()
    assert replace(CFG, env=replace(CFG.env, control_hz=30.0)).as_data() != CFG.as_data()


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    with pytest.raises(StopError):
        learn(PointMassEnv(4), CFG, tmp_path, stopping_at(3))

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(TrainingError, match="No space left on device"):
            learn(PointMassEnv(4), CFG, tmp_path, resume=True)
    assert load_checkpoint(tmp_path / "policy.pt")["iteration"] == 2
    assert [each.name for each in tmp_path.iterdir()] == ["policy.pt"]
    learn(PointMassEnv(4), CFG, tmp_path, resume=True)
    assert load_checkpoint(tmp_path / "policy.pt")["iteration"] == 7


def test_other_numbers_of_environments_are_refused():
    with pytest.raises(SchemaError, match="num_envs 4"):
        learn(PointMassEnv(5), CFG)
