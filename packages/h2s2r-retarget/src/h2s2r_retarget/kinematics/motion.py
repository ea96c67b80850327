"""Forward kinematics and geometric Jacobian of a chain, on NumPy arrays or torch tensors.

In:  ``Tables``, ``joint_pos`` (…, J).   Out: ``Placed``: joint axes and frames in the root frame; Jacobians.
Not here: names, shapes and limits (chain checks them), SE3 (chain converts).

Batch dimensions (…) come first in every array; one configuration is a batch of shape ().
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from h2s2r_retarget.kinematics.tables import Tables
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array


@dataclass(frozen=True)
class Placed:
    """Where one configuration of each problem puts the joints and the frames, in the root frame."""

    levels: tuple[Array, ...]
    """(K, N, 4, 4) the moving joints level by level, their z axes along joint axes; N is the batch made flat."""
    frames: Array
    """(…, F, 4, 4) the frames; translations [m]."""

    @cached_property
    def axes(self) -> Array:
        """(…, M, 3) unit vectors: moving joint m turns about its axis or slides along it."""
        return self._joints(2)

    @cached_property
    def origins(self) -> Array:
        """(…, M, 3) [m] a point on each axis."""
        return self._joints(3)

    @property
    def points(self) -> Array:
        """(…, F, 3) [m] origins of the frames."""
        return self.frames[..., :3, 3]

    @property
    def rotations(self) -> Array:
        """(…, F, 3, 3) orientations of the frames."""
        return self.frames[..., :3, :3]

    def _joints(self, column: int) -> Array:
        """(…, M, 3) one column of all joints' transforms."""
        columns = arrays.swapaxes(arrays.concatenate([level[:, :, :3, column] for level in self.levels], 0), 0, 1)
        return columns.reshape(*self.frames.shape[:-3], *columns.shape[1:])


def place(tables: Tables, joint_pos: Array) -> Placed:
    """Forward kinematics.

    Args:
        tables: constants of the kind and dtype of ``joint_pos``.
        joint_pos: (…, J) [rad or m].
    """
    batch = tuple(joint_pos.shape[:-1])
    # Inside, joints come first and the batch second: then one matrix product per joint makes all its transforms.
    q = arrays.swapaxes(joint_pos.reshape(-1, joint_pos.shape[-1]), 0, 1)
    if not tables.direct:
        q = tables.matrix @ q + tables.offset[:, None]
    steps = _steps(tables, q)
    levels = []
    for (start, stop), parents in zip(tables.levels, tables.parents, strict=True):
        step = steps[start:stop]
        if levels:
            step = (levels[-1] if parents is None else levels[-1][list(parents)]) @ step
        levels.append(step)
    frames = arrays.swapaxes(_carriers(tables, levels, steps) @ tables.frames[:, None], 0, 1)
    return Placed(tuple(levels or (steps,)), frames.reshape(*batch, *frames.shape[1:]))


def _steps(tables: Tables, q: Array) -> Array:
    """Transform (M, N, 4, 4) of each moving joint from the one before it, at positions ``q`` (M, N)."""
    terms = [q * 0.0 + 1.0, arrays.sin(q), arrays.cos(q), *([q] if tables.has_slides else [])]
    products = arrays.concatenate([term[..., None] for term in terms], -1) @ tables.terms
    return products.reshape(*q.shape, 4, 4)


def _carriers(tables: Tables, levels: list[Array], steps: Array) -> Array:
    """The joint frames (F, N, 4, 4) that carry the frames."""
    carrying = [levels[level] for level in tables.frame_levels]
    if 0 in tables.frame_joints:
        carrying.insert(0, arrays.broadcast_to(arrays.eye(4, steps), (1, *steps.shape[1:])))
    together = carrying[0] if len(carrying) == 1 else arrays.concatenate(carrying, 0)
    places = tables.frame_places
    return together if places == tuple(range(len(together))) else together[list(places)]


def point_jacobian(tables: Tables, placed: Placed, points: Array) -> Array:
    """How points (…, F, 3) [m], one carried by each frame, move: (…, F, J, 3) [m/rad, or m/m for a slide]."""
    return _in_chain_joints(tables, _point_moves(tables, placed, points))


def turn_jacobian(tables: Tables, placed: Placed) -> Array:
    """How frames turn: (…, F, J, 3) [rad/rad, or rad/m for a slide], in root axes."""
    return _in_chain_joints(tables, _turns(tables, placed))


def point_curvature(tables: Tables, placed: Placed, points: Array, weights: Array) -> Array:
    """Second derivative (…, J, J) [m²/rad²] of ``sum(weights * points)`` with ``weights`` (…, F, 3) [m] held fixed.

    For joint i before joint j on the way to a point: axis_i × (how j moves the point), and zero if i slides.
    """
    moves, turned = _point_moves(tables, placed, points), arrays.cross(weights[..., None, :], _turns(tables, placed))
    pairs = _rows_per_joint(turned) @ arrays.swapaxes(_rows_per_joint(moves), -1, -2) * tables.order
    curvature = pairs + arrays.swapaxes(pairs, -1, -2)
    return curvature if tables.direct else arrays.swapaxes(tables.matrix, 0, 1) @ curvature @ tables.matrix


def _point_moves(tables: Tables, placed: Placed, points: Array) -> Array:
    """How each moving joint moves each point (…, F, M, 3)."""
    axes = placed.axes[..., None, :, :]
    moves = arrays.cross(axes, points[..., None, :] - placed.origins[..., None, :, :]) * tables.turns[..., None]
    return moves + axes * tables.slides[..., None] if tables.has_slides else moves


def _turns(tables: Tables, placed: Placed) -> Array:
    """How each moving joint turns each frame (…, F, M, 3)."""
    return placed.axes[..., None, :, :] * tables.turns[..., None]


def _rows_per_joint(moves: Array) -> Array:
    """(…, F, M, 3) as (…, M, 3F)."""
    swapped = arrays.swapaxes(moves, -3, -2)
    return swapped.reshape(*swapped.shape[:-2], -1)


def _in_chain_joints(tables: Tables, moves: Array) -> Array:
    """(…, F, M, 3) of the moving joints as (…, F, J, 3) of the joints that drive them."""
    return moves if tables.direct else arrays.swapaxes(tables.matrix, 0, 1) @ moves
