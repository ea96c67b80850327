"""Episodes that have begun and wait for a place: prepared many at once.

In:  ``Beginnings``, room for episodes.   Out: rows of them, with their start and first observations.
Not here: what an episode consists of (episodes), putting it into an engine (environment).

A reset of one takes as many array calls as one of hundreds, and in every few steps some episode ends: prepared one by one,
resets took a third of the environment's own time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from h2s2r_sim.engine import PhysicalParameters, StartState
from h2s2r_sim.env.episodes import Episodes
from h2s2r_sim.env.start.beginnings import Beginnings


class WaitingRoom:
    """Where episodes wait.

    Args:
        beginnings: draws how they begin.
        episodes: their places; its ``num_envs`` are prepared at once.
        prepare: of the engine; none where all worlds are the model's.
    """

    def __init__(
        self, beginnings: Beginnings, episodes: Episodes, prepare: Callable[[PhysicalParameters], Any] | None
    ) -> None:
        self._beginnings, self._prepare = beginnings, prepare
        self.episodes = episodes
        """All of them, those already gone included."""
        self.start: StartState
        """(W) of their worlds."""
        self.physics: Any
        """(W) of their worlds, as the engine prepared it; None without ``prepare``."""
        self.obs: dict[str, np.ndarray]
        """(W, …) their first observations."""
        self._next = episodes.num_envs

    def empty(self) -> None:
        """Send all away: the next to come are drawn anew."""
        self._next = self.episodes.num_envs

    def call(self, count: int) -> slice:
        """The rows of the next ``count`` that wait, or of fewer where fewer do, but never of none."""
        if self._next == self.episodes.num_envs:
            beginning = self._beginnings.draw(self.episodes.num_envs)
            self.episodes.begin(beginning, self._beginnings.rng)
            self.start, self.obs = beginning.start, self.episodes.observe(slice(None))
            self.physics = self._prepare(beginning.physics) if self._prepare else None
            self._next = 0
        first, self._next = self._next, min(self._next + count, self.episodes.num_envs)
        return slice(first, self._next)
