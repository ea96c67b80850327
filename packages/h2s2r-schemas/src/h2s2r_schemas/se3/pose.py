"""Rigid poses: ``SE3`` and every conversion between pose formats.

In:  ``wxyz_xyz`` arrays, 4×4 matrices, ``xyzw`` quaternions, rotation vectors.   Out: ``SE3``, or those arrays.
Not here: trajectories (artifacts), symmetry and success (artifacts).

A variable that holds an ``SE3`` is named after what it maps: ``T_world_object`` takes object coordinates to world,
``Ts_world_object`` is a batch of such. Names cancel: ``T_world_object = T_world_camera @ T_camera_object``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import quaternions


class SE3:
    """One rigid pose or a batch of them, on NumPy arrays or torch tensors.

    Args:
        wxyz_xyz: (…, 7) unit quaternion (w ≥ 0) and translation [m]. Kept as given, dtype included; lists and integers
            become float64. Only the last dimension is checked here: values are checked where messages enter (codec).

    Raises:
        SchemaError: the last dimension is not 7.
    """

    __slots__ = ("wxyz_xyz",)
    wxyz_xyz: Array

    def __init__(self, wxyz_xyz: Any) -> None:
        values = arrays.asfloat(wxyz_xyz)
        if values.ndim == 0 or values.shape[-1] != 7:
            raise SchemaError(
                f"SE3 needs an array of shape (…, 7), wxyz_xyz; got {tuple(values.shape)}. "
                "Use SE3.from_matrix for 4×4 matrices."
            )
        object.__setattr__(self, "wxyz_xyz", values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("SE3 is frozen: make a new one.")

    def __reduce__(self) -> tuple[type[SE3], tuple[Array]]:
        # Copying and pickling would set attributes otherwise.
        return SE3, (self.wxyz_xyz,)

    def __repr__(self) -> str:
        return f"SE3(wxyz_xyz={self.wxyz_xyz!r})"

    # ── making one ──────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def identity(cls, batch: tuple[int, ...] = (), like: Array = None) -> SE3:
        """The pose that changes nothing, repeated to ``batch``; kind, dtype and device of ``like`` (NumPy float64 if none)."""
        like = np.zeros(0) if like is None else like
        one = arrays.like([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], like)
        return cls(arrays.broadcast_to(one, (*batch, 7)))

    @classmethod
    def from_parts(cls, wxyz: Array, translation: Array) -> SE3:
        """From quaternions (…, 4), normalised here, and translations (…, 3) [m]; batches broadcast."""
        wxyz = quaternions.normalise(arrays.asfloat(wxyz))
        translation = arrays.like(translation, wxyz)
        batch = np.broadcast_shapes(tuple(wxyz.shape[:-1]), tuple(translation.shape[:-1]))
        parts = (
            arrays.broadcast_to(wxyz, (*batch, 4)),
            arrays.broadcast_to(translation, (*batch, 3)),
        )
        return cls(arrays.concatenate(parts, -1))

    @classmethod
    def from_rotation_matrix(cls, rotation: Array, translation: Any = (0.0, 0.0, 0.0)) -> SE3:
        """From rotation matrices (…, 3, 3) and translations (…, 3) [m]."""
        return cls.from_parts(quaternions.from_matrix(arrays.asfloat(rotation)), translation)

    @classmethod
    def from_matrix(cls, matrix: Array) -> SE3:
        """From homogeneous matrices (…, 4, 4).

        Raises:
            SchemaError: wrong shape, last row not 0 0 0 1, or rotation not orthonormal to 1e-4 and right-handed.
        """
        matrix = arrays.asfloat(matrix)
        if matrix.ndim < 2 or tuple(matrix.shape[-2:]) != (4, 4):
            raise SchemaError(f"A pose matrix has shape (…, 4, 4); got {tuple(matrix.shape)}.")
        rotation, translation = matrix[..., :3, :3], matrix[..., :3, 3]
        values = arrays.to_numpy(matrix)
        gram = values[..., :3, :3] @ np.swapaxes(values[..., :3, :3], -1, -2)
        if not (
            np.allclose(values[..., 3, :], (0, 0, 0, 1), atol=1e-6)
            and np.allclose(gram, np.eye(3), atol=1e-4)
            and bool(np.all(np.linalg.det(values[..., :3, :3]) > 0))
        ):
            raise SchemaError(
                "A pose matrix needs an orthonormal, right-handed rotation and the last row 0 0 0 1; "
                "this one is scaled, mirrored or not rigid. Remove scale and shear first."
            )
        return cls.from_rotation_matrix(rotation, translation)

    @classmethod
    def from_xyzw_xyz(cls, xyzw_xyz: Array) -> SE3:
        """From (…, 7) arrays whose quaternion has its real part last (ROS, scipy, Isaac Gym)."""
        values = arrays.asfloat(xyzw_xyz)
        return cls.from_parts(arrays.concatenate((values[..., 3:4], values[..., :3]), -1), values[..., 4:])

    @classmethod
    def exp(cls, twist: Array) -> SE3:
        """From twists (…, 6): translational part [m], then rotation vector [rad]."""
        twist = arrays.asfloat(twist)
        rotvec = twist[..., 3:]
        left = _left_jacobian(rotvec)
        return cls.from_parts(
            quaternions.exp(rotvec),
            arrays.einsum("...ij,...j->...i", left, twist[..., :3]),
        )

    # ── its parts and other formats ─────────────────────────────────────────────────────────────────────────────────

    @property
    def wxyz(self) -> Array:
        """Rotation as unit quaternions (…, 4)."""
        return self.wxyz_xyz[..., :4]

    @property
    def translation(self) -> Array:
        """Translation (…, 3) [m]."""
        return self.wxyz_xyz[..., 4:]

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch: ``()`` for one pose."""
        return tuple(self.wxyz_xyz.shape[:-1])

    def rotation_matrix(self) -> Array:
        """Rotation as matrices (…, 3, 3)."""
        return quaternions.to_matrix(self.wxyz)

    def as_matrix(self) -> Array:
        """Homogeneous matrices (…, 4, 4), for a library that asks for them."""
        upper = arrays.concatenate((self.rotation_matrix(), self.translation[..., None]), -1)
        last_row = arrays.like([[0.0, 0.0, 0.0, 1.0]], self.wxyz_xyz)
        return arrays.concatenate((upper, arrays.broadcast_to(last_row, (*self.batch, 1, 4))), -2)

    def as_xyzw_xyz(self) -> Array:
        """(…, 7) arrays whose quaternion has its real part last."""
        return arrays.concatenate((self.wxyz_xyz[..., 1:4], self.wxyz_xyz[..., 0:1], self.translation), -1)

    def __getitem__(self, index: Any) -> SE3:
        """Part of a batch, or more dimensions (``T[..., None]``); the last dimension (the 7 numbers) stays whole.

        Raises:
            SchemaError: this is one pose, not a batch.
        """
        keys: Any = index if index.__class__ is tuple else (index,)
        adds_only = all(key is Ellipsis or key is None for key in keys)
        if not self.batch and not adds_only:
            raise SchemaError("This SE3 is one pose, not a batch: it has nothing to index.")
        whole_last = any(key is Ellipsis for key in keys)
        return SE3(self.wxyz_xyz[(*keys, slice(None))] if whole_last else self.wxyz_xyz[index])

    def __len__(self) -> int:
        """Length of the first batch dimension."""
        if not self.batch:
            raise TypeError("This SE3 is one pose, not a batch: it has no length.")
        return int(self.wxyz_xyz.shape[0])

    # ── algebra ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def __matmul__(self, other: SE3) -> SE3:
        """``T_a_b @ T_b_c`` is ``T_a_c``; batches broadcast."""
        return SE3.from_parts(quaternions.multiply(self.wxyz, other.wxyz), self.apply(other.translation))

    def inv(self) -> SE3:
        """``T_a_b.inv()`` is ``T_b_a``."""
        inverse = quaternions.conjugate(self.wxyz)
        return SE3.from_parts(inverse, -quaternions.rotate(inverse, self.translation))

    def apply(self, points: Array) -> Array:
        """Points (…, 3) [m] taken by this pose; batches broadcast (``T[..., None]`` for many points a pose)."""
        points = arrays.like(points, self.wxyz_xyz)
        return quaternions.rotate(self.wxyz, points) + self.translation

    def rotate(self, vectors: Array) -> Array:
        """Directions (…, 3) turned by this pose; batches broadcast."""
        return quaternions.rotate(self.wxyz, arrays.like(vectors, self.wxyz_xyz))

    def log(self) -> Array:
        """Twists (…, 6): translational part [m], then rotation vector [rad]; ``SE3.exp`` undoes it."""
        rotvec = quaternions.log(self.wxyz)
        translational = arrays.solve(_left_jacobian(rotvec), self.translation)
        return arrays.concatenate((translational, rotvec), -1)

    def interpolate(self, other: SE3, fraction: Any) -> SE3:
        """Pose at ``fraction`` (…) of the way to ``other``: straight line and shortest turn."""
        fraction = arrays.like(fraction, self.wxyz_xyz)
        wxyz = quaternions.slerp(self.wxyz, other.wxyz, fraction)
        return SE3.from_parts(
            wxyz,
            self.translation + (other.translation - self.translation) * fraction[..., None],
        )

    def distance(self, other: SE3) -> tuple[Array, Array]:
        """Distance of the origins (…) [m] and angle between the orientations (…) [rad]."""
        turn = quaternions.multiply(quaternions.conjugate(self.wxyz), other.wxyz)
        return arrays.norm(self.translation - other.translation), quaternions.angle(turn)


def _left_jacobian(rotvec: Array) -> Array:
    """The matrix (…, 3, 3) that relates a twist's translational part to the translation of its exponential."""
    angle = arrays.norm(rotvec)[..., None, None]
    small = angle < 1e-4
    safe = arrays.where(small, angle * 0.0 + 1.0, angle)
    a = arrays.where(small, 0.5 - angle * angle / 24.0, (1.0 - arrays.cos(safe)) / (safe * safe))
    b = arrays.where(
        small,
        1.0 / 6.0 - angle * angle / 120.0,
        (safe - arrays.sin(safe)) / (safe * safe * safe),
    )
    x, y, z = rotvec[..., 0], rotvec[..., 1], rotvec[..., 2]
    zero = x * 0.0
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    skew = arrays.stack([arrays.stack(row, -1) for row in rows], -2)
    return arrays.eye(3, rotvec) + a * skew + b * (skew @ skew)
