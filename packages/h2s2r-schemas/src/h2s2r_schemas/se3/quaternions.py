"""Unit quaternions as ``wxyz`` arrays: the arithmetic under SE3.

In:  arrays (…, 4), NumPy or torch.   Out: arrays of the same kind and dtype.
Not here: translations, frames, and any other order than wxyz (se3).
"""

from __future__ import annotations

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array

_SMALL = 1e-12


def multiply(a_wxyz: Array, b_wxyz: Array) -> Array:
    """Hamilton product: first ``b``, then ``a`` (…, 4)."""
    w = a_wxyz[..., 0:1] * b_wxyz[..., 0:1] - arrays.add_reduce(a_wxyz[..., 1:] * b_wxyz[..., 1:], -1, True)
    xyz = (
        a_wxyz[..., 0:1] * b_wxyz[..., 1:]
        + b_wxyz[..., 0:1] * a_wxyz[..., 1:]
        + arrays.cross(a_wxyz[..., 1:], b_wxyz[..., 1:])
    )
    return arrays.concatenate((w, xyz), -1)


def conjugate(wxyz: Array) -> Array:
    """Inverse of a unit quaternion (…, 4)."""
    return arrays.concatenate((wxyz[..., 0:1], -wxyz[..., 1:]), -1)


def normalise(wxyz: Array) -> Array:
    """Unit length and ``w ≥ 0``, so that each rotation has one quaternion (…, 4)."""
    unit = wxyz / arrays.norm(wxyz, -1, True)
    return arrays.where(unit[..., 0:1] < 0, -unit, unit)


def rotate(wxyz: Array, vectors: Array) -> Array:
    """Vectors (…, 3) turned by unit quaternions (…, 4), with broadcasting."""
    xyz = wxyz[..., 1:]
    t = 2.0 * arrays.cross(xyz, vectors)
    return vectors + wxyz[..., 0:1] * t + arrays.cross(xyz, t)


def exp(rotvec: Array) -> Array:
    """Quaternion of a rotation vector (…, 3) [rad]: axis times angle."""
    half = 0.5 * arrays.norm(rotvec, -1, True)
    # sin(h)/h by its series near zero, where the quotient loses all digits.
    small = half < 1e-4
    safe = arrays.where(small, half * 0.0 + 1.0, half)
    sinc = arrays.where(small, 1.0 - half * half / 6.0, arrays.sin(safe) / safe)
    return normalise(arrays.concatenate((arrays.cos(half), 0.5 * sinc * rotvec), -1))


def log(wxyz: Array) -> Array:
    """Rotation vector (…, 3) [rad] of a unit quaternion, angle in [0, π]."""
    wxyz = arrays.where(wxyz[..., 0:1] < 0, -wxyz, wxyz)
    length = arrays.norm(wxyz[..., 1:], -1, True)
    angle = 2.0 * arrays.arctan2(length, wxyz[..., 0:1])
    small = length < 1e-7
    safe = arrays.where(small, length * 0.0 + 1.0, length)
    return wxyz[..., 1:] * arrays.where(small, 2.0 / arrays.maximum(wxyz[..., 0:1], _SMALL), angle / safe)


def angle(wxyz: Array) -> Array:
    """Angle of the rotation (…) [rad], in [0, π]."""
    return 2.0 * arrays.arctan2(arrays.norm(wxyz[..., 1:]), arrays.absolute(wxyz[..., 0]))


def to_matrix(wxyz: Array) -> Array:
    """Rotation matrices (…, 3, 3) of unit quaternions (…, 4)."""
    w, x, y, z = wxyz[..., 0], wxyz[..., 1], wxyz[..., 2], wxyz[..., 3]
    entries = (
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return arrays.stack(entries, -1).reshape(*wxyz.shape[:-1], 3, 3)


def from_matrix(matrix: Array) -> Array:
    """Unit quaternions (…, 4) of rotation matrices (…, 3, 3), by the largest of four candidates (Shepperd 1978)."""
    m = matrix
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    xy, xz, yz = (
        m[..., 0, 1] + m[..., 1, 0],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 1, 2] + m[..., 2, 1],
    )
    wx, wy, wz = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    squares = arrays.stack((1 + d0 + d1 + d2, 1 + d0 - d1 - d2, 1 - d0 + d1 - d2, 1 - d0 - d1 + d2), -1)
    candidates = (
        arrays.stack((squares[..., 0], wx, wy, wz), -1),
        arrays.stack((wx, squares[..., 1], xy, xz), -1),
        arrays.stack((wy, xy, squares[..., 2], yz), -1),
        arrays.stack((wz, xz, yz, squares[..., 3]), -1),
    )
    best, best_square = candidates[0], squares[..., 0:1]
    for candidate, k in zip(candidates[1:], (1, 2, 3)):
        better = squares[..., k : k + 1] > best_square
        best = arrays.where(better, candidate, best)
        best_square = arrays.where(better, squares[..., k : k + 1], best_square)
    return normalise(best)


def slerp(a_wxyz: Array, b_wxyz: Array, fraction: Array) -> Array:
    """The quaternion ``fraction`` (…) of the shortest way from ``a`` to ``b``."""
    step = log(multiply(conjugate(a_wxyz), b_wxyz))
    return normalise(multiply(a_wxyz, exp(step * fraction[..., None])))
