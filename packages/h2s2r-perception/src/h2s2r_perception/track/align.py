"""Move an object's surface onto what the camera measured: robust Gauss–Newton on depth, outline and points in the picture.

In:  ``Pull`` rows (residual and Jacobian of each term) and a prior.   Out: the step, and how firmly each axis is held.
Not here: which measurements belong to the object (evidence), what happens over time (tracker).

The step is a small motion of the object in the camera frame about its centre: 3 numbers [m], then a rotation vector [rad].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics


@dataclass(frozen=True)
class Pull:
    """Rows that pull on the pose: ``jacobian @ step`` should be ``residual``, with ``weight``."""

    jacobian: np.ndarray
    """(N, 6)"""
    residual: np.ndarray
    """(N)"""
    weight: np.ndarray
    """(N) robust weight over variance."""


def tukey(residual: np.ndarray, gate: float) -> np.ndarray:
    """Tukey's weights (N) of residuals (N): from 1 down to 0 at ``gate`` and beyond."""
    return np.maximum(1.0 - (residual / gate) ** 2, 0.0) ** 2


def plane_rows(points: np.ndarray, normals: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(N, 6) Jacobian of the distance along ``normals`` (N, 3) of surface ``points`` (N, 3) [m]; the turn is about ``centre``."""
    return np.concatenate((normals, cross(points - centre, normals)), axis=1)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, 3) cross products of rows (N, 3); ``numpy.cross`` takes five times as long for a few hundred rows."""
    x, y, z = a.T
    u, v, w = b.T
    return np.stack((y * w - z * v, z * u - x * w, x * v - y * u), axis=1)


def pixel_rows(points: np.ndarray, centre: np.ndarray, camera: CameraIntrinsics) -> np.ndarray:
    """(N, 2, 6) Jacobian [px] of where ``points`` (N, 3) [m] in the camera frame are seen; the turn is about ``centre``."""
    depth = points[:, 2]
    zero = np.zeros_like(depth)
    along_u = np.stack((camera.fx / depth, zero, -camera.fx * points[:, 0] / depth**2), axis=1)
    along_v = np.stack((zero, camera.fy / depth, -camera.fy * points[:, 1] / depth**2), axis=1)
    return np.stack((plane_rows(points, along_u, centre), plane_rows(points, along_v, centre)), axis=1)


def solve(pulls: list[Pull], prior: Prior, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The step (6) that fits all rows best, and the information matrix (6, 6) of the rows without the prior.

    Args:
        pulls: rows of every term.
        prior: how firmly the expected pose is believed.
        offset: (6) step that would lead to the expected pose.
    """
    information, gradient = np.zeros((6, 6)), np.zeros(6)
    for pull in pulls:
        weighted = pull.jacobian * pull.weight[:, None]
        information += weighted.T @ pull.jacobian
        gradient += weighted.T @ pull.residual
    held = prior.given(information)
    return np.linalg.solve(information + held, gradient + held @ offset), information


@dataclass(frozen=True)
class Prior:
    """How firmly the expected pose is believed: hardly where the frame speaks, firmly where it is silent.

    Noise, facets and a finger on the surface pull a little on axes about which a frame says nothing, the spin of a mug with a
    hidden handle above all; a prior of one strength either gives way to that or slows what is really seen to move.
    """

    lever: float
    """[m] that makes turns comparable with shifts: about the object's radius."""
    position: float
    """[m] standard deviation on an axis of which the frame says nothing; the same at the end of ``lever`` for turns."""
    loose: float
    """[m] the same on an axis that the frame holds well."""
    silent: float
    """[1/m²] information below which a frame says nothing of an axis."""

    def given(self, information: np.ndarray) -> np.ndarray:
        """(6, 6) information of the prior, given that (6, 6) of the frame."""
        scale = np.repeat((1.0, 1.0 / self.lever), 3)
        values, axes = np.linalg.eigh(information * np.outer(scale, scale))
        said = np.maximum(values, 0.0) / (np.maximum(values, 0.0) + self.silent)
        strength = (1.0 - said) ** 2 * self.position**-2 + self.loose**-2
        return (axes * strength) @ axes.T / np.outer(scale, scale)


def turn(rotvec: np.ndarray) -> np.ndarray:
    """(3, 3) rotation matrix of a rotation vector (3) [rad] (Rodrigues)."""
    angle = float(np.sqrt(rotvec @ rotvec))
    x, y, z = rotvec
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-8:
        return np.eye(3) + skew
    return np.eye(3) + np.sin(angle) / angle * skew + (1 - np.cos(angle)) / angle**2 * (skew @ skew)


def rotvec_of(rotation: np.ndarray) -> np.ndarray:
    """(3) [rad] rotation vector of a rotation matrix (3, 3)."""
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    sine, cosine = 0.5 * float(np.linalg.norm(axis)), 0.5 * (float(np.trace(rotation)) - 1.0)
    angle = float(np.arctan2(sine, cosine))
    if sine > 1e-6:
        return axis * (0.5 * angle / sine)
    if cosine > 0:
        return 0.5 * axis
    column = rotation + np.eye(3)
    longest = column[:, int(np.argmax((column**2).sum(axis=0)))]
    return angle * longest / np.linalg.norm(longest)
