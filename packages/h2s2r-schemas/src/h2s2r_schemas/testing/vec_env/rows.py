"""Do environments keep to their own rows?

In:  an environment and a run of it.   Out: nothing, or ``ContractError`` on rows.
Not here: anything about one row (steps, episodes).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.vec_env.episodes import Act, Episodes, run
from h2s2r_schemas.testing.vec_env.steps import GROUPS, Step

#: Times at which one row's action is changed.
_TRIALS = 6
#: Rows that have to look like another's before they count as mixed up, and how many times as many as look like their own.
_MIXED, _MIXED_RATIO = 8, 1.5
#: Cosines from which on a row looks like one that was before, and up to which it does not.
_ALIKE, _UNLIKE = 0.7, 0.3
#: Resets that are looked at for the rows of ``reset`` itself.
_RESETS = 4


def check_actions_stay_in_rows(env: VecEnv, seed: int, usual: Episodes, replay: Act) -> None:
    """Change the action of one row in one step, in which nothing ends: no other row may change."""
    quiet = [at for at, step in enumerate(usual.steps) if not step.ended.any()][:_TRIALS]
    for at in quiet:
        for row in (0, env.num_envs - 1):
            changed = run(env, seed, _changing(replay, at, row), at + 1).steps[at]
            if changed.ended.any():
                continue
            other = _differing_row(changed, usual.steps[at], row)
            if other is not None:
                raise broken(
                    "VecEnv.rows",
                    f"another action for environment {row} in step {at} changed environment {other}.",
                    f"a change of row {row} only.",
                    "Keep actions, states and observations of each environment in its own row.",
                )


def _changing(replay: Act, at: int, row: int) -> Act:
    """``replay``, with the action of one row turned round in one step."""

    def act(step: int, obs: Mapping[str, Array]) -> Array:
        action = replay(step, obs)
        if step == at:
            values = arrays.to_numpy(action).copy()
            values[row] = np.where(values[row] > 0.0, -1.0, 1.0)
            action = arrays.like(values, action)
        return action

    return act


def _differing_row(step: Step, usual: Step, changed: int) -> int | None:
    wanted = usual.named()
    for name, values in step.named().items():
        for row in range(len(values)):
            if row != changed and name in wanted and not np.array_equal(values[row], wanted[name][row]):
                return row
    return None


def check_rows_follow(env: VecEnv, seed: int, wandering: Episodes, act: Act) -> None:
    """What sets a row apart from others in the first observation of an episode still does in the second, under random actions.

    Args:
        env: the environment.
        seed: for further resets.
        wandering: a run under random actions.
        act: random actions.
    """
    for group in GROUPS:
        scale = np.concatenate([step.obs[group] for step in wandering.steps]).std(0)
        scale = np.where(scale > 0.0, scale, np.inf)
        votes = np.zeros(2, dtype=np.int64)
        for before, after in zip(wandering.steps, wandering.steps[1:]):
            rows = np.flatnonzero(before.ended & ~after.ended)
            votes += _votes(before.obs[group][rows] / scale, after.obs[group][rows] / scale)
        _judge_votes(votes, group, "after episodes ended")
        votes = np.zeros(2, dtype=np.int64)
        for offset in range(_RESETS):
            begun = run(env, seed + offset, act, 1)
            rows = np.flatnonzero(~begun.steps[0].ended)
            votes += _votes(begun.first_obs[group][rows] / scale, begun.steps[0].obs[group][rows] / scale)
        _judge_votes(votes, group, "after reset()")


def _votes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How many of K rows (K, ·) look like themselves, and how many like another (2): most alike in what sets them apart."""
    if len(first) < 2:
        return np.zeros(2, dtype=np.int64)
    first, second = first - first.mean(0), second - second.mean(0)
    lengths = np.linalg.norm(second, axis=1)[:, None] * np.linalg.norm(first, axis=1)
    if not lengths.all():
        return np.zeros(2, dtype=np.int64)
    alike = second @ first.T / lengths
    own = np.diagonal(alike)
    return np.array([(own > _ALIKE).sum(), ((own < _UNLIKE) & (alike.max(1) > _ALIKE)).sum()])


def _judge_votes(votes: np.ndarray, group: str, when: str) -> None:
    own, other = int(votes[0]), int(votes[1])
    if other >= _MIXED and other > _MIXED_RATIO * own:
        raise broken(
            "VecEnv.rows",
            f"{when}, the second observation (obs[{group!r}]) of {other} episodes looks like the first of another row, and of "
            f"{own} like that of their own.",
            "each row follows itself.",
            "Write the first observations of new episodes into the rows that ended (obs[env_ids] = ...), in their order.",
        )
