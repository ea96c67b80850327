"""When an episode is over, and why it failed.

In:  errors, heights, distances of N environments.   Out: booleans (N), failure kinds (N).
Not here: success (schemas; kept by env.judge), resets (env).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import FAILURE_KINDS, SUCCESS
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.mdp.tracking import anchor_distance

DROPPED, MISSED, STUCK, OUT_OF_WORKSPACE, UNSTABLE = range(len(FAILURE_KINDS))


#: [m] mean distance of the fingertips from the object's origin above which the hand has lost it.
HAND_DISTANCE = 0.35


@dataclass(frozen=True)
class TerminationCfg:
    """When to give up an episode."""

    anchor_error: float = SUCCESS.anchor
    """[m] mean anchor-point error, from what is aimed at, above which an episode is lost; more where something else than the
    full reference is aimed at, by as much as the reference is off it. For learners it may be less than success allows: where
    an object that is never tipped, or lifted, stays within what success allows until the end, nothing is lost by not doing it."""
    lag: float | None = None
    """[s] for which an object may stay behind: where the reference moves further than ``anchor_error`` in this time, the limit
    is as much, up to what success allows. None for the same limit everywhere."""
    start_slack: float = 0.05
    """[m] by which the limit exceeds 1.15 times the error at the start, where that is larger: a displaced start must not end
    at once, but has to be mended."""
    slack_decay: float = 0.09
    """[m/s] at which that excess is taken back."""
    hand_distance: float | None = HAND_DISTANCE
    """[m] mean distance of the fingertips from the object's origin above which the hand has lost it; none to never end for
    that."""
    hand_leave: float | None = None
    """[m] by which that distance may grow from what it is at the start; none for no such limit. For learners: a hand that stays
    away is paid for an object at rest where it should be, and what it might push too early is not."""
    below_table: float = 0.05
    """[m] under the table's surface at which the object has left the workspace."""
    workspace: float = 1.2
    """[m] from the robot's base within which the object stays."""
    judged: bool = False
    """Whether an episode also ends as soon as success, by the full reference, has become impossible: for evaluation."""
    stagger: bool = False
    """Whether the first episodes after a reset are cut short, each at another moment, so that from then on all parts of the
    reference are met at once: for learners. Where all environments go through the task in step, what is learned of one part
    is unlearned while all of them are in the next."""

    def __post_init__(self) -> None:
        if not self.anchor_error > 0.0 or not self.slack_decay > 0.0:
            raise SchemaError(f"anchor_error {self.anchor_error} m and slack_decay {self.slack_decay} m/s are above 0.")
        if self.lag is not None and not self.lag > 0.0:
            raise SchemaError(f"lag {self.lag} s is above 0, or none.")
        if self.hand_leave is not None and not self.hand_leave > 0.0:
            raise SchemaError(f"hand_leave {self.hand_leave} m is above 0, or none.")


def reference_limit(cfg: TerminationCfg, p_world_anchors: Array, control_dt: float) -> Array:
    """(T) [m] error at which an episode ends at each step of the goal clock, whatever its start.

    Args:
        cfg: what is allowed.
        p_world_anchors: (T, K, 3) [m] anchor points of the reference.
        control_dt: [s] between its steps.
    """
    limit = arrays.norm(p_world_anchors[:, 0]) * 0.0 + cfg.anchor_error
    for steps in range(1, 1 + int((cfg.lag or 0.0) / control_dt)):
        moved = anchor_distance(p_world_anchors[steps:], p_world_anchors[:-steps])
        limit[steps:] = arrays.maximum(limit[steps:], arrays.minimum(moved, SUCCESS.anchor))
    return limit


def anchor_limit(cfg: TerminationCfg, limit: Array, start_error: Array, time: Array) -> Array:
    """(N) [m] error at which an episode ends, ``time`` (N) [s] after its start with error ``start_error`` (N) [m].

    Args:
        cfg: how much more is allowed after a displaced start.
        limit: (N) [m] of the reference at this time, whatever the start.
        start_error: (N) [m].
        time: (N) [s].
    """
    widened = 1.15 * start_error + cfg.start_slack - cfg.slack_decay * time
    return arrays.maximum(widened, limit)


def hand_limit(distance: float | None, start_distance: Array, leave: float | None = None) -> Array:
    """(N) [m] mean fingertip distance above which the hand is lost: ``distance``, or more where it started further off; and in
    any case ``leave`` more than at the start.
    """
    limit = arrays.maximum(1.15 * start_distance, float("inf") if distance is None else distance)
    return limit if leave is None else arrays.minimum(limit, start_distance + leave)


def out_of_workspace(cfg: TerminationCfg, p_world_object: Array, table_height: float) -> Array:
    """(N) whether the object (N, 3) [m] fell off the table or went out of reach."""
    fallen = p_world_object[:, 2] < table_height - cfg.below_table
    return fallen | (arrays.norm(p_world_object) > cfg.workspace)


def failure_kind(
    unstable: Array, gone: Array, was_lifted: Array, is_low: Array, was_moved: Array, hand_lost: Array
) -> Array:
    """(N) index into ``FAILURE_KINDS`` of why an episode failed that did fail.

    Args:
        unstable: the simulation exploded.
        gone: the object left the workspace.
        was_lifted: it was clear of its support at some time.
        is_low: it is much lower than its goal now.
        was_moved: it was moved by the robot at some time.
        hand_lost: the fingers are far from it.
    """
    kind = arrays.where(hand_lost | ~was_moved, MISSED, STUCK)
    kind = arrays.where(was_lifted & is_low, DROPPED, kind)
    kind = arrays.where(gone, OUT_OF_WORKSPACE, kind)
    return arrays.where(unstable, UNSTABLE, kind)
