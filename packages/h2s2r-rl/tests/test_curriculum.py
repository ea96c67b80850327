"""Perturbations that widen with success."""

import contextlib
import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")

from h2s2r_rl.config import PRESETS, TrainCfg  # noqa: E402
from h2s2r_rl.train import TrainingError, learn, load_checkpoint, train  # noqa: E402
from h2s2r_rl.train.curriculum import at_share, env_cfg_at, next_share, stalled  # noqa: E402
from h2s2r_rl.train.resume import seed_torch  # noqa: E402
from h2s2r_schemas.errors import SchemaError  # noqa: E402
from h2s2r_schemas.testing import PointMassEnv  # noqa: E402
from h2s2r_sim.config import EnvCfg  # noqa: E402
from h2s2r_sim.env.start.pool import StartCfg  # noqa: E402
from h2s2r_sim.perturbation import CAUSES  # noqa: E402

CFG = TrainCfg(
    steps=4 * 8 * 8, num_envs=4, steps_per_iteration=8, mini_batches=2, epochs=1, hidden=(8,), checkpoint_interval=2,
    first_share=0.25,
)  # fmt: skip


def test_a_share_of_every_perturbation_but_of_what_the_camera_is():
    whole = EnvCfg()
    half = at_share(whole, 0.5)
    for cause in CAUSES:
        expected = 1.0 if cause in ("camera_hz", "camera_delay") else 0.5
        assert getattr(half.perturbation, cause) == pytest.approx(expected * getattr(whole.perturbation, cause))
    assert replace(half, perturbation=whole.perturbation) == whole
    assert at_share(whole, 1.0) is whole


def test_episodes_end_early_at_first_and_as_the_environment_says_at_last():
    cfg = replace(CFG, first_limit=0.04)
    limits = [env_cfg_at(cfg, share).termination.anchor_error for share in (0.25, 0.625, 1.0)]
    assert limits == pytest.approx([0.04, 0.07, 0.10])
    assert env_cfg_at(cfg, 1.0) is cfg.env
    assert env_cfg_at(CFG, 0.25) == at_share(CFG.env, 0.25)
    with pytest.raises(SchemaError, match="first_limit"):
        replace(CFG, first_limit=0.2)


def test_half_of_the_episodes_begin_on_the_way_until_anything_widens():
    cfg = replace(CFG, first_slid=0.5)
    assert [env_cfg_at(cfg, share).start.slid for share in (0.25, 0.5, 1.0)] == [0.5, 0.0, 0.0]
    with pytest.raises(SchemaError, match=r"first_slid 0\.5 have no effect"):
        replace(cfg, first_share=1.0)


def test_friction_and_mass_are_drawn_wider_than_judged():
    wide = [env_cfg_at(replace(CFG, physics_factor=1.5), share).perturbation for share in (0.25, 1.0)]
    assert [each.friction for each in wide] == pytest.approx([0.1125, 0.45])
    assert [each.mass for each in wide] == pytest.approx([0.1125, 0.45])
    assert wide[1].replace(friction=0.3, mass=0.3) == CFG.env.perturbation
    assert env_cfg_at(replace(CFG, physics_factor=9.0), 1.0).perturbation.mass == 0.9
    with pytest.raises(SchemaError, match="physics_factor is 0"):
        replace(CFG, physics_factor=0.0)


def test_friction_is_stiff_in_every_second_stretch_with_all_of_the_noise():
    cfg = replace(CFG, stiff_turns=True)
    assert [env_cfg_at(cfg, 1.0, stretch).scene.cone for stretch in range(4)] == ["elliptic", "pyramidal"] * 2
    assert env_cfg_at(cfg, 1.0, 2).scene.impratio == 3.0
    assert {env_cfg_at(cfg, 0.75, stretch).scene.cone for stretch in range(4)} == {"pyramidal"}
    assert {env_cfg_at(CFG, 1.0, stretch).scene.cone for stretch in range(4)} == {"pyramidal"}


@pytest.mark.parametrize(
    ("share", "success", "done", "then"),
    [
        (0.25, 0.39, 0.1, 0.25),
        (0.25, 0.41, 0.1, 0.5),
        (0.9, 1.0, 0.1, 1.0),
        (0.25, math.nan, 0.1, 0.25),
        (0.25, 0.0, 0.61, 1.0),
    ],
)
def test_widens_with_success_and_in_time(share, success, done, then):
    assert next_share(CFG, share, success, done) == pytest.approx(then)


def test_a_training_meets_more_and_more(tmp_path):
    met = []

    def env_at(share, stretch):
        met.append((stretch, share))
        return PointMassEnv(4)

    learn(PointMassEnv(4), replace(CFG, widen_above=0.0, steps=4 * 8 * 10), tmp_path, env_at=env_at)
    assert met == [(0, 0.25), (1, 0.5), (2, 0.75), (3, 1.0), (4, 1.0)]
    assert load_checkpoint(tmp_path / "policy.pt")["share"] == 1.0


STALLS = replace(CFG, widen_above=1.1, restart_at=0.5, restarts=1)


class Stopped(Exception):
    """A training was stopped."""


def weights(folder):
    return load_checkpoint(folder / "policy.pt")["state"]["actor_state_dict"]


def test_what_never_succeeds_begins_anew_with_other_weights_and_resumes_the_same(tmp_path):
    told = []
    learn(PointMassEnv(4), STALLS, tmp_path / "whole", told.append, env_at=lambda share, stretch: PointMassEnv(4))
    # Eight iterations, of which four were in vain.
    assert [each.iteration for each in told] == list(range(1, 13))
    assert [each.iterations for each in told] == [8] * 4 + [12] * 8
    content = load_checkpoint(tmp_path / "whole" / "policy.pt")
    assert (content["restarts"], content["began"], content["share"]) == (1, 4, 1.0)

    def stop(progress):
        if progress.iteration == 7:
            raise Stopped

    for watch, resume in ((stop, False), (lambda progress: None, True)):
        with contextlib.suppress(Stopped):
            learn(PointMassEnv(4), STALLS, tmp_path / "parts", watch, resume, lambda share, stretch: PointMassEnv(4))
    again = weights(tmp_path / "parts")
    assert all(again[name].equal(values) for name, values in weights(tmp_path / "whole").items())


def test_what_is_thrown_away_is_thrown_away(tmp_path):
    # At a rate at which nothing is learned, weights are those that a training began with.
    still = replace(STALLS, learning_rate=1e-12, steps=4 * 8 * 4)
    for name, restarts in (("anew", 1), ("on", 0)):
        cfg = replace(still, restarts=restarts)
        learn(PointMassEnv(4), cfg, tmp_path / name, env_at=lambda share, stretch: PointMassEnv(4))
    anew, on = weights(tmp_path / "anew"), weights(tmp_path / "on")
    (first,) = (name for name in on if name.endswith(".0.weight"))
    assert (anew[first] - on[first]).abs().max() > 0.01


def test_no_stretch_explores_as_another_one_did():
    drawn = []
    for numbers in ((7, 2, 0), (7, 2, 1), (8, 2, 0), (7, 1, 0), (7, 1, 1)):
        seed_torch(*numbers)
        drawn.append(torch.rand(1).item())
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize(
    ("share", "done", "then"), [(0.25, 0.5, True), (0.25, 0.49, False), (0.5, 0.9, False), (0.25, 1.0, False)]
)
def test_a_training_is_given_up_where_nothing_widened(share, done, then):
    assert stalled(replace(CFG, restart_at=0.5), share, done) == then
    assert not stalled(CFG, share, done)
    assert not stalled(replace(CFG, restart_at=0.5, first_share=1.0), 1.0, done)


def test_nothing_widens_without_an_environment_to_widen():
    learn(PointMassEnv(4), CFG)


@pytest.mark.parametrize(("falls_from", "share"), [(0.5, 0.55), (0.25, 0.4)])
def test_the_learning_rate_falls_from_there_on(tmp_path, falls_from, share):
    # Of four iterations, the last one begins with three quarters behind.
    learn(PointMassEnv(4), replace(CFG, steps=4 * 8 * 4, rate_falls_from=falls_from), tmp_path)
    (group, *_) = load_checkpoint(tmp_path / "policy.pt")["state"]["optimizer_state_dict"]["param_groups"]
    assert group["lr"] == pytest.approx(share * CFG.learning_rate)


def test_the_hand_explores_by_itself():
    env = EnvCfg(start=StartCfg(pool=4), num_threads=1)
    # A learning rate at which nothing is learned in an iteration.
    cfg = replace(CFG, steps=32, env=env, init_std=0.2, init_std_hand=0.5, learning_rate=1e-12)
    told = []
    train("snackbox_push", cfg=cfg, watch=told.append)
    # Six actions move the arm, five the hand.
    assert told[-1].action_std == pytest.approx((6 * 0.2 + 5 * 0.5) / 11, rel=1e-5)


def test_impossible_settings_are_refused():
    with pytest.raises(SchemaError, match="init_std_hand"):
        TrainCfg(init_std_hand=0.0)
    with pytest.raises(SchemaError, match="first_share"):
        TrainCfg(first_share=0.0)
    with pytest.raises(SchemaError, match="restart_at is 0"):
        TrainCfg(restart_at=0.0)
    with pytest.raises(SchemaError, match="restarts -1"):
        TrainCfg(restarts=-1)
    with pytest.raises(SchemaError, match="rate_falls_from is 1"):
        TrainCfg(rate_falls_from=1.0)
    with pytest.raises(SchemaError, match="first_slid is 2"):
        TrainCfg(first_slid=2)
    with pytest.raises(SchemaError, match="no effect"):
        TrainCfg(first_limit=0.03)


def test_every_preset_can_be_made():
    assert {name: make().steps for name, make in PRESETS.items()} == {
        "fast": 640_000, "full": 1_600_000,
    }  # fmt: skip


class Hungry(PointMassEnv):
    """Runs out of memory in its second iteration."""

    def step(self, action):
        self.taken = getattr(self, "taken", 0) + 1
        if self.taken > 12:
            raise MemoryError
        return super().step(action)


def test_out_of_memory_ends_clearly_with_the_last_checkpoint_whole(tmp_path):
    with pytest.raises(TrainingError, match="fewer"):
        learn(Hungry(4), replace(CFG, checkpoint_interval=1), tmp_path)
    assert load_checkpoint(tmp_path / "policy.pt")["iteration"] == 1
