"""``check_vec_env`` passes correct environments, and catches each way of being wrong by the name of its clause.

In:  the fake environment, and small changes of it.   Out: nothing, or the ``ContractError`` of the right clause.
Not here: real implementations (sim), which run the same check in their own tests.
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.testing import PointMassEnv, check_vec_env, clause_names

STEPS = 120


def towards_goal(obs):
    """A policy that succeeds: half of the way to the goal in each step."""
    return np.clip(-0.5 * obs["actor"][:, :3] / 0.02, -1.0, 1.0)


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


# ── faulty environments ─────────────────────────────────────────────────────────────────────────────────────────────

FAULTY = []


def faulty(clause, *words, act=None, deterministic=True):
    """Register an environment that breaks ``clause``; the error must also hold ``words``."""

    def register(kind):
        FAULTY.append(pytest.param(kind, f"VecEnv.{clause}", words, act, deterministic, id=kind.__name__))
        return kind

    return register


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
    buffer = np.zeros(8)

    def change(self, result):
        self.buffer[:] = result["reward"]
        result["reward"] = self.buffer


@faulty("arrays", "while the caller overwrites")
class ReturnsItsOwnState(Changed):
    def change(self, result):
        self.pose = result["extras"]["wxyz_xyz_world_object"].copy()
        result["extras"]["wxyz_xyz_world_object"] = self.pose
        ended = result["terminated"] | result["truncated"]
        self.pose[ended, 4:] = self.p_world_box[ended]

    def advance(self, error):
        if self.steps.max() > 0 and hasattr(self, "pose"):
            self.p_world_box += 1e-3 * np.nan_to_num(self.pose[:, 4:], nan=9.0)
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
    elsewhere = np.random.default_rng(0)

    def step(self, action):
        return super().step(action + self.elsewhere.normal(scale=1e-6, size=action.shape))


@faulty("end", "extras holds")
class NoFinalObs(Changed):
    def change(self, result):
        del result["extras"]["final_obs"]


@faulty("end", "is the same as its final_obs")
class FinalObsIsTheNewObs(Changed):
    def change(self, result):
        result["extras"]["final_obs"] = {name: values.copy() for name, values in result["obs"].items()}


@faulty("end", "is the same as its final_obs", deterministic=False)
class EndedEpisodesGoOn(PointMassEnv):
    """Says that an episode ended, and does not reset it."""

    def begin(self, env_ids):
        if len(env_ids) == self.num_envs:
            super().begin(env_ids)

    def observe_after(self, env_ids, before):
        return {name: values.copy() for name, values in before.items()}


@faulty("end", "is the same as its final_obs")
class ResetShowsOneStepLate(PointMassEnv):
    def observe_after(self, env_ids, before):
        return {name: values.copy() for name, values in before.items()}


@faulty("end", "of the step before")
class FinalObsOfTheStepBefore(PointMassEnv):
    def reset(self, seed=None):
        self.before = super().reset(seed)
        return {name: values.copy() for name, values in self.before.items()}

    def step(self, action):
        obs, reward, terminated, truncated, extras = super().step(action)
        extras["final_obs"] = {name: values.copy() for name, values in self.before.items()}
        self.before = {name: values.copy() for name, values in obs.items()}
        return obs, reward, terminated, truncated, extras


@faulty("end", "final_obs", "shape (1, 6)")
class FinalObsOfEndedRowsOnly(Changed):
    def change(self, result):
        ended = np.flatnonzero(result["terminated"])[:1]
        final_obs = result["extras"]["final_obs"]
        if len(ended):
            result["extras"]["final_obs"] = {name: values[ended] for name, values in final_obs.items()}


@faulty("outcome", "success of environment", "not truncated")
class SuccessWithoutAnEnd(Changed):
    def change(self, result):
        result["extras"]["success"] = result["reward"] > 0.6


@faulty("outcome", "success of environment")
class SuccessOfFailures(Changed):
    def change(self, result):
        result["extras"]["success"] = result["terminated"].copy()


@faulty("outcome", "failure of environment", "is -1")
class FailureWithoutKind(Changed):
    def change(self, result):
        result["extras"]["failure"] = np.full(8, -1)


@faulty("outcome", "is 2 where it is terminated")
class KindsCountedFromOne(Changed):
    def change(self, result):
        failure = result["extras"]["failure"]
        result["extras"]["failure"] = np.where(failure >= 0, failure + 1, -1)


@faulty("outcome", "is 0 where it is not terminated")
class FailureWithoutAnEnd(Changed):
    def change(self, result):
        result["extras"]["failure"] = np.maximum(result["extras"]["failure"], 0)


@faulty("outcome", "'failure' in every step")
class NoFailure(Changed):
    def change(self, result):
        del result["extras"]["failure"]


class PoseInAnotherFrame(Changed):
    """The pose in a frame that stands somewhere in the world."""

    T_world_frame = SE3.identity()

    def change(self, result):
        Ts_world_object = SE3(result["extras"]["wxyz_xyz_world_object"])
        result["extras"]["wxyz_xyz_world_object"] = (self.T_world_frame.inv() @ Ts_world_object).wxyz_xyz


@faulty("object", "nearest point of task.reference", "Express the pose in the world")
class PoseInTheTableFrame(PoseInAnotherFrame):
    T_world_frame = SE3([1.0, 0.0, 0.0, 0.0, 0.6, 0.0, 0.0])


@faulty("object", "nearest point of task.reference")
class PoseInTheCameraFrame(PoseInAnotherFrame):
    T_world_frame = SE3([0.5, -0.5, 0.5, -0.5, 0.1, 0.0, 0.8])


@faulty("object", "nearest point of task.reference")
class PoseInMillimetres(Changed):
    def change(self, result):
        result["extras"]["wxyz_xyz_world_object"][:, 4:] *= 1000.0


@faulty("object", "nearest point of task.reference")
class PoseWithTheOriginsOfAGrid(Changed):
    """As engines give it that put their environments side by side."""

    def change(self, result):
        result["extras"]["wxyz_xyz_world_object"][:, 4] += 2.0 * np.arange(8)


@faulty("object", "rad from the end of task.reference", act=towards_goal)
class QuaternionWithItsRealPartLast(Changed):
    def change(self, result):
        pose = result["extras"]["wxyz_xyz_world_object"]
        result["extras"]["wxyz_xyz_world_object"] = pose[:, [1, 2, 3, 0, 4, 5, 6]]


@faulty("object", "length 2")
class QuaternionNotUnit(Changed):
    def change(self, result):
        result["extras"]["wxyz_xyz_world_object"][:, :4] *= 2.0


@faulty("object", "counts as a success", act=towards_goal)
class PoseAfterTheReset(PointMassEnv):
    def step(self, action):
        result = super().step(action)
        result[4]["wxyz_xyz_world_object"] = self.wxyz_xyz_world_object()
        return result


@faulty("object", "counts as a success", act=towards_goal)
class EasySuccess(PointMassEnv):
    """Ends in success wherever the box is near its goal, also half way."""

    def outcome(self, error):
        failure, _ = super().outcome(error)
        return np.full_like(failure, -1), (error < 0.05) & (self.steps > 5)


@faulty("object", "'wxyz_xyz_world_object' in every step")
class NoPose(Changed):
    def change(self, result):
        del result["extras"]["wxyz_xyz_world_object"]


@faulty("rows", "changed environment 7")
class ActionsFromTheLastRow(PointMassEnv):
    def step(self, action):
        return super().step(action[::-1])


@faulty("rows", "changed environment")
class RowsCollide(PointMassEnv):
    def step(self, action):
        return super().step(action + 1e-3 * action.sum(0))


@faulty("rows", "after episodes ended", "obs['actor']")
class NewEpisodesInWrongRows(PointMassEnv):
    """First observations go into the rows that ended, in reverse order."""

    def observe_after(self, env_ids, before):
        obs = {name: values.copy() for name, values in before.items()}
        for name, values in self.observe(env_ids).items():
            obs[name][env_ids] = values[::-1]
        return obs


@faulty("rows", "after reset()", "obs['actor']")
class ResetInWrongRows(PointMassEnv):
    def reset(self, seed=None):
        return {name: np.roll(values, 1, axis=0) for name, values in super().reset(seed).items()}


@pytest.mark.parametrize(("kind", "clause", "words", "act", "deterministic"), FAULTY)
def test_a_faulty_environment_is_caught_by_the_right_clause(kind, clause, words, act, deterministic):
    with pytest.raises(ContractError) as caught:
        check_vec_env(kind, act, STEPS, deterministic=deterministic)
    message = str(caught.value)
    assert message.startswith(f"Clause {clause} is broken: ")
    assert "Allowed: " in message
    assert "What to do: " in message
    assert [word for word in words if word not in message] == []


def test_every_clause_has_an_environment_that_breaks_it():
    assert sorted({fault.values[1] for fault in FAULTY}) == sorted(clause_names(VecEnv))
