"""Running an environment for a while, and judging what follows from step to step.

In:  an environment, a seed, actions.   Out: an ``Episodes`` record, or a ``ContractError``.
Not here: the form of single steps (steps), comparisons of several runs (check).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, cast

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import SUCCESS, TaskSpec, object_error
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.vec_env.steps import Step, judged_obs, judged_step

#: [m] how far the object may be from the path of the reference when an episode has begun: any start noise, no other frame.
_NEAR_PATH = 0.3
#: Part by which an error may exceed ``SUCCESS``: float32.
_ROUNDING = 1e-4
#: Scribbled into what was returned, by kind of dtype.
_GARBAGE = {"f": float("nan"), "b": True, "i": 77, "u": 77}

#: The next action (N, A), from the number of the step and the observations (by group) just returned.
Act = Callable[[int, Any], Array]


@dataclass(frozen=True)
class Episodes:
    """One run after ``reset(seed)``."""

    first_obs: dict[str, np.ndarray]
    """What ``reset`` returned."""
    steps: list[Step]
    """What each step returned."""
    actions: list[Array]
    """(N, A) copies of what was given in each step."""


def run(env: VecEnv, seed: int | None, act: Act, steps: int, scribble: bool = False) -> Episodes:
    """Reset and take that many steps, judging each.

    Args:
        env: the environment.
        seed: for ``reset``.
        act: gives the actions.
        steps: how many.
        scribble: overwrite everything returned, and the action given, before the next step.
    """
    obs: Any = env.reset(seed)
    sizes: dict[str, int] = {}
    first = judged_obs(obs, env.num_envs, sizes, "VecEnv.obs", "obs of reset()")
    record = Episodes(first, [], [])
    returned: deque[tuple[dict[str, Array], dict[str, np.ndarray]]] = deque(maxlen=3)
    returned.append(_kept(obs, "obs"))
    if scribble:
        _overwrite_all(returned.pop()[0])
    for at in range(steps):
        action = act(at, obs)
        given = copy_of(action)
        result = env.step(action)
        if not np.array_equal(arrays.to_numpy(action), arrays.to_numpy(given)):
            raise broken("VecEnv.arrays", f"step {at} changed action.", "action as it was.", "Work on a copy of it.")
        _judge_kept(returned, at)
        step = judged_step(result, env, sizes)
        record.steps.append(step)
        record.actions.append(given)
        obs = result[0]
        returned.append(_kept(result, "step"))
        if scribble:
            _overwrite_all({**returned.pop()[0], "action": action})
    _judge_order(record, env.task)
    return record


def copy_of(values: Array) -> Array:
    """A copy of the same kind, dtype and device."""
    return arrays.like(arrays.to_numpy(values).copy(), values)


def _arrays_in(value: Any, name: str) -> dict[str, Array]:
    """Every array within nested tuples and mappings, by a name for messages."""
    items: Any = None
    if isinstance(value, tuple):
        items = enumerate(cast(Any, value))
    elif isinstance(value, Mapping):
        items = cast(Any, value).items()
    if items is not None:
        found: dict[str, Array] = {}
        for key, item in items:
            found.update(_arrays_in(item, f"{name}[{key!r}]"))
        return found
    return {name: value} if isinstance(value, np.ndarray) or arrays.is_torch(value) else {}


def _kept(value: Any, name: str) -> tuple[dict[str, Array], dict[str, np.ndarray]]:
    found = _arrays_in(value, name)
    return found, {key: arrays.to_numpy(item).copy() for key, item in found.items()}


def _judge_kept(returned: deque[tuple[dict[str, Array], dict[str, np.ndarray]]], at: int) -> None:
    for found, copies in returned:
        for name, copy in copies.items():
            now = arrays.to_numpy(found[name])
            if now.tobytes() != copy.tobytes():
                raise broken(
                    "VecEnv.arrays",
                    f"{name}, returned earlier, was changed by step {at}.",
                    "returned arrays that never change.",
                    "Return new arrays, or copies of buffers.",
                )


def _overwrite_all(found: Mapping[str, Array]) -> None:
    for values in found.values():
        if arrays.is_torch(values) or values.flags.writeable:
            values[...] = _GARBAGE[arrays.to_numpy(values).dtype.kind]


def _judge_order(record: Episodes, task: TaskSpec) -> None:
    """Clauses end and object, over the whole run."""
    began = np.ones(len(record.first_obs["actor"]), dtype=bool)
    before = record.first_obs
    stale: list[bool] = []
    for at, step in enumerate(record.steps):
        _judge_start(step, began & ~step.ended, task, at)
        _judge_success(step, task, at)
        for row in np.flatnonzero(step.ended):
            if all(np.array_equal(step.obs[name][row], step.final_obs[name][row]) for name in step.obs):
                raise broken(
                    "VecEnv.end",
                    f"environment {row} ended in step {at}, and its obs is the same as its final_obs.",
                    "the first observation of the new episode in obs, the last of the old one in final_obs.",
                    "Reset within the step, observe again, and keep what was observed before.",
                )
            stale.append(all(np.array_equal(before[name][row], step.final_obs[name][row]) for name in before))
        began, before = step.ended, step.obs
    if len(stale) > 2 and all(stale):
        raise broken(
            "VecEnv.end",
            f"final_obs of all {len(stale)} episodes that ended is the observation of the step before.",
            "the observation after the last step of the episode.",
            "Observe after physics has run, before the reset.",
        )


def _judge_start(step: Step, rows: np.ndarray, task: TaskSpec, at: int) -> None:
    path = task.reference.wxyz_xyz_world_object[:, 4:]
    for row in np.flatnonzero(rows):
        p_world_object = step.wxyz_xyz_world_object[row, 4:]
        distance = np.linalg.norm(path - p_world_object, axis=1).min()
        if distance > _NEAR_PATH:
            raise broken(
                "VecEnv.object",
                f"an episode of environment {row} began, and after its first step ({at}) the object is at "
                f"{p_world_object.round(3).tolist()}, {distance:.3g} m from the nearest point of task.reference.",
                f"{_NEAR_PATH} m.",
                "Express the pose in the world (the robot's base), not relative to the table, camera or environment origin.",
            )


def _judge_success(step: Step, task: TaskSpec, at: int) -> None:
    if not step.success.any():
        return
    T_world_goal = SE3(task.reference.wxyz_xyz_world_object[-1])
    T_world_object = SE3(step.wxyz_xyz_world_object.astype(np.float64))
    position, rotation = object_error(T_world_object, T_world_goal, task.object.symmetry)
    far = (position > SUCCESS.position * (1.0 + _ROUNDING)) | (rotation > SUCCESS.rotation * (1.0 + _ROUNDING))
    if (step.success & far).any():
        row = int(np.argmax(step.success & far))
        raise broken(
            "VecEnv.object",
            f"environment {row} counts as a success in step {at}; its object is {position[row]:.3g} m and "
            f"{rotation[row]:.3g} rad from the end of task.reference.",
            f"{SUCCESS.position} m and {SUCCESS.rotation:.3g} rad.",
            "Judge with artifacts.is_success on true world poses, and report the pose from before the reset.",
        )
