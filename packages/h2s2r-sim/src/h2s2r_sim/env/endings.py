"""How episodes end: in success, in one of the named failures, or not yet.

In:  the true state after each step.   Out: ``Ended``: flags and failure kinds.
Not here: limits and kinds as functions (mdp.terminations), the definition of success (schemas).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from h2s2r_sim.env.judge import Judge
from h2s2r_sim.env.knowledge import Now
from h2s2r_sim.mdp import terminations
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.terminations import TerminationCfg
from h2s2r_sim.mdp.tracking import anchor_distance
from h2s2r_sim.rows import Rows

#: [m] an object whose lowest anchor point is this far above the lowest at the start is in the air.
_CLEAR = 0.02
#: [m] an object this much below the reference is low.
_LOW = 0.03
#: [m] an object whose anchor points have moved this far on average was moved.
_MOVED = 0.01
#: More policy steps than any episode has.
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Ended:
    """What ended with this step."""

    terminated: np.ndarray
    """(N) failed."""
    truncated: np.ndarray
    """(N) over without a failure: nothing more to do."""
    success: np.ndarray
    """(N) over, and a success by the definition."""
    failure: np.ndarray
    """(N) index into ``FAILURE_KINDS`` where terminated, -1 elsewhere."""
    partial: np.ndarray
    """(N) whether it was no whole episode: it started in the middle, from the archive, or was cut short."""


class Endings:
    """Watches N episodes.

    Args:
        cfg: when to give up.
        num_envs: N.
        path: the goal's; the reference decides, whatever is aimed at.
        table_height: [m] of the table's surface.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_judge",
        "_start_error",
        "_start_distance",
        "_start_anchors",
        "_clear_height",
        "_hand_limit",
        "anchor_limit",
        "_was_lifted",
        "_was_moved",
        "_partial",
    )

    def __init__(self, cfg: TerminationCfg, num_envs: int, path: GoalPath, table_height: float) -> None:
        self._cfg, self._path, self._table_height = cfg, path, table_height
        self._reference_limit = terminations.reference_limit(cfg, path.reference.p_world_anchors, path.control_dt)
        self._judge = Judge(num_envs, path.control_dt, path.duration)
        self._start_error = np.zeros(num_envs)
        self._start_distance = np.zeros(num_envs)
        self._start_anchors = np.zeros((num_envs, *path.reference.p_world_anchors.shape[1:]))
        self._clear_height = np.zeros(num_envs)
        self._hand_limit = np.zeros(num_envs)
        self.anchor_limit = np.zeros(num_envs)
        """(N) [m] error at which each episode ends now: an object that follows the reference is never that far off."""
        self._was_lifted = np.zeros(num_envs, dtype=bool)
        self._was_moved = np.zeros(num_envs, dtype=bool)
        self._partial = np.zeros(num_envs, dtype=bool)
        # Not of an episode but of its place: whoever is there at this step is cut short, once.
        self._cut = np.full(num_envs, _NEVER)

    def stagger(self, rng: np.random.Generator) -> None:
        """Cut the episodes that begin now short, each at another step."""
        self._cut = 1 + rng.integers(0, self._path.last, len(self._cut))

    def begin(
        self, env_ids: np.ndarray, step: np.ndarray, goal_index: np.ndarray, now: Now, partial: np.ndarray
    ) -> None:
        """Begin episodes ``env_ids`` (K); those ``partial`` (K) started in the middle and never count as successes. The others
        are as for ``update``.
        """
        self._judge.reset(env_ids, now.judged.take(env_ids))
        self._start_error[env_ids] = now.judged.anchor[env_ids]
        self._start_distance[env_ids] = now.hand_distance[env_ids]
        self._start_anchors[env_ids] = now.placed.p_world_anchors[env_ids]
        self._clear_height[env_ids] = _lowest(self._start_anchors[env_ids]) + _CLEAR
        cfg = self._cfg
        self._hand_limit[env_ids] = terminations.hand_limit(
            cfg.hand_distance, self._start_distance[env_ids], cfg.hand_leave
        )
        self._was_lifted[env_ids] = False
        self._was_moved[env_ids] = False
        self._partial[env_ids] = partial
        self._set_limit(env_ids, step[env_ids], goal_index[env_ids])

    def update(self, step: np.ndarray, goal_index: np.ndarray, now: Now) -> Ended:
        """What a step has ended.

        Args:
            step: (N) policy steps since the start of each episode.
            goal_index: (N) of the goal clock.
            now: after the step.
        """
        cfg, judge = self._cfg, self._judge
        judge.update(step, goal_index == self._path.last, now.judged)
        self._set_limit(slice(None), step, goal_index)
        anchors = now.placed.p_world_anchors
        self._was_lifted |= _lowest(anchors) > self._clear_height
        self._was_moved |= anchor_distance(anchors, self._start_anchors) > _MOVED

        unstable = now.state.unstable
        gone = terminations.out_of_workspace(cfg, now.state.wxyz_xyz_world_object[:, 4:], self._table_height)
        distance = now.hand_distance
        hand_lost = distance > self._hand_limit
        lost = ~judge.possible if cfg.judged else now.error.anchor > self.anchor_limit
        # An episode that got to the end but does not hold the object there has failed; one that began too far off to
        # count, yet arrived, has not.
        over = judge.over
        failed = unstable | gone | hand_lost | lost | (over & ~judge.held)
        cut = (step >= self._cut) & ~failed & ~over
        self._cut[failed | over | cut] = _NEVER
        return Ended(
            terminated=failed,
            truncated=(over & ~failed) | cut,
            success=judge.success & ~failed & ~self._partial & ~cut,
            failure=self._failure(failed, gone, goal_index, now, distance),
            partial=self._partial | cut,
        )

    def _set_limit(self, rows: Rows, step: np.ndarray, goal_index: np.ndarray) -> None:
        time, limit = step * self._path.control_dt, self._reference_limit[goal_index]
        widened = terminations.anchor_limit(self._cfg, limit, self._start_error[rows], time)
        self.anchor_limit[rows] = widened + self._path.gap[goal_index]

    def _failure(
        self, failed: np.ndarray, gone: np.ndarray, goal_index: np.ndarray, now: Now, distance: np.ndarray
    ) -> np.ndarray:
        """(N) why each episode failed that did; -1 for all others."""
        failure = np.full(len(failed), -1)
        ids = np.flatnonzero(failed)
        if len(ids):
            goal_height = self._path.reference.wxyz_xyz_world_object[goal_index[ids], 6]
            low = now.state.wxyz_xyz_world_object[ids, 6] < goal_height - _LOW
            far = distance[ids] > terminations.hand_limit(terminations.HAND_DISTANCE, self._start_distance[ids])
            failure[ids] = terminations.failure_kind(
                now.state.unstable[ids], gone[ids], self._was_lifted[ids], low, self._was_moved[ids], far
            )
        return failure


def _lowest(p_world_anchors: np.ndarray) -> np.ndarray:
    """Height (N) [m] of the lowest anchor point of (N, K, 3)."""
    return np.minimum.reduce(p_world_anchors[..., 2], -1)
