"""``check_vec_env``: does an implementation of ``VecEnv`` keep its contract?

In:  a function that makes an environment.   Out: nothing, or ``ContractError``.
Not here: the contract (contracts), whether its physics is right (sim).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, cast

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import FAILURE_KINDS, TaskSpec
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.vec_env.episodes import Act, Episodes, copy_of, run
from h2s2r_schemas.testing.vec_env.rows import check_actions_stay_in_rows, check_rows_follow
from h2s2r_schemas.testing.vec_env.steps import GROUPS

_ATTRIBUTES = ("num_envs", "num_actions", "robot", "task", "failure_kinds")


def check_vec_env(
    make_env: Callable[[], VecEnv],
    act: Callable[[Mapping[str, Array]], Array] | None = None,
    steps: int = 300,
    seed: int = 0,
    deterministic: bool = True,
) -> None:
    """Judge an environment by every clause of ``VecEnv``.

    Args:
        make_env: gives a new environment of 2 to about 16 rows; called twice.
        act: a policy, observations → actions (N, A). Random actions if none: these seldom succeed, so that what has to hold at
            a success is only judged with a policy that does.
        steps: how many to take; at least one episode has to end within them.
        seed: of the environment and of random actions.
        deterministic: whether the same seed and actions give the same bytes. False, for an engine on a GPU, leaves out what
            is judged by repeating: clauses seed and rows, and half of arrays.

    Raises:
        ContractError: the clause broken, what was seen, what is allowed, what to do.
    """
    env = make_env()
    attributes = _judge_attributes(env)
    usual = run(env, seed, _random_actions(env, seed) if act is None else lambda at, obs: act(obs), steps)
    _judge_ends(usual, steps)
    if deterministic:
        replay = _replay(usual)
        # Up to some steps after the first end is enough: that uses everything that draws.
        short = min(steps, next(at for at, step in enumerate(usual.steps) if step.ended.any()) + 30)
        clause = "VecEnv.seed"
        _same(run(env, seed, replay, short), usual, clause, "the same seed and actions again in the same environment")
        _same(run(make_env(), seed, replay, short), usual, clause, "the same seed and actions in a new environment")
        _check_drawing(env, seed)
        words = "the same seed and actions, while the caller overwrites all that was returned and each action,"
        _same(run(env, seed, replay, short, scribble=True), usual, "VecEnv.arrays", words)
        check_actions_stay_in_rows(env, seed, usual, replay)
        wander = _random_actions(env, seed)
        check_rows_follow(env, seed, usual if act is None else run(env, seed, wander, steps), wander)
    if any(attributes[name] != getattr(env, name) for name in _ATTRIBUTES):
        raise broken(
            "VecEnv.attributes",
            "an attribute has changed.",
            f"{_ATTRIBUTES} as at the start.",
            "Fix them when it is made.",
        )


def _judge_attributes(env: VecEnv) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(env, name) for name in _ATTRIBUTES}
    kinds: Any = found["failure_kinds"]
    fits = (
        type(found["num_envs"]) is int
        and found["num_envs"] >= 2
        and type(found["num_actions"]) is int
        and found["num_actions"] >= 1
        and type(found["robot"]) is RobotSpec
        and type(found["task"]) is TaskSpec
        and type(kinds) is tuple
        and 0 < len(cast(Any, kinds)) == len(set(cast(Any, kinds)))
        and set(cast(Any, kinds)) <= set(FAILURE_KINDS)
    )
    if not fits:
        raise broken(
            "VecEnv.attributes",
            f"num_envs {found['num_envs']!r}, num_actions {found['num_actions']!r}, robot a {type(found['robot']).__name__}, "
            f"task a {type(found['task']).__name__}, failure_kinds {kinds!r}.",
            f"num_envs ≥ 2 (for this check), num_actions ≥ 1, a RobotSpec, a TaskSpec, a tuple of some of {FAILURE_KINDS}.",
            "Correct these attributes; make an environment of at least two rows.",
        )
    return found


def _random_actions(env: VecEnv, seed: int) -> Act:
    rng = np.random.default_rng(seed)
    return lambda at, obs: arrays.like(rng.uniform(-1.0, 1.0, (env.num_envs, env.num_actions)), obs["actor"])


def _replay(usual: Episodes) -> Act:
    return lambda at, obs: copy_of(usual.actions[at])


def _judge_ends(usual: Episodes, steps: int) -> None:
    if not any(step.ended.any() for step in usual.steps):
        raise broken(
            "VecEnv.end",
            f"no episode ended within {steps} steps.",
            "at least one, so that the reset within a step can be judged.",
            "Give check_vec_env more steps, or a policy that ends episodes; or let episodes end at a time limit.",
        )


def _check_drawing(env: VecEnv, seed: int) -> None:
    """Clause seed: another seed and another ``reset()`` draw anew, both or none."""

    def firsts(*seeds: int | None) -> list[np.ndarray]:
        return [run(env, each, lambda at, obs: None, 0).first_obs["critic"] for each in seeds]

    by_seed, by_reset = firsts(seed, seed + 1), firsts(None, None)
    seeds_differ, resets_differ = (not np.array_equal(pair[0], pair[1]) for pair in (by_seed, by_reset))
    if seeds_differ != resets_differ:
        what = "another seed gives the same first observations" if resets_differ else "reset() gives the same each time"
        raise broken(
            "VecEnv.seed",
            f"{what}, although starts are drawn.",
            "another seed, and another reset() without one, start other episodes.",
            "Seed one generator in reset(seed), draw everything from it, and go on drawing in reset().",
        )


def _same(found: Episodes, usual: Episodes, clause: str, words: str) -> None:
    remedy = "Draw everything from one generator that reset(seed) seeds, and reset all state; share no array."
    for group in GROUPS:
        if not np.array_equal(found.first_obs[group], usual.first_obs[group]):
            raise broken(clause, f"{words} gave another obs[{group!r}] of reset().", "the same bytes.", remedy)
    for at, (step, wanted) in enumerate(zip(found.steps, usual.steps)):
        expected = wanted.named()
        for name, values in step.named().items():
            if name not in expected or not np.array_equal(values, expected[name]):
                raise broken(clause, f"{words} gave another {name} in step {at}.", "the same bytes.", remedy)
