"""How often a policy succeeds in an environment, by the one definition of success.

In:  a policy, an environment.   Out: ``Evaluation``: success with its interval, failures by kind, every trial.
Not here: what success is (schemas), how the environment ends episodes (h2s2r_sim.env), making one (fresh).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from h2s2r_rl.evaluate.stages import Stages
from h2s2r_rl.interval import wilson
from h2s2r_schemas.artifacts import TaskSpec, object_error
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.env.environment import Environment

#: Called after each policy step with what ``env.step`` returned.
Look = Callable[[np.ndarray, np.ndarray, Any], None]


class Acts(Protocol):
    """What is evaluated: of the contract ``Policy``, what an evaluation needs."""

    def reset(self, env_ids: np.ndarray | None = None) -> None:
        """Forget episodes ``env_ids``, or all."""
        ...

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Actions (N, A) for observations (N, O)."""
        ...


@dataclass(frozen=True)
class Trial:
    """One episode that was judged."""

    success: bool
    """Whether it succeeded."""
    failure: str
    """How it failed; empty for a success."""
    wxyz_xyz_world_object: tuple[float, ...] | None
    """(7) the object's true pose at the start; none from environments other than h2s2r-sim's."""
    stages: int = 0
    """How many stages of the reference it came through (``stages``)."""


@dataclass(frozen=True)
class Evaluation:
    """What fresh episodes showed."""

    episodes: int
    """How many were judged."""
    successes: int
    """How many succeeded."""
    failures: dict[str, int]
    """How many failed, by kind."""
    seed: int
    """Of the episodes."""
    position_error: float
    """[m] median over the successes of how far from the end of the reference the object was at last; NaN without any."""
    rotation_error: float
    """[rad] likewise."""
    trials: tuple[Trial, ...] = ()
    """Every episode, in the order they ended."""
    stages: dict[str, int] = field(default_factory=dict)
    """How many came through each stage of the reference, in order (``stages``); the last one is success."""

    @property
    def success(self) -> float:
        """Share of the episodes that succeeded."""
        return self.successes / self.episodes

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of ``success``."""
        return wilson(self.successes, self.episodes)


def judge(
    policy: Acts,
    env: VecEnv,
    episodes: int,
    seed: int,
    look: Look | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Judge a policy in an environment made for it (``for_evaluation``).

    Each environment contributes its first episodes, as many as any other (to one): taking the first ones to end instead
    would count short episodes, which are failures, too often.

    Args:
        policy: to be judged.
        env: reset here.
        episodes: how many.
        seed: of the episodes.
        look: sees every step, to record some.
        progress: told how many are done.
    """
    due = np.full(env.num_envs, episodes // env.num_envs) + (np.arange(env.num_envs) < episodes % env.num_envs)
    at_last: list[np.ndarray] = []
    trials: list[Trial] = []
    obs = env.reset(seed)
    start = _object_poses(env)
    watched = Stages(env.task, env.num_envs)
    policy.reset()
    while due.any():
        obs, _, *endings, extras = env.step(policy.act(obs["actor"]))
        terminated, truncated = (np.asarray(each) for each in endings)
        if look is not None:
            look(terminated, truncated, extras)
        ended = np.flatnonzero(terminated | truncated)
        watched.see(extras["wxyz_xyz_world_object"])
        policy.reset(ended)
        for env_id in ended[due[ended] > 0]:
            due[env_id] -= 1
            trials.append(_trial(env, env_id, extras, start, watched))
            if trials[-1].success:
                at_last.append(np.asarray(extras["wxyz_xyz_world_object"][env_id]))
        now = _object_poses(env)
        if start is not None and now is not None:
            start[ended] = now[ended]
        watched.forget(ended)
        progress(episodes - int(due.sum()))
    failures = Counter(trial.failure for trial in trials if not trial.success)
    errors = _median_error(at_last, env.task)
    passed = watched.counts([trial.stages for trial in trials])
    return Evaluation(episodes, len(at_last), dict(failures.most_common()), seed, *errors, tuple(trials), passed)


def _trial(env: VecEnv, env_id: int, extras: Mapping[str, Any], start: np.ndarray | None, watched: Stages) -> Trial:
    """The episode of environment ``env_id`` that just ended; ``start`` (N, 7) is where the objects had been at first."""
    success = bool(extras["success"][env_id])
    return Trial(
        success=success,
        failure="" if success else env.failure_kinds[extras["failure"][env_id]],
        wxyz_xyz_world_object=None if start is None else tuple(start[env_id].tolist()),
        stages=watched.passed(env_id, success),
    )


def _object_poses(env: VecEnv) -> np.ndarray | None:
    """(N, 7) where the objects truly are, if ``env`` tells."""
    return env.now.state.wxyz_xyz_world_object.copy() if isinstance(env, Environment) else None


def _median_error(wxyz_xyz_world_object: list[np.ndarray], task: TaskSpec) -> tuple[float, float]:
    if not wxyz_xyz_world_object:
        return float("nan"), float("nan")
    goal = SE3(np.broadcast_to(task.reference.wxyz_xyz_world_object[-1], (len(wxyz_xyz_world_object), 7)))
    position, rotation = object_error(SE3(np.stack(wxyz_xyz_world_object)), goal, task.object.symmetry)
    return float(np.median(position)), float(np.median(rotation))
