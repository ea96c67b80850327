"""Success of an episode: one definition, for every task, robot and report.

In:  where the object and its goal were over time.   Out: errors, and whether the episode succeeded.
Not here: rewards and the goal clock (sim).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts.geometry import Symmetry
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3, quaternions


@dataclass(frozen=True)
class SuccessCriteria:
    """The numbers of DESIGN §5. Nobody narrows them for a task."""

    position: float = 0.03
    """[m] largest object position error from the end of the reference on."""
    rotation: float = float(np.deg2rad(15.0))
    """[rad] largest object rotation error (symmetry-aware) from the end of the reference on."""
    settle_time: float = 0.5
    """[s] for which both must hold after the end of the reference."""
    anchor: float = 0.10
    """[m] largest mean anchor-point error at any time."""
    time_limit_factor: float = 2.0
    """The reference must end within this many times its own duration."""


SUCCESS = SuccessCriteria()


def align_symmetry(T_world_object: SE3, T_world_goal: SE3, symmetry: Symmetry) -> SE3:
    """The pose nobody can tell from ``T_world_object`` that is turned least from ``T_world_goal``; batched."""
    R_goal_object = quaternions.multiply(quaternions.conjugate(T_world_goal.wxyz), T_world_object.wxyz)
    best, best_angle = None, None
    for rotation in symmetry.rotations_wxyz:
        turned = quaternions.multiply(R_goal_object, arrays.like(rotation, R_goal_object))
        if symmetry.continuous:
            turned = quaternions.multiply(turned, _untwist(turned, arrays.like(symmetry.axis, turned)))
        angle = quaternions.angle(turned)[..., None]
        if best is None:
            best, best_angle = turned, angle
        else:
            best = arrays.where(angle < best_angle, turned, best)
            best_angle = arrays.minimum(angle, best_angle)
    return SE3.from_parts(quaternions.multiply(T_world_goal.wxyz, best), T_world_object.translation)


def _untwist(wxyz: Array, axis: Array) -> Array:
    """The turn about ``axis`` that, applied first, leaves the smallest rotation (swing-twist decomposition)."""
    along = arrays.add_reduce(wxyz[..., 1:] * axis, -1, True)
    length = arrays.sqrt(wxyz[..., 0:1] ** 2 + along**2)
    # A half turn about an axis across ``axis`` has no twist to undo.
    flat = length < 1e-9
    safe = arrays.where(flat, length * 0.0 + 1.0, length)
    cosine = arrays.where(flat, length * 0.0 + 1.0, wxyz[..., 0:1] / safe)
    sine = arrays.where(flat, length * 0.0, along / safe)
    return arrays.concatenate((cosine, -sine * axis), -1)


def object_error(T_world_object: SE3, T_world_goal: SE3, symmetry: Symmetry) -> tuple[Array, Array]:
    """Position error (…) [m] and symmetry-aware rotation error (…) [rad]; batched, NumPy or torch."""
    return align_symmetry(T_world_object, T_world_goal, symmetry).distance(T_world_goal)


def anchor_error(T_world_object: SE3, T_world_goal: SE3, anchor_points: Array, symmetry: Symmetry) -> Array:
    """Mean distance (…) [m] of the anchor points (K, 3) from where the goal has them, symmetry-aware; batched."""
    aligned = align_symmetry(T_world_object, T_world_goal, symmetry)
    p_world_anchor = SE3(aligned.wxyz_xyz[..., None, :]).apply(anchor_points)
    p_world_goal_anchor = SE3(T_world_goal.wxyz_xyz[..., None, :]).apply(anchor_points)
    return arrays.norm(p_world_anchor - p_world_goal_anchor).mean(-1)


def is_success(
    time: np.ndarray,
    Ts_world_object: SE3,
    Ts_world_goal: SE3,
    reference_end: float,
    reference_duration: float,
    anchor_points: np.ndarray,
    symmetry: Symmetry,
) -> bool:
    """Whether one logged episode succeeded.

    Args:
        time: (T) [s] since the start of the episode, growing.
        Ts_world_object: (T) true object poses.
        Ts_world_goal: (T) goal poses; from ``reference_end`` on, the last pose of the reference.
        reference_end: [s] when the goal clock reached the end of the reference; infinity if it never did.
        reference_duration: [s] of the reference.
        anchor_points: (K, 3) [m] in the object frame.
        symmetry: of the object.

    Raises:
        SchemaError: lengths that differ, or no sample at all.
    """
    if not len(time) == len(Ts_world_object) == len(Ts_world_goal) or not len(time):
        raise SchemaError(
            f"An episode of {len(time)} times, {len(Ts_world_object)} object and {len(Ts_world_goal)} goal poses."
        )
    if reference_end > SUCCESS.time_limit_factor * reference_duration:
        return False
    # A sample at the very end may be off by rounding of accumulated steps.
    settled = reference_end + SUCCESS.settle_time
    if time[-1] < settled - 1e-6:
        return False
    counted = time <= settled + 1e-6
    anchors = anchor_error(Ts_world_object[counted], Ts_world_goal[counted], anchor_points, symmetry)
    if not bool((anchors <= SUCCESS.anchor).all()):
        return False
    final = counted & (time >= reference_end - 1e-6)
    position, rotation = object_error(Ts_world_object[final], Ts_world_goal[final], symmetry)
    return bool((position <= SUCCESS.position).all() and (rotation <= SUCCESS.rotation).all())
