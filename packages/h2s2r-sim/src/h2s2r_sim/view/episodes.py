"""What was seen of an episode: where robot, object and goal were.

In:  an environment that somebody steps, or a task.   Out: ``EpisodeStates``.
Not here: drawing them (stage, film, browser), judging a policy (h2s2r-rl).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.start.premanip import robot_pose
from h2s2r_sim.mdp.goal import sample

#: Which action to take: observations of N environments to actions (N, A).
Act = Callable[[Mapping[str, np.ndarray]], np.ndarray]
#: [Hz] of the states of a reference that nobody follows.
_RATE_HZ = 30.0


@dataclass(frozen=True, eq=False)
class EpisodeStates:
    """T states of one robot at one task, evenly spaced in time."""

    joint_pos: np.ndarray
    """(T, J) [rad; m] in the order of ``RobotSpec``."""
    wxyz_xyz_world_object: np.ndarray
    """(T, 7) where the object was."""
    wxyz_xyz_world_goal: np.ndarray
    """(T, 7) where it should have been."""
    dt: float
    """[s] between states."""
    title: str = ""
    """For people: what this is, and how it ended."""
    success: bool | None = None
    """How it ended; none if nobody judged."""

    def __post_init__(self) -> None:
        shapes = [each.shape for each in (self.joint_pos, self.wxyz_xyz_world_object, self.wxyz_xyz_world_goal)]
        lengths = {shape[0] for shape in shapes if len(shape) == 2}
        fits = len(lengths) == 1 and 0 not in lengths and shapes[1][1:] == shapes[2][1:] == (7,) and len(shapes[0]) == 2
        if not fits or not self.dt > 0.0:
            raise SchemaError(
                f"Joint positions {shapes[0]}, object {shapes[1]} and goal {shapes[2]} with dt {self.dt} are no episode: "
                "(T, J), (T, 7), (T, 7) and a positive time [s] are, with T at least 1."
            )

    def __len__(self) -> int:
        """T."""
        return len(self.joint_pos)

    @property
    def duration(self) -> float:
        """[s] from the first state to the last."""
        return self.dt * (len(self) - 1)

    def at(self, time: np.ndarray) -> EpisodeStates:
        """The states at evenly spaced times (S) [s], interpolated; before and after the episode it stands still."""
        place = np.clip(np.asarray(time, dtype=np.float64) / self.dt, 0.0, len(self) - 1.0)
        before = np.minimum(place.astype(int), max(len(self) - 2, 0))
        after = np.minimum(before + 1, len(self) - 1)
        share = place - before
        poses = [
            SE3(each[before]).interpolate(SE3(each[after]), share).wxyz_xyz
            for each in (self.wxyz_xyz_world_object, self.wxyz_xyz_world_goal)
        ]
        joint_pos = self.joint_pos[before] + share[:, None] * (self.joint_pos[after] - self.joint_pos[before])
        spacing = float(time[1] - time[0]) if len(time) > 1 else self.dt
        return EpisodeStates(joint_pos, *poses, dt=spacing, title=self.title, success=self.success)


class EpisodeRecorder:
    """Keeps the first whole episode of some environments, while somebody else steps them.

    Made right after ``env.reset()``, told of every step by ``add``.

    Args:
        env: the environment.
        env_ids: which of its robots; their order is that of the episodes.
    """

    def __init__(self, env: Environment, env_ids: Sequence[int]) -> None:
        self._env = env
        self._env_ids = [int(each) for each in env_ids]
        self._rows: list[list[np.ndarray]] = [[] for _ in self._env_ids]
        self._episodes: list[EpisodeStates | None] = [None] * len(self._env_ids)
        self._look()

    @property
    def complete(self) -> bool:
        """Whether every episode has ended."""
        return all(episode is not None for episode in self._episodes)

    @property
    def episodes(self) -> tuple[EpisodeStates, ...]:
        """Those that have ended."""
        return tuple(episode for episode in self._episodes if episode is not None)

    def add(self, terminated: np.ndarray, truncated: np.ndarray, extras: Mapping[str, Any]) -> None:
        """Take in what ``env.step`` just returned."""
        for place, env_id in enumerate(self._env_ids):
            if self._episodes[place] is None and (terminated[env_id] or truncated[env_id]):
                self._episodes[place] = self._ended(place, extras)
        self._look()

    def _look(self) -> None:
        now = self._env.now
        for place, env_id in enumerate(self._env_ids):
            if self._episodes[place] is None:
                poses = now.state.wxyz_xyz_world_object[env_id], now.wxyz_xyz_world_goal[env_id]
                self._rows[place].append(np.concatenate([now.state.joint_pos[env_id], *poses]))

    def _ended(self, place: int, extras: Mapping[str, Any]) -> EpisodeStates:
        rows = np.stack(self._rows[place])
        env_id, joints = self._env_ids[place], len(self._env.robot.joint_names)
        kind = int(extras["failure"][env_id])
        success = bool(extras["success"][env_id])
        outcome = "success" if success else "time is up" if kind < 0 else self._env.failure_kinds[kind]
        off = 1000 * float(extras["position_error"][env_id]), np.rad2deg(float(extras["rotation_error"][env_id]))
        title = f"{self._env.task.name}, episode {env_id}: {outcome}, {off[0]:.0f} mm and {off[1]:.0f}° off at its end"
        return EpisodeStates(
            joint_pos=rows[:, :joints],
            wxyz_xyz_world_object=rows[:, joints : joints + 7],
            wxyz_xyz_world_goal=rows[:, joints + 7 :],
            dt=self._env.control_dt,
            title=title,
            success=success,
        )


def record_episodes(env: Environment, act: Act, num_episodes: int, seed: int) -> tuple[EpisodeStates, ...]:
    """One episode of each of the first ``num_episodes`` environments.

    Args:
        env: the environment; it is reset.
        act: which action to take.
        num_episodes: how many, at most ``env.num_envs``.
        seed: of the environment.

    Raises:
        SchemaError: more episodes than environments.
    """
    if not 0 < num_episodes <= env.num_envs:
        raise SchemaError(
            f"{num_episodes} episodes of {env.num_envs} environments: 1 to {env.num_envs} can be recorded."
        )
    obs = env.reset(seed)
    recorder = EpisodeRecorder(env, range(num_episodes))
    while not recorder.complete:
        obs, _, terminated, truncated, extras = env.step(act(obs))
        recorder.add(terminated, truncated, extras)
    return recorder.episodes


def task_episode(task: TaskSpec, embodiment: Embodiment) -> EpisodeStates:
    """What a task asks for: the goal moves along the reference while robot and object stand as they would begin.

    Raises:
        SchemaError: the robot cannot reach the start.
    """
    time = np.linspace(0.0, task.reference.duration, max(2, round(_RATE_HZ * task.reference.duration) + 1))
    goal = sample(task.reference, time)
    return EpisodeStates(
        joint_pos=np.repeat(robot_pose(task, embodiment).joint_pos[None], len(time), 0),
        wxyz_xyz_world_object=np.repeat(goal[:1], len(time), 0),
        wxyz_xyz_world_goal=goal,
        dt=float(time[1]),
        title=f"{task.name} with {embodiment.name}: what is asked for",
    )
