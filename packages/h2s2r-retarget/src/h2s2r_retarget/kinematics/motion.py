"""Forward kinematics and geometric Jacobian of a chain, on NumPy arrays or torch tensors.

In:  ``Tables``, ``joint_pos`` (…, J).   Out: 4×4 matrices of joints and frames in the root frame, Jacobians.
Not here: names, shapes and limits (chain checks them), SE3 (chain converts).

Batch dimensions (…) come first in every array; one configuration is a batch of shape ().
"""

from __future__ import annotations

from h2s2r_retarget.kinematics.tables import Tables
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array


def joint_matrices(tables: Tables, joint_pos: Array) -> Array:
    """Frames (…, M, 4, 4) of the moving joints in the root: z along the axis, translations [m].

    Args:
        tables: constants of the kind and dtype of ``joint_pos``.
        joint_pos: (…, J) [rad or m].
    """
    q = joint_pos if tables.direct else joint_pos @ arrays.swapaxes(tables.matrix, 0, 1) + tables.offset
    sine, cosine = arrays.sin(q)[..., None, None], arrays.cos(q)[..., None, None]
    local = tables.still + tables.turn_sin * sine + tables.turn_cos * cosine
    if tables.has_slides:
        local = local + tables.slide * q[..., None, None]
    done = []
    for (start, stop), parents in zip(tables.levels, tables.parents, strict=True):
        step = local[..., start:stop, :, :]
        if done:
            before = done[-1] if parents is None else done[-1][..., parents, :, :]
            step = before @ step
        done.append(step)
    return arrays.concatenate(done, -3) if len(done) > 1 else local


def frame_matrices(tables: Tables, joints: Array) -> Array:
    """Frames (…, F, 4, 4) in the root, from ``joint_matrices`` (…, M, 4, 4)."""
    if 0 in tables.frame_joints:
        batch = tuple(joints.shape[:-3])
        root = arrays.broadcast_to(arrays.eye(4, joints), (*batch, 1, 4, 4))
        carriers = arrays.concatenate((root, joints), -3)[..., tables.frame_joints, :, :]
    else:
        carriers = joints[..., [joint - 1 for joint in tables.frame_joints], :, :]
    return carriers @ tables.frames


def point_jacobian(tables: Tables, joints: Array, points: Array) -> Array:
    """How points move: (…, F, J, 3) [m/rad, or m/m for a slide], in root axes.

    Args:
        tables: constants of the chain.
        joints: (…, M, 4, 4) from ``joint_matrices``.
        points: (…, F, 3) [m] in the root: one point carried by each frame.
    """
    axes, origins = joints[..., None, :, :3, 2], joints[..., None, :, :3, 3]
    moves = arrays.cross(axes, points[..., None, :] - origins) * tables.turns[..., None]
    if tables.has_slides:
        moves = moves + axes * tables.slides[..., None]
    return _in_chain_joints(tables, moves)


def turn_jacobian(tables: Tables, joints: Array) -> Array:
    """How frames turn: (…, F, J, 3) [rad/rad, or rad/m for a slide], in root axes."""
    return _in_chain_joints(tables, joints[..., None, :, :3, 2] * tables.turns[..., None])


def _in_chain_joints(tables: Tables, moves: Array) -> Array:
    """(…, F, M, 3) of the moving joints as (…, F, J, 3) of the joints that drive them."""
    return moves if tables.direct else arrays.swapaxes(tables.matrix, 0, 1) @ moves
