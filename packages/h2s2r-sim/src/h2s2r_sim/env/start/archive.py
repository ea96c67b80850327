"""An archive of own states: some episodes start in the middle, where an earlier episode did well.

In:  states of running episodes.   Out: states to start from.
Not here: starts at the beginning (starts).

It helps to find grasps, where the reward far along the reference is otherwise never seen; it can also feed dead ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.engine import Engine
from h2s2r_sim.mdp.actions import ActionState


@dataclass(frozen=True)
class ArchiveCfg:
    """Numbers with which grasps of upright objects were found in our trials."""

    share: float = 0.0
    """Of the resets, how many start from the archive once it has something; 0 switches it off."""
    per_index: int = 24
    """How many states are kept for each step of the goal clock, the oldest being replaced."""
    anchor_error: float = 0.035
    """[m] mean anchor-point error up to which a state is worth keeping."""
    keep: float = 0.04
    """Share of the steps of which the state is kept, if it is worth it."""
    tail: int = 3
    """How many steps before the end of the reference nothing starts any more."""

    def __post_init__(self) -> None:
        if not (0.0 <= self.share <= 1.0 and 0.0 <= self.keep <= 1.0 and self.per_index >= 1):
            raise SchemaError(
                f"Archive: share {self.share} and keep {self.keep} lie in [0, 1], per_index {self.per_index} is ≥ 1."
            )


class Archive:
    """States by step of the goal clock.

    Args:
        cfg: what is kept.
        last: of the goal clock.
        size: length of a state's row.
    """

    def __init__(self, cfg: ArchiveCfg, last: int, size: int) -> None:
        self._cfg = cfg
        self._num_indices = max(last - cfg.tail, 1)
        self._rows = np.zeros((self._num_indices, cfg.per_index, size))
        self._written = np.zeros(self._num_indices, dtype=np.int64)

    def wanted(self, rng: np.random.Generator, goal_index: np.ndarray, anchor_error: np.ndarray) -> np.ndarray:
        """Which environments' (M) states are to be kept now."""
        worth = (anchor_error < self._cfg.anchor_error) & (goal_index < self._num_indices) & (goal_index > 0)
        return np.flatnonzero(worth & (rng.random(len(goal_index)) < self._cfg.keep))

    def keep(self, goal_index: np.ndarray, rows: np.ndarray) -> None:
        """Keep states: rows (M, size) at steps (M) of the goal clock."""
        for index, row in zip(goal_index, rows, strict=True):
            self._rows[index, self._written[index] % self._cfg.per_index] = row
            self._written[index] += 1

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which of ``count`` resets (mask) start from the archive, at which steps (M) and states (M, size)."""
        filled = np.flatnonzero(self._written)
        from_archive = (rng.random(count) < self._cfg.share) & (len(filled) > 0)
        number = int(from_archive.sum())
        if not number:
            return from_archive, np.zeros(0, dtype=np.int64), np.zeros((0, self._rows.shape[-1]))
        index = rng.choice(filled, number)
        held = np.minimum(self._written[index], self._cfg.per_index)
        return from_archive, index, self._rows[index, rng.integers(0, held)]


def pack(engine: Engine, actions: ActionState, env_ids: np.ndarray) -> np.ndarray:
    """Everything that decides the future of episodes (K, size): worlds, and what the action map remembers."""
    return np.concatenate([engine.save(env_ids), *(each[env_ids] for each in parts_of(actions))], -1)


def unpack(rows: np.ndarray, engine: Engine, actions: ActionState, env_ids: np.ndarray) -> None:
    """Put episodes (K) back into what ``pack`` gave; arrays of ``actions`` are written in place."""
    memory = parts_of(actions)
    sizes = [each.shape[-1] for each in memory]
    world, *remembered = np.split(rows, np.cumsum([rows.shape[-1] - sum(sizes), *sizes])[:-1], axis=-1)
    engine.restore(env_ids, world)
    for mine, new in zip(memory, remembered, strict=True):
        mine[env_ids] = new


def parts_of(actions: ActionState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arrays of an action map's memory."""
    return actions.joint_pos_target, actions.synergy, actions.rest
