"""Behaviour cloning: what is shown, and that it is learned."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from h2s2r_retarget.embodiment import load_embodiment  # noqa: E402
from h2s2r_rl.baselines import replay_env, replay_policy  # noqa: E402
from h2s2r_rl.baselines.cloning import (  # noqa: E402
    CloneCfg,
    CloningError,
    Demonstrations,
    clone,
    demonstrate,
    imitate,
    judge_where_shown,
)
from h2s2r_schemas.errors import SchemaError  # noqa: E402
from h2s2r_sim.config import EnvCfg  # noqa: E402
from h2s2r_sim.env.start.pool import StartCfg  # noqa: E402
from h2s2r_sim.perturbation import NONE  # noqa: E402
from h2s2r_sim.task import load_task  # noqa: E402

PUSH = load_task("snackbox_push")
ALLEGRO = load_embodiment("iiwa14_allegro")
QUIET = EnvCfg(start=StartCfg(pool=32), perturbation=NONE.replace(start_position=0.002), num_threads=1)
FEW = CloneCfg(demonstrations=2, attempts=2, hidden=8, epochs=2)


class Still:
    def reset(self, env_ids=None):
        pass

    def act(self, obs):
        return np.zeros((len(obs), 11))


@pytest.mark.requirement("H38")
def test_successes_are_shown_and_imitated():
    policy = replay_policy("replay", PUSH, ALLEGRO, QUIET)
    env = replay_env("replay", QUIET)
    shown = demonstrate(policy, PUSH, ALLEGRO, env, seed=3, clone_cfg=FEW)
    assert len(shown.obs) == 2
    assert all(len(obs) == len(action) for obs, action in zip(shown.obs, shown.action, strict=True))
    cloned = clone(policy, PUSH, ALLEGRO, env, seed=3, clone_cfg=FEW)
    assert (cloned.demonstrations, len(cloned.loss)) == (2, 2)
    assert cloned.steps == sum(len(obs) for obs in shown.obs)
    # Both demonstrations were their environments' first episodes.
    assert (cloned.shown.episodes, len(set(shown.wxyz_xyz_world_object))) == (2, 2)
    assert cloned.policy.act(shown.obs[0][:1]).shape == (1, len(ALLEGRO.spec().joint_names))


@pytest.mark.requirement("H38")
def test_who_showed_it_succeeds_in_the_very_same_episodes():
    policy, env = replay_policy("replay", PUSH, ALLEGRO, QUIET), replay_env("replay", QUIET)
    some = CloneCfg(demonstrations=2, attempts=3, hidden=8, epochs=2)
    shown = demonstrate(policy, PUSH, ALLEGRO, env, seed=3, clone_cfg=some)
    again = judge_where_shown(policy, shown, PUSH, ALLEGRO, env, seed=3, clone_cfg=some)
    assert (again.episodes, again.successes) == (2, 2)
    assert judge_where_shown(Still(), shown, PUSH, ALLEGRO, QUIET, seed=3, clone_cfg=some).successes == 0


def test_nothing_is_learned_from_failures():
    with pytest.raises(CloningError, match="0 times in 2 episodes"):
        demonstrate(Still(), PUSH, ALLEGRO, QUIET, seed=3, clone_cfg=FEW)


def shown_echo():
    """Actions are the observation of the step before: nothing but memory can know it."""
    rng = np.random.default_rng(0)
    obs = [rng.choice([-0.8, 0.8], size=(6 + index % 3, 1)).astype(np.float32) for index in range(24)]
    return Demonstrations(obs, [np.concatenate([np.zeros((1, 1), np.float32), each[:-1]]) for each in obs])


def test_memory_is_learned_and_forgotten():
    shown = shown_echo()
    policy, losses = imitate(shown, 0, CloneCfg(hidden=8, epochs=150, learning_rate=5e-2))
    assert losses[-1] < 0.05 < losses[0]
    assert abs(float(policy.act(np.array([[0.8]]))[0, 0])) < 0.4
    after = policy.act(np.array([[-0.8]]))
    assert after[0, 0] > 0.5
    policy.reset(np.array([0]))
    assert abs(float(policy.act(np.array([[-0.8]]))[0, 0])) < 0.4


def test_the_same_seed_learns_the_same():
    cfg = CloneCfg(hidden=4, epochs=2)
    assert imitate(shown_echo(), 1, cfg)[1] == imitate(shown_echo(), 1, cfg)[1]
    assert imitate(shown_echo(), 1, cfg)[1] != imitate(shown_echo(), 2, cfg)[1]


def test_impossible_settings_are_refused():
    with pytest.raises(SchemaError, match="at least 1"):
        CloneCfg(epochs=0)
