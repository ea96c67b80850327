"""What is paid for: the object following its goal, and steady actions. The same for every task and robot.

In:  tracking errors, actions.   Out: rewards (N) in [0, 1], less a small cost.
Not here: scaling for a learner (rl), endings (terminations).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class RewardCfg:
    """One set of numbers for all tasks."""

    alpha: float = 10.0
    """[1/m] how fast the reward falls with the mean anchor-point error: e⁻¹ at 10 cm (the published method's value; in our
    trials it learned faster than 20)."""
    action_change: float = 0.002
    """Cost of a mean square change of the action by one."""
    hand_tracking: float = 0.0
    """Share of the reward that is paid for fingertips near the human's; an ablation, 0 otherwise."""
    hand_alpha: float = 10.0
    """[1/m] how fast that falls with the mean fingertip distance."""

    def __post_init__(self) -> None:
        if not (
            self.alpha > 0.0
            and self.hand_alpha > 0.0
            and 0.0 <= self.hand_tracking <= 1.0
            and self.action_change >= 0.0
        ):
            raise SchemaError(
                f"alpha {self.alpha} and hand_alpha {self.hand_alpha} are above 0, hand_tracking {self.hand_tracking} lies in "
                f"[0, 1], action_change {self.action_change} is at least 0."
            )


def tracking(anchor_error: Array, alpha: float = 10.0) -> Array:
    """(N) ``exp(-alpha · anchor_error)``: 1 at the goal, in [0, 1], 0 where the error is no number.

    Args:
        anchor_error: (N) [m] mean distance of the anchor points from where the goal has them.
        alpha: [1/m].
    """
    reward = arrays.exp(-alpha * arrays.maximum(anchor_error, 0.0))
    return arrays.where(arrays.isfinite(anchor_error), reward, 0.0)


def action_change(action: Array, last_action: Array) -> Array:
    """(N) mean square change of the action (N, A)."""
    change = action - last_action
    return arrays.add_reduce(change * change) / change.shape[-1]


def hand_tracking(p_world_fingertips: Array, p_world_human_fingertips: Array, alpha: float = 10.0) -> Array:
    """(N) ``exp(-alpha · mean distance)`` of the robot's fingertips (N, F, 3) from the human's: for an ablation only."""
    return arrays.exp(-alpha * arrays.norm(p_world_fingertips - p_world_human_fingertips).mean(-1))
