"""Environments that return wrong arrays: each breaks one clause of attributes, obs, step, arrays, seed.

In:  the fake environment.   Out: ``FAULTY``, and ``Changed`` to make more.
Not here: how episodes begin and end (faulty_envs_episodes), the tests (test_contracts_vec_env).
"""

from __future__ import annotations

import numpy as np
from faults_for_tests import Faults

from h2s2r_schemas.testing import PointMassEnv

FAULTY = faulty = Faults("VecEnv")


class Changed(PointMassEnv):
    """Changes what ``step`` returns in ``result``."""

    def step(self, action):
        obs, reward, terminated, truncated, extras = super().step(action)
        result = {"obs": obs, "reward": reward, "terminated": terminated, "truncated": truncated, "extras": extras}
        self.change(result)
        return tuple(result.values())

    def change(self, result):
        raise NotImplementedError


@faulty("attributes", "num_envs 1")
class OneRow(PointMassEnv):
    def __init__(self):
        super().__init__(1)


@faulty("attributes", "failure_kinds ('fell', 'missed')")
class UnknownFailureKinds(PointMassEnv):
    failure_kinds = ("fell", "missed")


@faulty("attributes", "robot a str")
class RobotByName(PointMassEnv):
    def __init__(self):
        super().__init__()
        self.robot = "fake"


@faulty("attributes", "an attribute has changed")
class FailureKindsGrow(PointMassEnv):
    failure_kinds = ("missed", "stuck", "dropped")

    def reset(self, seed=None):
        self.failure_kinds = ("missed", "stuck")
        return super().reset(seed)


@faulty("obs", "['actor']")
class NothingForTheCritic(PointMassEnv):
    def observe(self, env_ids):
        return {"actor": super().observe(env_ids)["actor"]}


@faulty("obs", "obs['actor']", "NaN")
class NanInObs(PointMassEnv):
    def observe_after(self, env_ids, before):
        obs = super().observe_after(env_ids, before)
        obs["actor"][self.steps == 7] = np.nan
        return obs


@faulty("obs", "(8, 5)", "(8, 6)")
class ObsOfAnotherSize(PointMassEnv):
    def observe_after(self, env_ids, before):
        return {name: values[:, :5] for name, values in super().observe_after(env_ids, before).items()}


@faulty("obs", "int64")
class WholeNumberObs(PointMassEnv):
    def observe(self, env_ids):
        return {name: (1000 * values).astype(np.int64) for name, values in super().observe(env_ids).items()}


@faulty("step", "a tuple of 4")
class GymStepOfOld(PointMassEnv):
    def step(self, action):
        obs, reward, terminated, truncated, extras = super().step(action)
        return obs, reward, terminated | truncated, extras


@faulty("step", "reward", "NaN")
class NanReward(Changed):
    def change(self, result):
        result["reward"] = np.where(result["terminated"], np.nan, result["reward"])


@faulty("step", "reward", "(8, 1)")
class RewardAsColumn(Changed):
    def change(self, result):
        result["reward"] = result["reward"][:, None]


@faulty("step", "terminated is int64")
class FlagsAsNumbers(Changed):
    def change(self, result):
        result["terminated"] = result["terminated"].astype(np.int64)


@faulty("step", "terminated and truncated")
class TerminatedAndTruncated(Changed):
    def change(self, result):
        result["truncated"] = result["truncated"] | result["terminated"]


@faulty("arrays", "changed action")
class ClipsActionInPlace(PointMassEnv):
    def step(self, action):
        action *= 0.5
        return super().step(action)


@faulty("arrays", "returned earlier, was changed by step")
class OneObsBuffer(PointMassEnv):
    buffer = None

    def observe_after(self, env_ids, before):
        if self.buffer is None:
            self.buffer = super().observe_after(env_ids, before)
        for name, values in super().observe_after(env_ids, before).items():
            self.buffer[name][:] = values
        return self.buffer


@faulty("arrays", "returned earlier, was changed by step")
class OneRewardBuffer(Changed):
    def __init__(self):
        super().__init__()
        self.buffer = np.zeros(8)

    def change(self, result):
        self.buffer[:] = result["reward"]
        result["reward"] = self.buffer


@faulty("arrays", "while the caller overwrites")
class ReturnsItsOwnState(Changed):
    def change(self, result):
        self.kept = result["extras"]["wxyz_xyz_world_object"].copy()
        result["extras"]["wxyz_xyz_world_object"] = self.kept
        ended = result["terminated"] | result["truncated"]
        self.kept[ended, 4:] = self.p_world_box[ended]

    def advance(self, error):
        if self.steps.max() > 0 and hasattr(self, "kept"):
            self.p_world_box += 1e-3 * np.nan_to_num(self.kept[:, 4:], nan=9.0)
        super().advance(error)


@faulty("arrays", "while the caller overwrites")
class KeepsTheCallersAction(PointMassEnv):
    last_action = None

    def begin(self, env_ids):
        super().begin(env_ids)
        if len(env_ids) == self.num_envs:
            self.last_action = None

    def step(self, action):
        smooth = action if self.last_action is None else 0.5 * (action + np.nan_to_num(self.last_action))
        self.last_action = action
        return super().step(smooth)


@faulty("seed", "obs['actor'] of reset()", "in the same environment")
class SeedIgnored(PointMassEnv):
    def seed(self, seed):
        pass


@faulty("seed", "another seed gives the same first observations")
class SameEpisodesForEverySeed(PointMassEnv):
    def seed(self, seed):
        super().seed(None if seed is None else 0)


@faulty("seed", "reset() gives the same each time")
class ResetSeedsAgain(PointMassEnv):
    def seed(self, seed):
        super().seed(seed or 0)


@faulty("seed", "of reset()", "in the same environment")
class ResetDoesNotReset(PointMassEnv):
    begun = False

    def begin(self, env_ids):
        if len(env_ids) < self.num_envs or not self.begun:
            super().begin(env_ids)
        self.begun = True


@faulty("seed", "in the same environment", "in step")
class ResetKeepsTheClock(PointMassEnv):
    """Only clocks go on: the time limit comes sooner."""

    def begin(self, env_ids):
        steps = self.steps[env_ids]
        super().begin(env_ids)
        self.steps[env_ids] = steps if len(env_ids) == self.num_envs else 0


@faulty("seed", "in a new environment")
class DrawsFromElsewhere(PointMassEnv):
    made = 0

    def __init__(self):
        super().__init__()
        DrawsFromElsewhere.made += 1
        self.gain = 1.0 + 0.01 * self.made

    def step(self, action):
        return super().step(self.gain * action)


@faulty("seed", "in step 0")
class NotDeterministic(PointMassEnv):
    def __init__(self):
        super().__init__()
        self.elsewhere = np.random.default_rng(0)

    def step(self, action):
        return super().step(action + self.elsewhere.normal(scale=1e-6, size=action.shape))
