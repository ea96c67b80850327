"""Many rotations at once: spread evenly over all, or small ones.

In:  how many, or rotation vectors.   Out: (K, 3, 3) matrices.
Not here: one rotation (align), poses of the public interface (schemas.se3).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.se3 import quaternions


def orientations(count: int) -> np.ndarray:
    """(count, 3, 3) rotations spread evenly over all, always the same (super-Fibonacci spiral, Alexa, CVPR 2022)."""
    # The positive root of ψ⁴ = ψ + 4, and the square root of two: the paper's pair of constants.
    first, second = np.sqrt(2.0), 1.533751168755204288118041
    s = np.arange(count) + 0.5
    alpha, beta = 2 * np.pi * s / first, 2 * np.pi * s / second
    low, high = np.sqrt(s / count), np.sqrt(1.0 - s / count)
    wxyz = np.stack((low * np.sin(alpha), low * np.cos(alpha), high * np.sin(beta), high * np.cos(beta)), axis=1)
    return quaternions.to_matrix(wxyz)


def small_turns(rotvecs: np.ndarray) -> np.ndarray:
    """(K, 3, 3) rotations of rotation vectors (K, 3) [rad]."""
    return quaternions.to_matrix(quaternions.exp(rotvecs))
