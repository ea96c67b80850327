"""``check_vec_env`` passes correct environments, and catches each way of being wrong by the name of its clause.

In:  the fake environment, and small changes of it.   Out: nothing, or the ``ContractError`` of the right clause.
Not here: real implementations (sim), which run the same check in their own tests.
"""

from __future__ import annotations

import numpy as np
import pytest
from faults_for_tests import assert_caught, clauses_of
from faulty_envs_arrays import FAULTY as FAULTY_ARRAYS
from faulty_envs_episodes import FAULTY as FAULTY_EPISODES
from faulty_envs_episodes import towards_goal

from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.testing import PointMassEnv, check_vec_env, clause_names

STEPS = 120


# ── correct environments ────────────────────────────────────────────────────────────────────────────────────────────


class Single(PointMassEnv):
    """Answers in float32."""

    def step(self, action):
        obs, reward, *flags = super().step(action)
        return ({name: values.astype(np.float32) for name, values in obs.items()}, reward.astype(np.float32), *flags)

    def reset(self, seed=None):
        return {name: values.astype(np.float32) for name, values in super().reset(seed).items()}

    def observe(self, env_ids):
        return {name: values.astype(np.float32) for name, values in super().observe(env_ids).items()}


class WithoutNoise(PointMassEnv):
    """Nothing is drawn: every episode starts in the same place."""

    def begin(self, env_ids):
        super().begin(env_ids)
        self.p_world_box[env_ids] = self.p_world_path[0]

    def observe(self, env_ids):
        obs = super().observe(env_ids)
        return {"actor": obs["critic"].copy(), "critic": obs["critic"]}


class FinalObsWhereNeeded(PointMassEnv):
    """Has final_obs only in steps in which something ended, and more in extras than anybody asked for."""

    def step(self, action):
        obs, reward, terminated, truncated, extras = super().step(action)
        extras["log"] = {"error": -np.log(reward), "note": "free"}
        if not (terminated | truncated).any():
            del extras["final_obs"]
        return obs, reward, terminated, truncated, extras


@pytest.mark.parametrize("kind", [PointMassEnv, Single, WithoutNoise, FinalObsWhereNeeded])
@pytest.mark.parametrize("act", [None, towards_goal])
def test_a_correct_environment_passes(kind, act):
    check_vec_env(kind, act, STEPS)


@pytest.mark.parametrize("num_envs", [2, 33])
def test_a_correct_environment_of_another_size_passes(num_envs):
    check_vec_env(lambda: PointMassEnv(num_envs), steps=40)


def test_a_correct_environment_on_tensors_passes():
    torch = pytest.importorskip("torch")

    def tensors(value):
        if isinstance(value, dict):
            return {name: tensors(each) for name, each in value.items()}
        return torch.from_numpy(value) if isinstance(value, np.ndarray) else value

    class OnTensors(PointMassEnv):
        def reset(self, seed=None):
            return tensors(super().reset(seed))

        def step(self, action):
            return tuple(tensors(each) for each in super().step(action.numpy()))

    check_vec_env(OnTensors, steps=STEPS)


def test_an_environment_in_which_nothing_ends_cannot_be_judged():
    with pytest.raises(ContractError, match=r"VecEnv.end.*no episode ended within 3 steps.*more steps"):
        check_vec_env(PointMassEnv, steps=3)


def test_what_a_policy_succeeds_at_is_seen():
    """The policy of these tests succeeds and is truncated; random actions fail in both ways."""
    env, rng = PointMassEnv(), np.random.default_rng(0)
    for act, wanted in ((towards_goal, {-1}), (lambda obs: rng.uniform(-1.0, 1.0, (8, 3)), {-1, 0, 1})):
        obs, kinds, successes = env.reset(0), set(), 0
        for _ in range(STEPS):
            obs, _, _, _, extras = env.step(act(obs))
            kinds |= set(extras["failure"].tolist())
            successes += int(extras["success"].sum())
        assert kinds == wanted
        assert (successes > 0) == (act is towards_goal)


@pytest.mark.parametrize(("kind", "clause", "words", "options"), [*FAULTY_ARRAYS, *FAULTY_EPISODES])
def test_a_faulty_environment_is_caught_by_the_right_clause(kind, clause, words, options):
    assert_caught(lambda: check_vec_env(kind, steps=STEPS, **options), clause, words)


def test_every_clause_has_an_environment_that_breaks_it():
    assert sorted(clauses_of([*FAULTY_ARRAYS, *FAULTY_EPISODES])) == sorted(clause_names(VecEnv))
