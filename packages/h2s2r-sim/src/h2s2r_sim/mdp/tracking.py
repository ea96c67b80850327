"""How far the object is from its goal, by its anchor points and its pose, symmetry-aware.

In:  object and goal poses (N, 7).   Out: ``Placed`` objects, errors [m, rad].
Not here: what is made of them (rewards, terminations, observations), the definition of success (schemas).

The errors are those of ``h2s2r_schemas.artifacts.success``, computed once and kept: a step needs their parts several times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import Symmetry, TaskSpec, align_symmetry
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class Placed:
    """N objects where they are, turned within their symmetry to be near the goal."""

    wxyz_xyz_world_object: Array
    """(N, 7)."""
    rotation: Array
    """(N, 3, 3) its rotation as matrices."""
    p_world_anchors: Array
    """(N, K, 3) [m] anchor points in the world."""

    def take(self, index: Array) -> Placed:
        """Some of them."""
        return Placed(self.wxyz_xyz_world_object[index], self.rotation[index], self.p_world_anchors[index])


@dataclass(frozen=True)
class TrackedObject:
    """What of an object matters to tracking."""

    anchor_points: np.ndarray
    """(K, 3) [m] in the object frame."""
    symmetry: Symmetry
    """Turns that nobody can see."""

    @classmethod
    def of(cls, task: TaskSpec) -> TrackedObject:
        """The object of a task."""
        return cls(task.anchor_points, task.object.symmetry)

    @property
    def plain(self) -> bool:
        """Whether every turn of it can be seen."""
        return not self.symmetry.continuous and len(self.symmetry.rotations_wxyz) == 1

    def placed(self, T_world_object: SE3, T_world_goal: SE3 | None = None) -> Placed:
        """The objects at these poses (N), of all poses nobody can tell apart at those turned least from the goals.

        Args:
            T_world_object: (N).
            T_world_goal: (N); none to take the poses as they are.
        """
        if T_world_goal is not None and not self.plain:
            T_world_object = align_symmetry(T_world_object, T_world_goal, self.symmetry)
        rotation = T_world_object.rotation_matrix()
        anchors = arrays.like(self.anchor_points, rotation) @ arrays.swapaxes(rotation, -1, -2)
        return Placed(T_world_object.wxyz_xyz, rotation, anchors + T_world_object.translation[..., None, :])


@dataclass(frozen=True)
class TrackingError:
    """Errors of N objects."""

    position: Array
    """(N) [m] of the origin."""
    rotation: Array
    """(N) [rad], symmetry-aware."""
    anchor: Array
    """(N) [m] mean over the anchor points, symmetry-aware."""

    def take(self, index: Array) -> TrackingError:
        """Those of some objects."""
        return TrackingError(self.position[index], self.rotation[index], self.anchor[index])


def tracking_error(placed: Placed, wxyz_xyz_world_goal: Array, p_world_goal_anchors: Array) -> TrackingError:
    """All errors of N objects that were placed with respect to these goals (N, 7), with anchor points (N, K, 3) [m]."""
    position = arrays.norm(placed.wxyz_xyz_world_object[..., 4:] - wxyz_xyz_world_goal[..., 4:])
    cosine = arrays.add_reduce(placed.wxyz_xyz_world_object[..., :4] * wxyz_xyz_world_goal[..., :4])
    # Both are unit quaternions: of the turn between them this is the real part.
    sine = arrays.sqrt(arrays.maximum(1.0 - cosine * cosine, 0.0))
    rotation = 2.0 * arrays.arctan2(sine, arrays.absolute(cosine))
    return TrackingError(position, rotation, anchor_distance(placed.p_world_anchors, p_world_goal_anchors))


def anchor_distance(p_world_anchors: Array, p_world_goal_anchors: Array) -> Array:
    """Mean distance (…) [m] of anchor points (…, K, 3) from where the goal has them."""
    distance = arrays.norm(p_world_anchors - p_world_goal_anchors)
    return arrays.add_reduce(distance) / distance.shape[-1]
