"""``check_policy``: does an implementation of ``Policy`` keep its contract?

In:  a function that makes a policy.   Out: nothing, or ``ContractError``.
Not here: the contract (contracts), whether the policy is any good (rl).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import PolicySpec
from h2s2r_schemas.contracts import Policy
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.testing.clauses import broken

_ROWS, _STEPS = 5, 8
#: Rows reset in the middle: not the first, not in order, not neighbours.
_RESET_ROWS, _RESET_STEP = (3, 1), 4
#: Largest difference that rounding may make between batches.
_ROUNDING = 1e-5
#: Standard deviations of an observation that is far out of what training saw.
_FAR = 1e4


def check_policy(make_policy: Callable[[], Policy], like: Array | None = None, seed: int = 0) -> None:
    """Judge a policy by every clause of ``Policy``, on random observations around its normaliser's mean.

    Args:
        make_policy: gives the policy; called once.
        like: an array of the kind, dtype and device that it is to be given; NumPy float32 if none.
        seed: of the observations.

    Raises:
        ContractError: the clause broken, what was seen, what is allowed, what to do.
    """
    policy = make_policy()
    spec = _checked_spec(policy)
    like = np.zeros(0, np.float32) if like is None else like
    rng = np.random.default_rng(seed)
    obs = spec.obs_mean + spec.obs_std * rng.normal(size=(_STEPS, _ROWS, len(spec.obs_mean)))
    given = [arrays.like(step, like) for step in obs]
    usual = _run(policy, spec, given)
    _check_again(policy, spec, given, usual)
    _check_rows(policy, spec, given, usual, rng)
    _check_partial_reset(policy, spec, given, usual)
    _check_arrays(policy, spec, given, usual)
    _check_batch(policy, spec, given, usual)
    _run(policy, spec, [arrays.like(_FAR * (step - spec.obs_mean), like) for step in obs])
    _run(policy, spec, [arrays.like(0.0 * step, like) for step in obs])
    if policy.spec != spec:
        raise broken("Policy.spec", "spec has changed while acting.", "the same spec at any time.", "Build it once.")


def _checked_spec(policy: Policy) -> PolicySpec:
    spec = policy.spec
    if type(spec) is not PolicySpec:
        raise broken("Policy.spec", f"spec is a {type(spec).__name__}.", "a PolicySpec.", "Load it beside the weights.")
    return spec


def _run(
    policy: Policy, spec: PolicySpec, given: list[Array], at_step: Callable[[int], Any] = lambda step: None
) -> np.ndarray:
    """Actions (T, N, A) for a sequence of observations after ``reset()``; ``at_step(t)`` is called before each."""
    policy.reset()
    actions: list[np.ndarray] = []
    for step, obs in enumerate(given):
        at_step(step)
        before = arrays.to_numpy(obs).copy()
        action = policy.act(obs)
        if not np.array_equal(arrays.to_numpy(obs), before):
            raise broken(
                "Policy.arrays", f"act() changed obs in step {step}.", "obs as it was.", "Work on a copy of it."
            )
        actions.append(_judged(action, obs, spec).copy())
    return np.stack(actions)


def _judged(action: Array, obs: Array, spec: PolicySpec) -> np.ndarray:
    """Actions as a NumPy array, if they have the right form."""
    same_kind = arrays.is_torch(action) == arrays.is_torch(obs)
    values = arrays.to_numpy(action)
    form = f"a {type(action).__name__} of {values.dtype} and shape {values.shape}"
    if not same_kind or values.dtype.name not in ("float32", "float64") or values.shape != (len(obs), spec.num_actions):
        raise broken(
            "Policy.actions",
            f"act() returned {form} for a {type(obs).__name__} of shape {tuple(obs.shape)}.",
            f"float32 or float64 of shape ({len(obs)}, {spec.num_actions}), of the kind of obs.",
            "Return one row of spec.num_actions numbers for each row of obs.",
        )
    if not np.isfinite(values).all() or np.abs(values).max(initial=0.0) > 1.0:
        raise broken(
            "Policy.actions",
            f"actions span [{values.min():.4g}, {values.max():.4g}] for observations that span "
            f"[{arrays.to_numpy(obs).min():.4g}, {arrays.to_numpy(obs).max():.4g}].",
            "finite actions in [-1, 1] for any finite observation.",
            "Normalise and clip observations, and squash or clip the network's output.",
        )
    return values


def _check_again(policy: Policy, spec: PolicySpec, given: list[Array], usual: np.ndarray) -> None:
    """Clauses determinism and reset: the same again after ``reset()``, whatever was before."""

    def first_after(history: list[Array]) -> np.ndarray:
        _run(policy, spec, history)
        return _run(policy, spec, given[:1])[0]

    same, again, other = first_after(given), first_after(given), first_after(given[::-1])
    by_history = float(np.abs(other - again).max())
    # What samples differs after equal histories too; what remembers differs much less after equal than after other ones.
    if by_history > 0.0 and float(np.abs(again - same).max()) < 0.1 * by_history:
        words = "the first actions after reset() depend on what was before"
        _same(other, again, "Policy.reset", words, "Clear every part of the memory in reset().", 0.0)
    words = "the same observations after reset() gave other actions"
    remedy = "Act by the mean, not by samples, with fixed weights and statistics."
    _same(_run(policy, spec, given), usual, "Policy.determinism", words, remedy, 0.0)


def _check_partial_reset(policy: Policy, spec: PolicySpec, given: list[Array], usual: np.ndarray) -> None:
    """Clause reset for some rows, and for none."""

    def run_with(rows: Sequence[int]) -> np.ndarray:
        return _run(policy, spec, given, lambda step: policy.reset(rows) if step == _RESET_STEP else None)

    remedy = "Clear the memory of exactly the rows env_ids, in every layer and every part of it."
    nothing = run_with([])
    _same(nothing, usual, "Policy.reset", "after reset([]), actions differ", remedy, _ROUNDING)
    some = run_with(_RESET_ROWS)
    others = [row for row in range(_ROWS) if row not in _RESET_ROWS]
    words = f"reset({list(_RESET_ROWS)}) changed the actions of rows {others}"
    _same(some[:, others], usual[:, others], "Policy.reset", words, remedy, _ROUNDING)
    fresh = _run(policy, spec, given[_RESET_STEP:])
    rows = list(_RESET_ROWS)
    words = f"after reset({rows}), these rows act as if they remembered what was before: they differ from a fresh start"
    _same(some[_RESET_STEP:, rows], fresh[:, rows], "Policy.reset", words, remedy, _ROUNDING)


def _check_rows(
    policy: Policy, spec: PolicySpec, given: list[Array], usual: np.ndarray, rng: np.random.Generator
) -> None:
    """Clause rows: other rows replaced, another order, one row alone."""
    remedy = "Compute each row by itself: no statistics over the batch, no shared memory."
    others = np.stack([arrays.to_numpy(obs) for obs in given])
    others[:, 1:] = spec.obs_mean + 3.0 * spec.obs_std * rng.normal(size=others[:, 1:].shape)
    changed = _run(policy, spec, [arrays.like(obs, given[0]) for obs in others])
    words = "row 0 acts differently when the other rows are given something else"
    _same(changed[:, 0], usual[:, 0], "Policy.rows", words, remedy, _ROUNDING)
    order = np.roll(np.arange(_ROWS), 2)
    turned = _run(policy, spec, [obs[order] for obs in given])
    _same(turned, usual[:, order], "Policy.rows", "rows given in another order act differently", remedy, _ROUNDING)
    alone = _run(policy, spec, [obs[2:3] for obs in given])
    _same(alone[:, 0], usual[:, 2], "Policy.rows", "row 2 acts differently when given alone", remedy, _ROUNDING)


def _check_arrays(policy: Policy, spec: PolicySpec, given: list[Array], usual: np.ndarray) -> None:
    """Clause arrays: nothing is shared between the policy and its caller."""
    policy.reset()
    returned: list[Array] = []
    for step, obs in enumerate(given):
        mine = arrays.like(arrays.to_numpy(obs).copy(), obs)
        action = policy.act(mine)
        values = arrays.to_numpy(action)
        words = f"after the caller wrote into obs and actions of earlier steps, actions of step {step} differ"
        _same(values, usual[step], "Policy.arrays", words, "Keep copies of what the policy remembers.", _ROUNDING)
        for before, kept in zip(returned, usual):
            words = f"actions returned earlier have changed by step {step}"
            _same(arrays.to_numpy(before), kept, "Policy.arrays", words, "Return a new array each time.", _ROUNDING)
        returned.append(arrays.like(values.copy(), action) if step % 2 else action)
        mine[...] = 7.0
        if step % 2 and values.flags.writeable:
            action[...] = 7.0


def _check_batch(policy: Policy, spec: PolicySpec, given: list[Array], usual: np.ndarray) -> None:
    """Clause batch: N is fixed by the first call after a reset, and only until the next."""
    policy.reset()
    policy.act(given[0])
    remedy = "Compare the number of rows with that of the first call after reset()."
    try:
        policy.act(given[0][: _ROWS - 1])
    except ContractError:
        return
    except Exception as error:
        found = f"act() with {_ROWS - 1} rows after {_ROWS} raised {type(error).__name__}: {error}"
        raise broken("Policy.batch", found, "ContractError.", remedy) from error
    raise broken("Policy.batch", f"act() took {_ROWS - 1} rows after {_ROWS}.", "ContractError.", remedy)


def _same(found: np.ndarray, wanted: np.ndarray, clause: str, words: str, remedy: str, tolerance: float) -> None:
    off = float(np.abs(found.astype(np.float64) - wanted).max())
    if off > tolerance:
        raise broken(clause, f"{words}, by up to {off:.3g}.", f"a difference of at most {tolerance}.", remedy)
