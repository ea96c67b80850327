"""How far a point is from the skin of the hand at rest: cones and balls, joined smoothly.

In:  points (N, 3) [m] in the palm frame, right hand at rest.   Out: signed distance (N) [m], negative inside; and per bone.
Not here: the surface as triangles (surface).

Widths between the parts were chosen by eye; the forearm's are those of a slim adult's wrist (40 by 56 mm) and elbow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_sim.demonstrate.hand.anatomy import (
    BONES,
    DIGITS,
    FINGER_RADII,
    FINGERS,
    FOREARM_LENGTH,
    KNUCKLES,
    THUMB_RADII,
    finger_direction,
    rest_chain,
)

_MM = 1e-3


@dataclass(frozen=True)
class Cone:
    """A line with a thickness that changes along it; a ball where both ends are the same."""

    bone: int
    """Position in ``BONES``."""
    ends: np.ndarray
    """(2, 3) [m]"""
    radii: tuple[float, float]
    """[m] at the ends."""

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance (N) [m] of points (N, 3)."""
        start, along = self.ends[0], self.ends[1] - self.ends[0]
        share = np.clip((points - start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
        nearest = start + share[:, None] * along
        return np.linalg.norm(points - nearest, axis=-1) - (self.radii[0] + share * (self.radii[1] - self.radii[0]))


def _cone(bone: str, start: np.ndarray, end: np.ndarray, first: float, second: float) -> Cone:
    return Cone(BONES.index(bone), np.array([start, end]), (first, second))


def _digit_cones(digit: str) -> list[Cone]:
    """The three bones of a digit; the last ends a radius before the end of the flesh."""
    chain = rest_chain(digit)
    radii = THUMB_RADII if digit == "thumb" else FINGER_RADII[FINGERS.index(digit)]
    chain[3] -= radii[3] * (chain[3] - chain[2]) / np.linalg.norm(chain[3] - chain[2])
    first = 2 + 3 * DIGITS.index(digit)
    return [
        Cone(first + part, chain[part : part + 2], (float(radii[part]), float(radii[part + 1]))) for part in range(3)
    ]


def _palm_cones() -> list[Cone]:
    """From the carpus to each knuckle, slightly palmar, and three pads."""
    carpus = np.array([[0.0, 13.0, 15.5], [-1.0, 4.0, 16.0], [0.0, -4.0, 16.0], [2.0, -12.0, 15.0]]) * _MM
    palmar = np.array([2.5, 0.0, 0.0]) * _MM
    widths = (12.4, 12.2, 11.8, 11.0)
    cones = [_cone("palm", carpus[i], KNUCKLES[i] + palmar, 14.5 * _MM, width * _MM) for i, width in enumerate(widths)]
    pads = [
        ([7.0, -24.0, 24.0], [6.0, -30.0, 58.0], 12.5, 11.0),  # heel of the little finger
        ([7.0, 22.0, 82.0], [8.0, -27.0, 72.0], 8.0, 8.0),  # under the knuckles
    ]
    return cones + [_cone("palm", np.array(a) * _MM, np.array(b) * _MM, r * _MM, s * _MM) for a, b, r, s in pads]


def _forearm_cones() -> list[Cone]:
    return [
        _cone("forearm", np.array([1.0, 12.0, 4.0]) * _MM, np.array([0.0, 13.0, -300.0]) * _MM, 0.0170, 0.034),
        _cone("forearm", np.array([1.0, -12.0, 4.0]) * _MM, np.array([0.0, -13.0, -300.0]) * _MM, 0.0165, 0.034),
    ]


_PALM, _FOREARM = _palm_cones(), _forearm_cones()
_DIGITS = {digit: _digit_cones(digit) for digit in DIGITS}
_THUMB_BALL = _cone(
    "thumb_metacarpal", np.array([11.0, 21.0, 26.0]) * _MM, rest_chain("thumb")[1] + 2e-3, 0.0150, 0.0125
)


def _webs() -> list[Cone]:
    """Skin between neighbouring fingers, across their proximal bones."""
    roots = [KNUCKLES[i] + 0.36 * 42e-3 * finger_direction(i) + np.array([1e-3, 0.0, 0.0]) for i in range(4)]
    return [_cone("palm", roots[i], roots[i + 1], 6.5 * _MM, 6.5 * _MM) for i in range(3)]


_WEBS = _webs()


def skin_distance(points: np.ndarray) -> np.ndarray:
    """Signed distance (N) [m] to the skin at rest, of points (N, 3) in the palm frame."""
    palm = _joined([cone.distance(points) for cone in _PALM], 9 * _MM)
    forearm = _joined([cone.distance(points) for cone in _FOREARM], 14 * _MM)
    body = _smooth_minimum(palm, forearm, 16 * _MM)
    thumb = _joined([cone.distance(points) for cone in (_THUMB_BALL, *_DIGITS["thumb"])], 4 * _MM)
    body = _smooth_minimum(body, thumb, 13 * _MM)
    for finger in FINGERS:
        body = _smooth_minimum(body, _joined([cone.distance(points) for cone in _DIGITS[finger]], 3 * _MM), 6 * _MM)
    for web in _WEBS:
        body = _smooth_minimum(body, web.distance(points), 5 * _MM)
    return np.maximum(body, -points[:, 2] - FOREARM_LENGTH)


def bone_distance(points: np.ndarray) -> np.ndarray:
    """Signed distance (N, 17) [m] to the flesh of each bone of ``BONES``."""
    nearest = np.full((len(points), len(BONES)), np.inf)
    for cone in (*_PALM, *_FOREARM, _THUMB_BALL, *(cone for cones in _DIGITS.values() for cone in cones)):
        nearest[:, cone.bone] = np.minimum(nearest[:, cone.bone], cone.distance(points))
    return nearest


def _joined(distances: list[np.ndarray], width: float) -> np.ndarray:
    joined = distances[0]
    for distance in distances[1:]:
        joined = _smooth_minimum(joined, distance, width)
    return joined


def _smooth_minimum(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    """The smaller of the two, rounded off where they differ by less than ``width`` [m]."""
    overlap = np.maximum(width - np.abs(first - second), 0.0)
    return np.minimum(first, second) - overlap * overlap / (4 * width)
