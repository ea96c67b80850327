"""How far a configuration is from its targets, and how that changes with the joints.

In:  tables of a chain, ``joint_pos`` (N, J), ``Targets``.   Out: ``Linearised``: cost, gradient, Hessian.
Not here: choosing the next configuration (descent).

The residual stacks, for each frame, target minus position [m], and for each pose frame the rotation vector that is left
to turn times ``rotation_weight`` [m]. Its gradient is exact; the Hessian is Gauss–Newton's, with the exact curvature of
the positions if asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from h2s2r_retarget.kinematics import motion
from h2s2r_retarget.kinematics.tables import Tables
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.se3 import quaternions

#: An extra term: takes ``joint_pos`` (N, J), returns a residual (N, K) [m] and its Jacobian (N, K, J).
Penalty = Callable[[Array], "tuple[Array, Array]"]


@dataclass(frozen=True)
class Targets:
    """What N problems should reach: the first P of the F frames with their orientation."""

    points: Array
    """(N, F, 3) [m] wanted positions in the root."""
    rotations: Array
    """(N, P, 3, 3) wanted orientations in the root; P may be 0."""

    def take(self, index: Array) -> Targets:
        """The problems ``index`` (int or bool)."""
        return Targets(self.points[index], self.rotations[index])


@dataclass(frozen=True)
class Linearised:
    """Half the squared residual around one configuration of each problem."""

    cost: Array
    """(N) [m²]."""
    gradient: Array
    """(N, J) [m²/rad]."""
    hessian: Array
    """(N, J, J) [m²/rad²]."""
    largest: Array
    """(N) [m] largest component of the residual."""

    def take(self, index: Array) -> Linearised:
        """The problems ``index`` (int or bool)."""
        return Linearised(self.cost[index], self.gradient[index], self.hessian[index], self.largest[index])

    def where(self, condition: Array, other: Linearised) -> Linearised:
        """These where ``condition`` (N) holds, else ``other``."""
        return Linearised(
            arrays.where(condition, self.cost, other.cost),
            arrays.where(condition[:, None], self.gradient, other.gradient),
            arrays.where(condition[:, None, None], self.hessian, other.hessian),
            arrays.where(condition, self.largest, other.largest),
        )


@dataclass(frozen=True)
class Objective:
    """The residual of one chain as a function of its joints."""

    tables: Tables
    """Constants of the chain, of the kind of the arrays to come."""
    rotation_weight: float
    """[m/rad]."""
    identity: Array
    """(J, J)."""
    penalty: Penalty | None = None
    """Extra residual, e.g. against collisions."""

    def linearise(self, joint_pos: Array, targets: Targets, curvature: bool) -> Linearised:
        """Cost, gradient and Hessian at ``joint_pos`` (N, J)."""
        tables, num_poses = self.tables, targets.rotations.shape[1]
        placed = motion.place(tables, joint_pos)
        ahead = targets.points - placed.points
        moves = [motion.point_jacobian(tables, placed, placed.points)]
        residuals = [ahead]
        if num_poses:
            left = targets.rotations @ arrays.swapaxes(placed.rotations[:, :num_poses], -1, -2)
            residuals.append(self.rotation_weight * rotation_vector(left))
            moves.append(self.rotation_weight * motion.turn_jacobian(tables, placed)[:, :num_poses])
        residual, jacobian = _rows(residuals, moves)
        if self.penalty is not None:
            extra, extra_jacobian = self.penalty(joint_pos)
            residual = arrays.concatenate((residual, -extra), -1)
            jacobian = arrays.concatenate((jacobian, arrays.swapaxes(extra_jacobian, -1, -2)), -1)
        hessian = jacobian @ arrays.swapaxes(jacobian, -1, -2)
        if curvature and not num_poses:
            hessian = hessian - motion.point_curvature(tables, placed, placed.points, ahead)
        return Linearised(
            0.5 * arrays.add_reduce(residual * residual),
            -(jacobian @ residual[..., None])[..., 0],
            hessian,
            arrays.amax(arrays.absolute(residual)),
        )

    def errors(self, joint_pos: Array, targets: Targets) -> tuple[Array, Array]:
        """Distances (N, F) [m] and angles (N, P) [rad] left at ``joint_pos`` (N, J)."""
        placed = motion.place(self.tables, joint_pos)
        back = arrays.swapaxes(placed.rotations[:, : targets.rotations.shape[1]], -1, -2)
        distance = arrays.norm(targets.points - placed.points)
        return distance, arrays.norm(rotation_vector(targets.rotations @ back))


def rotation_vector(matrix: Array) -> Array:
    """Rotation vectors (…, 3) [rad] of rotation matrices (…, 3, 3), accurate up to half a turn."""
    entries = matrix.reshape(*matrix.shape[:-2], 9)
    twice_axis = entries[..., [7, 2, 3]] - entries[..., [5, 6, 1]]
    sine = 0.5 * arrays.norm(twice_axis)
    cosine = 0.5 * (arrays.add_reduce(entries[..., ::4]) - 1.0)
    # At angle zero this is 0 * 0 / 1e-30: zero, as it should be.
    vector = twice_axis * (0.5 * arrays.arctan2(sine, cosine) / arrays.maximum(sine, 1e-30))[..., None]
    near_half_turn = cosine < -0.95
    if bool(near_half_turn.any()):
        vector[near_half_turn] = quaternions.log(quaternions.from_matrix(matrix[near_half_turn]))
    return vector


def _rows(residuals: list[Array], moves: list[Array]) -> tuple[Array, Array]:
    """Residuals (N, F, 3) as (N, R) and how the frames move (N, F, J, 3) as (N, J, R)."""
    rows, columns = [], []
    for residual, move in zip(residuals, moves, strict=True):
        num, frames, joints, _ = move.shape
        rows.append(residual.reshape(num, 3 * frames))
        columns.append(arrays.swapaxes(move, 1, 2).reshape(num, joints, 3 * frames))
    if len(rows) == 1:
        return rows[0], columns[0]
    return arrays.concatenate(rows, -1), arrays.concatenate(columns, -1)
