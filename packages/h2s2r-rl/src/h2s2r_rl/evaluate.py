"""How often a policy succeeds: fresh episodes, judged by the one definition of success.

In:  a policy, an environment.   Out: ``Evaluation``: success with its interval, failures by kind.
Not here: what success is (schemas), how the environment ends episodes (h2s2r_sim.env).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.interval import wilson
from h2s2r_schemas.artifacts import PolicySpec, TaskSpec, object_error
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.env.make import make_env
from h2s2r_sim.mdp.actions import ActionCfg
from h2s2r_sim.mdp.goal import GoalCfg
from h2s2r_sim.mdp.observations import TERMS, terms_of

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

    @property
    def success(self) -> float:
        """Share of the episodes that succeeded."""
        return self.successes / self.episodes

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of ``success``."""
        return wilson(self.successes, self.episodes)


def evaluate(
    policy: Acts,
    task: TaskSpec | str | Path,
    robot: Embodiment | str | Path = "iiwa14_allegro",
    cfg: EnvCfg | None = None,
    episodes: int = 256,
    seed: int = 1_000_000,
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Judge a policy on episodes it was not trained on.

    Args:
        policy: to be judged.
        task: as ``make_env`` takes it.
        robot: as ``make_env`` takes it.
        cfg: as in training; what helps only learners is switched off here.
        episodes: how many; at least 256 for a figure that is to be quoted.
        seed: of the episodes; one that was used neither in training nor to choose anything.
        progress: told how many are done.

    Raises:
        SchemaError: no episode asked for, or from making the environment.
    """
    if episodes < 1:
        raise SchemaError(f"{episodes} episodes were asked for; at least 1 can be judged.")
    env = make_env(task, robot, min(episodes, 128), for_evaluation(cfg or EnvCfg()))
    return judge(policy, env, episodes, seed, progress=progress)


def env_cfg_of(spec: PolicySpec) -> EnvCfg:
    """An environment in which a policy sees, acts and is asked for what it was trained with; the rest is as by default.

    Raises:
        SchemaError: this h2s2r-sim does not know its observations, actions or goal.
    """
    unknown = [term.name for term in spec.obs_layout if term.name not in TERMS]
    try:
        action = ActionCfg(**spec.action_map)
    except TypeError as error:
        raise SchemaError(f"Policy {spec.name!r} has actions this h2s2r-sim cannot read: {error}.") from error
    if unknown:
        raise SchemaError(
            f"Policy {spec.name!r} sees {', '.join(unknown)}, which h2s2r-sim does not know; it knows {', '.join(TERMS)}."
        )
    return EnvCfg(
        control_hz=spec.control_hz,
        action=action,
        observation=terms_of(spec.obs_layout),
        goal=GoalCfg.from_data(spec.goal_clock),
    )


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
    failures: dict[str, int] = {}
    successes = 0
    obs = env.reset(seed)
    policy.reset()
    while due.any():
        obs, _, *endings, extras = env.step(policy.act(obs["actor"]))
        terminated, truncated = (np.asarray(each) for each in endings)
        if look is not None:
            look(terminated, truncated, extras)
        ended = np.flatnonzero(terminated | truncated)
        policy.reset(ended)
        for env_id in ended[due[ended] > 0]:
            due[env_id] -= 1
            if extras["success"][env_id]:
                successes += 1
                at_last.append(np.asarray(extras["wxyz_xyz_world_object"][env_id]))
            else:
                kind = env.failure_kinds[extras["failure"][env_id]]
                failures[kind] = failures.get(kind, 0) + 1
        progress(episodes - int(due.sum()))
    ordered = dict(sorted(failures.items(), key=lambda item: -item[1]))
    return Evaluation(episodes, successes, ordered, seed, *_median_error(at_last, env.task))


def _median_error(wxyz_xyz_world_object: list[np.ndarray], task: TaskSpec) -> tuple[float, float]:
    if not wxyz_xyz_world_object:
        return float("nan"), float("nan")
    goal = SE3(np.broadcast_to(task.reference.wxyz_xyz_world_object[-1], (len(wxyz_xyz_world_object), 7)))
    position, rotation = object_error(SE3(np.stack(wxyz_xyz_world_object)), goal, task.object.symmetry)
    return float(np.median(position)), float(np.median(rotation))
