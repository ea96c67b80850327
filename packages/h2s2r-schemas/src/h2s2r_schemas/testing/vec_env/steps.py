"""What one step of an environment must look like by itself.

In:  what ``reset`` and ``step`` returned.   Out: a ``Step`` of NumPy copies, or a ``ContractError``.
Not here: what follows from one step to the next (episodes), repetitions (check).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.testing.clauses import broken

GROUPS = ("actor", "critic")
#: How far the length of a quaternion may be from 1: float32.
_UNIT = 1e-4


@dataclass(frozen=True)
class Step:
    """Copies of everything one step returned."""

    obs: dict[str, np.ndarray]
    """Of each group (N, ·)."""
    reward: np.ndarray
    """(N)"""
    terminated: np.ndarray
    """(N)"""
    truncated: np.ndarray
    """(N)"""
    failure: np.ndarray
    """(N) index of the failure, or -1."""
    success: np.ndarray
    """(N)"""
    wxyz_xyz_world_object: np.ndarray
    """(N, 7)"""
    final_obs: dict[str, np.ndarray]
    """As ``obs``; empty where nothing ended."""

    @property
    def ended(self) -> np.ndarray:
        """(N) whether an episode ended."""
        return self.terminated | self.truncated

    def named(self) -> dict[str, np.ndarray]:
        """Every array by a name for messages."""
        found = {f"obs[{name!r}]": values for name, values in self.obs.items()}
        found.update({f"extras['final_obs'][{name!r}]": values for name, values in self.final_obs.items()})
        found.update(reward=self.reward, terminated=self.terminated, truncated=self.truncated)
        for name in ("failure", "success", "wxyz_xyz_world_object"):
            found[f"extras[{name!r}]"] = getattr(self, name)
        return found


def judged_obs(obs: Any, num_envs: int, sizes: dict[str, int], clause: str, name: str) -> dict[str, np.ndarray]:
    """Copies of observations that have the right form; ``sizes`` is filled at the first call."""
    kind = type(obs).__name__
    keys = sorted(cast(Any, obs)) if isinstance(obs, Mapping) else None
    if keys != sorted(GROUPS):
        found = kind if keys is None else keys
        raise broken(clause, f"{name} holds {found}.", f"a mapping of {list(GROUPS)}.", "Return both groups, no more.")
    copies: dict[str, np.ndarray] = {}
    for group in GROUPS:
        values = _array(obs[group], "f", (num_envs, sizes.get(group)), clause, f"{name}[{group!r}]")
        sizes.setdefault(group, values.shape[1])
        copies[group] = values
    return copies


def judged_step(result: Any, env: VecEnv, sizes: dict[str, int]) -> Step:
    """Copies of what ``step`` returned, if each array has the right form and they fit together."""
    kind = type(result).__name__
    count = len(cast(Any, result)) if isinstance(result, tuple) else 1
    if count != 5 or not isinstance(result[4], Mapping):
        raise broken(
            "VecEnv.step",
            f"step() returned a {kind} of {count}.",
            "(obs, reward, terminated, truncated, extras), extras a mapping.",
            "Return these five.",
        )
    obs, reward, terminated, truncated, extras = cast(Any, result)
    n = env.num_envs
    for name in ("failure", "success", "wxyz_xyz_world_object"):
        if name not in extras:
            clause = "VecEnv.object" if name.startswith("wxyz") else "VecEnv.outcome"
            raise broken(clause, f"extras holds {sorted(extras)}.", f"{name!r} in every step.", "Put it there.")
    step = Step(
        obs=judged_obs(obs, n, sizes, "VecEnv.obs", "obs"),
        reward=_array(reward, "f", (n,), "VecEnv.step", "reward"),
        terminated=_array(terminated, "b", (n,), "VecEnv.step", "terminated"),
        truncated=_array(truncated, "b", (n,), "VecEnv.step", "truncated"),
        failure=_array(extras["failure"], "i", (n,), "VecEnv.outcome", "extras['failure']"),
        success=_array(extras["success"], "b", (n,), "VecEnv.outcome", "extras['success']"),
        wxyz_xyz_world_object=_array(
            extras["wxyz_xyz_world_object"], "f", (n, 7), "VecEnv.object", "extras['wxyz_xyz_world_object']"
        ),
        final_obs=_final_obs(terminated | truncated, extras, n, sizes),
    )
    _judge_flags(step, env)
    return step


def _final_obs(ended: Any, extras: Mapping[str, Any], num_envs: int, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    if "final_obs" in extras:
        return judged_obs(extras["final_obs"], num_envs, sizes, "VecEnv.end", "extras['final_obs']")
    if bool(ended.any()):
        raise broken(
            "VecEnv.end",
            f"{int(ended.sum())} environments ended and extras holds {sorted(extras)}.",
            "'final_obs' in every step in which one ended.",
            "Keep the observations from before the reset.",
        )
    return {}


def _judge_flags(step: Step, env: VecEnv) -> None:
    row = _first(step.terminated & step.truncated)
    if row is not None:
        raise broken(
            "VecEnv.step",
            f"environment {row} is terminated and truncated.",
            "at most one of both.",
            "Failed is terminated; over without having failed is truncated.",
        )
    kinds = len(env.failure_kinds)
    allowed = np.where(step.terminated, (step.failure >= 0) & (step.failure < kinds), step.failure == -1)
    row = _first(~allowed)
    if row is not None:
        raise _outcome(f"failure of environment {row} is {step.failure[row]}", step, row, env)
    row = _first(step.success & ~step.truncated)
    if row is not None:
        raise _outcome(f"success of environment {row} is true", step, row, env)


def _outcome(found: str, step: Step, row: int, env: VecEnv) -> ContractError:
    return broken(
        "VecEnv.outcome",
        f"{found} where it is {'' if step.terminated[row] else 'not '}terminated and "
        f"{'' if step.truncated[row] else 'not '}truncated.",
        f"failure is an index into {list(env.failure_kinds)} where terminated and -1 elsewhere; success only where truncated.",
        "Name the failure of every episode that failed, and nothing else.",
    )


def _first(flags: np.ndarray) -> int | None:
    """The first row where a flag is set."""
    return int(np.argmax(flags)) if flags.any() else None


def _array(value: Any, kind: str, shape: tuple[int | None, ...], clause: str, name: str) -> np.ndarray:
    """A copy of an array of this kind of dtype and shape (None for any size), with finite values."""
    values = arrays.to_numpy(value)
    fits = len(values.shape) == len(shape) and all(want in (None, got) for want, got in zip(shape, values.shape))
    if values.dtype.kind != kind or not fits:
        words = {"f": "floating", "b": "boolean", "i": "whole"}[kind]
        wanted = ", ".join("·" if size is None else str(size) for size in shape)
        raise broken(
            clause,
            f"{name} is {values.dtype} of shape {values.shape}.",
            f"{words} numbers of shape ({wanted}).",
            "Return it so in every step.",
        )
    if kind == "f" and not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise broken(
            clause,
            f"{name} of environment {row} holds NaN or infinity.",
            "finite numbers.",
            "End an episode whose state explodes, and report its last finite values.",
        )
    if name.endswith("wxyz_xyz_world_object']"):
        length = np.linalg.norm(values[:, :4], axis=1)
        if (np.abs(length - 1.0) > _UNIT).any():
            row = int(np.argmax(np.abs(length - 1.0)))
            raise broken(
                clause,
                f"{name} of environment {row} has a quaternion of length {length[row]:.4g}.",
                "unit quaternion (wxyz), then translation.",
                "Use SE3(...).wxyz_xyz.",
            )
    return values.copy()
