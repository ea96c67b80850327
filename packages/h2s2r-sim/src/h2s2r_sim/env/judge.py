"""Keeps the score of running episodes: which succeeded, by the definition that holds for everybody.

In:  tracking errors against the reference, step by step.   Out: success (N), and whether it is still possible.
Not here: the definition itself (schemas: ``is_success``; a test holds this to it), rewards and endings (mdp).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from h2s2r_schemas.artifacts import SUCCESS
from h2s2r_sim.mdp.tracking import TrackingError

_ROUNDING = 1e-6


class Judge:
    """``is_success`` of N episodes while they run, one sample a policy step.

    Args:
        num_envs: N.
        control_dt: [s] between policy steps.
        duration: [s] of the reference.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_close", "_ended_at", "_held", "_over")

    def __init__(self, num_envs: int, control_dt: float, duration: float) -> None:
        self._dt, self._duration = control_dt, duration
        self._close = np.ones(num_envs, dtype=bool)
        self._ended_at = np.full(num_envs, np.inf)
        self._held = np.ones(num_envs, dtype=bool)
        self._over = np.zeros(num_envs, dtype=bool)

    def reset(self, env_ids: np.ndarray, error: TrackingError) -> None:
        """Begin episodes with these errors (K) at their start."""
        self._close[env_ids] = error.anchor <= SUCCESS.anchor
        self._ended_at[env_ids] = np.inf
        self._held[env_ids] = True
        self._over[env_ids] = False

    def update(self, step: np.ndarray, reference_ended: np.ndarray, error: TrackingError) -> None:
        """Count one sample.

        Args:
            step: (N) policy steps since the start of each episode.
            reference_ended: (N) whether the goal clock is at the end of the reference.
            error: (N) against the reference.
        """
        time = step * self._dt
        self._ended_at = np.minimum(self._ended_at, np.where(reference_ended, time, np.inf))
        since = time - self._ended_at  # -inf while the reference runs
        ended, uncounted = since >= 0.0, since > SUCCESS.settle_time + _ROUNDING
        late = np.minimum(time, self._ended_at) > SUCCESS.time_limit_factor * self._duration
        self._close &= ((error.anchor <= SUCCESS.anchor) | uncounted) & ~late
        within = (error.position <= SUCCESS.position) & (error.rotation <= SUCCESS.rotation)
        self._held &= within | uncounted | ~ended
        self._over = (since >= SUCCESS.settle_time - _ROUNDING) | (late & ~ended)

    @property
    def possible(self) -> np.ndarray:
        """(N) whether the episode can still succeed."""
        return self._close & self._held

    @property
    def held(self) -> np.ndarray:
        """(N) whether the object has been where it belongs since the reference ended, if it ended in time."""
        return self._held & np.isfinite(self._ended_at)

    @property
    def over(self) -> np.ndarray:
        """(N) whether the reference, and the time to settle after it, have passed; or all time allowed."""
        return self._over.copy()

    @property
    def success(self) -> np.ndarray:
        """(N) whether the episode is over and succeeded."""
        return self._over & self.possible
