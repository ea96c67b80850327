"""Environments whose episodes begin or end wrongly: each breaks one clause of end, outcome, object, rows.

In:  the fake environment.   Out: ``FAULTY``, and ``towards_goal``, a policy that succeeds.
Not here: single arrays and seeds (faulty_envs_arrays), the tests (test_contracts_vec_env).
"""

from __future__ import annotations

import numpy as np
from faults_for_tests import Faults
from faulty_envs_arrays import Changed

from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.testing import PointMassEnv

FAULTY = faulty = Faults("VecEnv")


def towards_goal(obs):
    """A policy that succeeds: half of the way to the goal in each step."""
    return np.clip(-0.5 * obs["actor"][:, :3] / 0.02, -1.0, 1.0)


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
        wxyz_xyz = result["extras"]["wxyz_xyz_world_object"]
        result["extras"]["wxyz_xyz_world_object"] = wxyz_xyz[:, [1, 2, 3, 0, 4, 5, 6]]


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
