"""Behaviour cloning: demonstrations of a good policy, and a recurrent network that imitates them.

In:  a policy, a task, a robot.   Out: ``Cloned``: a policy that was only ever shown what to do.
Not here: how good it is (evaluate).

Demonstrations are successful episodes from a few placements of the object, as somebody who teaches a robot would give them.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.evaluate.judge import Acts, Evaluation, judge
from h2s2r_rl.train.actor import torch_threads
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env


class CloningError(H2S2RError):
    """There is nothing to imitate: the policy that shows it hardly ever succeeds."""


@dataclass(frozen=True)
class CloneCfg:
    """How behaviour is cloned; one set of numbers for all tasks."""

    demonstrations: int = 30
    """Successful episodes that are shown: about what people record (the published comparison has 30)."""
    attempts: int = 512
    """Episodes at most, to get them."""
    hidden: int = 256
    """Units of the LSTM."""
    epochs: int = 200
    """Passes over all demonstrations."""
    learning_rate: float = 1e-3
    """Of Adam."""
    noise: float = 0.02
    """Standard deviation added to normalised observations while learning, so that small errors are seen to be mended."""

    def __post_init__(self) -> None:
        if min(self.demonstrations, self.attempts, self.hidden, self.epochs) < 1 or not self.learning_rate > 0.0:
            raise SchemaError("demonstrations, attempts, hidden and epochs are at least 1, learning_rate above 0.")


@dataclass(frozen=True)
class Demonstrations:
    """D successful episodes."""

    obs: list[np.ndarray]
    """(T, O) each."""
    action: list[np.ndarray]
    """(T, A) each, in [-1, 1]."""
    wxyz_xyz_world_object: list[tuple[float, ...]] = field(default_factory=list)
    """(7) where the object was at the start of each."""


@dataclass(frozen=True)
class Cloned:
    """What came of it."""

    policy: RecurrentPolicy
    """That imitates."""
    demonstrations: int
    """How many there were."""
    steps: int
    """Policy steps in them."""
    cpu_seconds: float
    """[s] of CPU time for demonstrations and learning."""
    shown: Evaluation
    """The policy where it was shown what to do: the same episodes over again, with itself."""
    loss: list[float] = field(default_factory=list)
    """Mean square error of the actions after each epoch."""


class RecurrentPolicy:
    """An LSTM and a linear layer; acts like any policy that is judged.

    Args:
        size: of observations.
        num_actions: A.
        hidden: units of the LSTM.
        mean: (O) of the observations.
        std: (O) likewise.
    """

    def __init__(self, size: int, num_actions: int, hidden: int, mean: np.ndarray, std: np.ndarray) -> None:
        self._lstm, self._head = torch.nn.LSTM(size, hidden), torch.nn.Linear(hidden, num_actions)
        self._mean, self._std = torch.from_numpy(mean).float(), torch.from_numpy(std).float()
        self._memory: tuple[torch.Tensor, torch.Tensor] | None = None

    def parameters(self) -> list[torch.nn.Parameter]:
        """All that is learned."""
        return [*self._lstm.parameters(), *self._head.parameters()]

    def normalised(self, obs: torch.Tensor) -> torch.Tensor:
        """As the network takes them."""
        return (obs - self._mean) / self._std

    def actions(self, seen: torch.Tensor) -> torch.Tensor:
        """(T, D, A) for whole episodes of normalised observations (T, D, O)."""
        return self._head(self._lstm(seen)[0])

    def reset(self, env_ids: np.ndarray | None = None) -> None:
        """Forget episodes ``env_ids``, or all."""
        if env_ids is None:
            self._memory = None
        elif self._memory is not None:
            for part in self._memory:
                part[:, torch.from_numpy(np.asarray(env_ids, dtype=np.int64))] = 0.0

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Actions (N, A) in [-1, 1] for observations (N, O)."""
        # More threads only wait for each other at this size.
        with torch_threads(1), torch.no_grad():
            seen = self.normalised(torch.from_numpy(np.asarray(obs, dtype=np.float32)))[None]
            out, self._memory = self._lstm(seen, self._memory)
            return self._head(out)[0].clamp(-1.0, 1.0).numpy()


def demonstrate(
    policy: Acts, task: TaskSpec, robot: Embodiment, cfg: EnvCfg, seed: int, clone_cfg: CloneCfg
) -> Demonstrations:
    """Successful episodes of a policy.

    Raises:
        CloningError: fewer than a third of those asked for, within the attempts allowed.
    """
    env = _env(task, robot, cfg, clone_cfg)
    watched = _Watched(policy, env)
    kept = Demonstrations([], [])

    def look(terminated: np.ndarray, truncated: np.ndarray, extras: Any) -> None:
        for env_id in np.flatnonzero(terminated | truncated):
            obs, action, start = watched.ended(int(env_id))
            if extras["success"][env_id]:
                kept.obs.append(obs)
                kept.action.append(action)
                kept.wxyz_xyz_world_object.append(start)

    judge(watched, env, clone_cfg.attempts, seed, look=look)
    if len(kept.obs) < max(clone_cfg.demonstrations // 3, 1):
        raise CloningError(
            f"The policy succeeded {len(kept.obs)} times in {clone_cfg.attempts} episodes; {clone_cfg.demonstrations} are to be "
            "imitated. Clone a better one."
        )
    first = slice(clone_cfg.demonstrations)
    return Demonstrations(kept.obs[first], kept.action[first], kept.wxyz_xyz_world_object[first])


def judge_where_shown(
    policy: Acts, shown: Demonstrations, task: TaskSpec, robot: Embodiment, cfg: EnvCfg, seed: int, clone_cfg: CloneCfg
) -> Evaluation:
    """A policy in the very episodes that were demonstrated; in those that were the first of their environment, which begin the
    same whatever a policy does. The rest as for ``demonstrate``.
    """
    env = _env(task, robot, cfg, clone_cfg)
    found = judge(policy, env, env.num_envs, seed)
    kept = tuple(trial for trial in found.trials if trial.wxyz_xyz_world_object in set(shown.wxyz_xyz_world_object))
    failures = Counter(trial.failure for trial in kept if not trial.success)
    successes = sum(trial.success for trial in kept)
    return Evaluation(len(kept), successes, dict(failures.most_common()), seed, math.nan, math.nan, kept)


def _env(task: TaskSpec, robot: Embodiment, cfg: EnvCfg, clone_cfg: CloneCfg) -> Environment:
    """Where demonstrations are given."""
    return make_env(task, robot, min(clone_cfg.attempts, 64), for_evaluation(cfg))


class _Watched:
    """A policy whose observations and actions are kept, and where objects were when its episodes began."""

    def __init__(self, policy: Acts, env: Environment) -> None:
        self._policy, self._env = policy, env
        self._start: dict[int, tuple[float, ...]] = {}
        self._rows: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def reset(self, env_ids: np.ndarray | None = None) -> None:
        self._policy.reset(env_ids)

    def act(self, obs: np.ndarray) -> np.ndarray:
        action = self._policy.act(obs)
        at = self._env.now.state.wxyz_xyz_world_object
        for env_id, row in enumerate(zip(obs, action, strict=True)):
            if env_id not in self._rows:
                self._start[env_id] = tuple(at[env_id].tolist())
            self._rows.setdefault(env_id, []).append((row[0].copy(), row[1].copy()))
        return action

    def ended(self, env_id: int) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
        """Observations (T, O), actions (T, A) and the object's pose (7) at first, of the episode that has just ended."""
        obs, action = zip(*self._rows.pop(env_id), strict=True)
        return np.stack(obs), np.stack(action), self._start[env_id]


def imitate(shown: Demonstrations, seed: int, cfg: CloneCfg) -> tuple[RecurrentPolicy, list[float]]:
    """Learn from demonstrations; the policy, and its mean square error after each epoch."""
    torch.manual_seed(seed)
    with torch_threads(1):
        return _fitted(shown, cfg)


def _fitted(shown: Demonstrations, cfg: CloneCfg) -> tuple[RecurrentPolicy, list[float]]:
    every = np.concatenate(shown.obs)
    size, num_actions = every.shape[-1], shown.action[0].shape[-1]
    policy = RecurrentPolicy(size, num_actions, cfg.hidden, every.mean(0), every.std(0) + 1e-3)
    seen = policy.normalised(pad_sequence([torch.from_numpy(obs).float() for obs in shown.obs]))
    wanted = pad_sequence([torch.from_numpy(action).float() for action in shown.action])
    lengths = torch.tensor([len(obs) for obs in shown.obs])
    within = (torch.arange(len(seen))[:, None] < lengths).float()[..., None]
    optimiser = torch.optim.Adam(policy.parameters(), lr=cfg.learning_rate)
    losses = []
    for epoch in range(cfg.epochs):
        rate = 0.5 * (1.0 + math.cos(math.pi * epoch / cfg.epochs))
        optimiser.param_groups[0]["lr"] = rate * cfg.learning_rate
        predicted = policy.actions(seen + cfg.noise * torch.randn_like(seen))
        loss = ((predicted - wanted).square() * within).sum() / (within.sum() * num_actions)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return policy, losses


def clone(
    policy: Acts, task: TaskSpec, robot: Embodiment, cfg: EnvCfg, seed: int = 0, clone_cfg: CloneCfg | None = None
) -> Cloned:
    """Show a policy, and imitate it.

    Args:
        policy: that shows the task: a good one.
        task: of the policy.
        robot: of the policy.
        cfg: its environment; demonstrations are given in it.
        seed: of everything; demonstrations are no episodes of an evaluation.
        clone_cfg: how.

    Raises:
        CloningError: the policy hardly ever succeeds.
    """
    began, clone_cfg = time.process_time(), clone_cfg or CloneCfg()
    shown = demonstrate(policy, task, robot, cfg, 3_000_000 + seed, clone_cfg)
    cloned, losses = imitate(shown, seed, clone_cfg)
    seconds, steps = time.process_time() - began, sum(len(obs) for obs in shown.obs)
    again = judge_where_shown(cloned, shown, task, robot, cfg, 3_000_000 + seed, clone_cfg)
    cloned.reset()
    return Cloned(cloned, len(shown.obs), steps, seconds, again, losses)
