"""Actors with memory and without, behind the contract, in seconds."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")

from h2s2r_rl.config import PRESETS, TrainCfg, full  # noqa: E402
from h2s2r_rl.evaluate import judge  # noqa: E402
from h2s2r_rl.train import Actor, learn, load_checkpoint  # noqa: E402
from h2s2r_rl.train.actor import model_of  # noqa: E402
from h2s2r_schemas.errors import ContractError, SchemaError  # noqa: E402
from h2s2r_schemas.testing import PointMassEnv, check_policy  # noqa: E402

TINY = TrainCfg(steps=64, num_envs=4, steps_per_iteration=8, mini_batches=2, epochs=1, hidden=(16,))


class RunningGoals(PointMassEnv):
    """Goals that wait for nobody: standing by is not worth it."""

    def advance(self, error):
        super().advance(np.zeros_like(error))


class Remembered(RunningGoals):
    """Shown is only how an episode begins: what was done since has to be remembered."""

    def observe(self, env_ids):
        obs = super().observe(env_ids)
        shown = (self.steps[env_ids] == 0)[:, None]
        return {"actor": obs["actor"] * shown, "critic": obs["critic"]}


def test_an_actor_with_memory_learns():
    cfg = TrainCfg(
        steps=64 * 16 * 20, num_envs=64, steps_per_iteration=16, mini_batches=4, epochs=4, hidden=(32,), memory=32,
        learning_rate=3e-3,
    )  # fmt: skip
    assert judge(learn(RunningGoals(64), cfg), RunningGoals(32), 64, seed=1234).success > 0.9


@pytest.mark.slow
def test_an_actor_with_memory_learns_what_none_without_can():
    cfg = TrainCfg(
        steps=64 * 32 * 40, num_envs=64, mini_batches=4, epochs=4, hidden=(32,), memory=32, learning_rate=3e-3
    )
    found = [
        judge(learn(Remembered(64), replace(cfg, memory=memory)), Remembered(32), 64, seed=1234).success
        for memory in (32, 0)
    ]
    assert found[0] > 0.8
    assert found[1] < 0.5


@pytest.mark.requirement("H23")
@pytest.mark.parametrize("memory", [0, 16])
def test_it_keeps_the_contract(tmp_path, memory):
    learn(PointMassEnv(4), replace(TINY, memory=memory), tmp_path)
    check_policy(lambda: Actor.load(tmp_path / "policy.pt"))


def test_it_acts_as_the_network_that_was_trained(tmp_path):
    actor = learn(PointMassEnv(4), replace(TINY, memory=16), tmp_path)
    model = model_of(load_checkpoint(tmp_path / "policy.pt"))
    rng = np.random.default_rng(0)
    for _ in range(50):
        obs = rng.normal(size=(3, 6)).astype(np.float32)
        with torch.inference_mode():
            wanted = model({"actor": torch.from_numpy(obs)}).clamp(-1.0, 1.0).numpy()
        np.testing.assert_allclose(actor.act(obs), wanted, atol=1e-6)
        ended = rng.random(3) < 0.1
        actor.reset(np.flatnonzero(ended))
        with torch.inference_mode():
            model.reset(torch.from_numpy(ended))


def test_observations_of_another_size_are_refused(tmp_path):
    actor = learn(PointMassEnv(4), TINY)
    with pytest.raises(ContractError, match=r"\(N, 6\)"):
        actor.act(np.zeros((2, 5)))


def test_presets():
    assert set(PRESETS) == {"fast", "full"}
    assert PRESETS["fast"]().memory > 0
    # One recipe: what is grasped gets more steps, and friction as it is judged.
    own = {name: getattr(full(), name) for name in ("steps", "rate_falls_from", "physics_factor", "stiff_turns")}
    assert full() == replace(PRESETS["fast"](), **own)
    assert full().steps > PRESETS["fast"]().steps


def test_mini_batches_with_memory_divide_environments():
    with pytest.raises(SchemaError, match="whole environments"):
        replace(TINY, memory=16, mini_batches=8)
