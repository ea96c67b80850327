"""An environment that needs no physics: boxes that are pushed through the air along a short path.

In:  a number of environments.   Out: ``PointMassEnv``.
Not here: a robot that does the pushing (sim). To test against an environment that misbehaves, override a small method.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

import numpy as np

from h2s2r_schemas.artifacts import SUCCESS, ObjectTrajectory, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.fakes.robot import fake_robot_spec

_DT = 1.0 / 15.0
_FRAMES = 16
#: Orientation of the boxes: turned about x.
_WXYZ = (0.8, 0.6, 0.0, 0.0)
#: [m] an action of 1 moves a box by this much in a step.
_REACH = 0.02
#: [m] largest offset from the reference at the start.
_START = 0.05
#: [m] error below which the goal moves on.
_WAITS = 0.06
#: [m] standard deviation of what the actor sees.
_NOISE = 0.001

StepResult = Tuple[Dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, Mapping[str, Any]]


def fake_task() -> TaskSpec:
    """The box of the examples, moved by 20 cm within a second, 60 cm in front of the robot."""
    task = examples()["TaskSpec"]
    assert isinstance(task, TaskSpec)
    p_world_object = np.linspace([0.6, -0.1, 0.2], [0.6, 0.1, 0.2], _FRAMES)
    reference = ObjectTrajectory(
        object_name=task.object.name,
        time=np.arange(_FRAMES) * _DT,
        wxyz_xyz_world_object=SE3.from_parts(np.array(_WXYZ), p_world_object).wxyz_xyz,
        confidence=np.ones(_FRAMES),
        lost=np.zeros(_FRAMES, dtype=bool),
    )
    return task.replace(name="fake", reference=reference)


class PointMassEnv:
    """Satisfies ``VecEnv``: each action moves its box; the goal waits for it; success and failure as everywhere.

    The actor sees, with noise, where the box is from its goal (3) and in the world (3); the critic sees it without.

    Args:
        num_envs: N.
    """

    num_actions = 3
    failure_kinds = ("missed", "stuck")

    def __init__(self, num_envs: int = 8) -> None:
        self.num_envs, self.robot, self.task = num_envs, fake_robot_spec(), fake_task()
        self.p_world_path = self.task.reference.wxyz_xyz_world_object[:, 4:]
        self.rng = np.random.default_rng(0)
        self.p_world_box = np.zeros((num_envs, 3))
        self.goal_index = np.zeros(num_envs, dtype=np.int64)
        self.steps = np.zeros(num_envs, dtype=np.int64)
        self.steps_at_end = np.zeros(num_envs, dtype=np.int64)

    def reset(self, seed: int | None = None) -> dict[str, np.ndarray]:
        self.seed(seed)
        everyone = np.arange(self.num_envs)
        self.begin(everyone)
        return self.observe(everyone)

    def step(self, action: np.ndarray) -> StepResult:
        everyone = np.arange(self.num_envs)
        self.p_world_box = self.p_world_box + _REACH * np.clip(action, -1.0, 1.0)
        error = np.linalg.norm(self.p_world_box - self.p_world_path[self.goal_index], axis=1)
        self.advance(error)
        failure, success = self.outcome(error)
        terminated, truncated = failure >= 0, success.copy()
        extras: dict[str, Any] = {"failure": failure, "success": success, "final_obs": self.observe(everyone)}
        extras["wxyz_xyz_world_object"] = self.wxyz_xyz_world_object()
        env_ids = np.flatnonzero(terminated | truncated)
        self.begin(env_ids)
        obs = self.observe_after(env_ids, extras["final_obs"])
        return obs, np.exp(-10.0 * error), terminated, truncated, extras

    def seed(self, seed: int | None) -> None:
        """Start drawing from a seed, or go on."""
        if seed is not None:
            self.rng = np.random.default_rng(seed)

    def begin(self, env_ids: np.ndarray) -> None:
        """Start episodes ``env_ids`` (K) anew."""
        offset = self.rng.uniform(-_START, _START, size=(len(env_ids), 3)) / np.sqrt(3.0)
        self.p_world_box[env_ids] = self.p_world_path[0] + offset
        self.goal_index[env_ids] = self.steps[env_ids] = self.steps_at_end[env_ids] = 0

    def advance(self, error: np.ndarray) -> None:
        """Let time pass: each goal moves on where its box is near."""
        last = len(self.p_world_path) - 1
        self.steps += 1
        self.steps_at_end += self.goal_index == last
        self.goal_index = np.minimum(self.goal_index + (error < _WAITS), last)

    def outcome(self, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Failure kinds (N), -1 for none, and successes (N), for the errors (N) [m] of this step."""
        last = len(self.p_world_path) - 1
        duration = last * _DT
        missed = (error > SUCCESS.anchor) | ((self.steps_at_end > 0) & (error > SUCCESS.position))
        stuck = (self.goal_index < last) & (self.steps * _DT > SUCCESS.time_limit_factor * duration)
        success = (self.steps_at_end * _DT >= SUCCESS.settle_time) & ~missed
        return np.where(missed, 0, np.where(stuck, 1, -1)), success

    def wxyz_xyz_world_object(self) -> np.ndarray:
        """(N, 7) where the boxes are."""
        return SE3.from_parts(np.array(_WXYZ), self.p_world_box).wxyz_xyz

    def observe(self, env_ids: np.ndarray) -> dict[str, np.ndarray]:
        """What is seen of the environments ``env_ids`` (K)."""
        p_world_box = self.p_world_box[env_ids]
        true = np.concatenate((p_world_box - self.p_world_path[self.goal_index[env_ids]], p_world_box), 1)
        return {"actor": true + self.rng.normal(scale=_NOISE, size=true.shape), "critic": true}

    def observe_after(self, env_ids: np.ndarray, before: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """``before`` (N, …), with the first observations of the new episodes ``env_ids`` (K) in their rows."""
        obs = {name: values.copy() for name, values in before.items()}
        for name, values in self.observe(env_ids).items():
            obs[name][env_ids] = values
        return obs
