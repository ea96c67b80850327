"""What only the critic sees: the true state, which no robot has.

In:  ``Seen`` with the true object, velocities, errors, physics.   Out: observations (N, C).
Not here: what the policy sees (observations).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_sim.engine import PhysicalParameters
from h2s2r_sim.mdp import observations
from h2s2r_sim.mdp.observations import Seen
from h2s2r_sim.mdp.tracking import TrackingError

#: Terms of ``observations`` that the critic sees, on true poses.
CRITIC_TERMS: tuple[tuple[str, dict[str, Sequence[int]]], ...] = (
    ("joint_pos", {}),
    ("joint_vel", {}),
    ("joint_lead", {}),
    ("palm", {}),
    ("fingertips", {}),
    ("object_pose", {}),
    ("goal_anchors", {}),
    ("phase", {}),
    ("last_action", {}),
)


@dataclass(frozen=True)
class Truth:
    """What the simulator knows besides."""

    lin_vel_world_object: Array
    """(N, 3) [m/s]."""
    ang_vel_world_object: Array
    """(N, 3) [rad/s]."""
    error: TrackingError
    """From what is aimed at."""
    anchor_limit: Array
    """(N) [m] error at which the episode would end."""
    physics: Array
    """(N, 7) how the world differs from the model: ``physics_columns``."""


def physics_columns(physics: PhysicalParameters) -> Array:
    """(N, 7) what of the drawn physics moves the object: frictions, mass, size, gravity, payload; 0 for the model."""
    return np.stack(
        (
            physics.object_friction - 1.0,
            physics.robot_friction - 1.0,
            physics.scene_friction - 1.0,
            physics.object_mass - 1.0,
            physics.object_size - 1.0,
            physics.gravity[:, 2] / 9.81,
            physics.payload,
        ),
        -1,
    )


def critic_observation(seen: Seen, truth: Truth, shared: dict[str, Array]) -> Array:
    """The critic's observation (N, C).

    Args:
        seen: as for the policy, but with the object where it truly is.
        truth: the rest.
        shared: terms that were worked out for the policy, as for ``observe``.
    """
    terms = observations.values(seen, CRITIC_TERMS, shared)
    # Speeds are squeezed: one violent step must not move the normaliser of all others.
    speeds = arrays.concatenate((truth.lin_vel_world_object, truth.ang_vel_world_object), -1)
    error = arrays.stack((truth.error.position, truth.error.rotation, truth.error.anchor, truth.anchor_limit), -1)
    return arrays.concatenate((*terms, arrays.clip(speeds, -10.0, 10.0), error, truth.physics), -1)
