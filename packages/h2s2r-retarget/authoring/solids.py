"""Solid primitives: where they are, their volume and their inertia.

In:  points, radii, edges [m].   Out: ``Solid``; mass, centre of mass and inertia of several of uniform density.
Not here: URDF elements (description), which solids a robot is made of (iiwa14, allegro, leap, umi).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Solid:
    """A sphere, box, cylinder or capsule in the frame of its link."""

    kind: str
    """sphere, box, cylinder or capsule."""
    size: tuple[float, ...]
    """[m] sphere: radius; box: full edges; cylinder and capsule: radius, length of the straight part."""
    centre: tuple[float, float, float]
    """[m]"""
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """[rad] URDF's roll, pitch, yaw; cylinders and capsules lie along their z."""

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) solid axes in the link frame."""
        (cr, cp, cy), (sr, sp, sy) = np.cos(self.rpy), np.sin(self.rpy)
        yaw, pitch = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]]), np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        return yaw @ pitch @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])

    @property
    def volume(self) -> float:
        """[m³]"""
        if self.kind == "box":
            return float(np.prod(self.size))
        radius = self.size[0]
        straight = np.pi * radius**2 * self.size[1] if self.kind != "sphere" else 0.0
        round_ends = 4 / 3 * np.pi * radius**3 if self.kind != "cylinder" else 0.0
        return float(straight + round_ends)

    def inertia(self) -> np.ndarray:
        """(3, 3) [m⁵] inertia about the centre for density 1, along the link axes."""
        if self.kind == "box":
            squares = np.square(self.size)
            diagonal = self.volume / 12 * (squares.sum() - squares)
        else:
            diagonal = self._round_inertia()
        return self.rotation @ np.diag(diagonal) @ self.rotation.T

    def _round_inertia(self) -> np.ndarray:
        radius, length = self.size[0], self.size[1] if self.kind != "sphere" else 0.0
        straight = np.pi * radius**2 * length
        ends = 4 / 3 * np.pi * radius**3 if self.kind != "cylinder" else 0.0
        along = straight * radius**2 / 2 + ends * radius**2 * 2 / 5
        across = straight * (length**2 / 12 + radius**2 / 4)
        across += ends * (radius**2 * 2 / 5 + length**2 / 4 + length * radius * 3 / 8)
        return np.array([across, across, along])


def sphere(centre: Sequence[float], radius: float) -> Solid:
    """A ball."""
    return Solid("sphere", (radius,), _triple(centre))


def box(centre: Sequence[float], edges: Sequence[float], rpy: Sequence[float] = (0.0, 0.0, 0.0)) -> Solid:
    """A cuboid with full ``edges``."""
    return Solid("box", _triple(edges), _triple(centre), _triple(rpy))


def cylinder(start: Sequence[float], end: Sequence[float], radius: float) -> Solid:
    """A cylinder from the centre of one face to that of the other."""
    return _along("cylinder", start, end, radius)


def capsule(start: Sequence[float], end: Sequence[float], radius: float) -> Solid:
    """All points within ``radius`` of a segment."""
    return _along("capsule", start, end, radius)


def mass_properties(solids: Sequence[Solid], mass: float) -> tuple[np.ndarray, np.ndarray]:
    """Centre of mass (3) [m] and inertia (3, 3) [kg·m²] about it, of solids of one density that weigh ``mass`` together.

    Where solids overlap, matter counts twice: still the inertia of a real distribution of matter, so it is positive
    definite and keeps the triangle inequality.
    """
    volumes = np.array([solid.volume for solid in solids])
    centres = np.array([solid.centre for solid in solids])
    centre = volumes @ centres / volumes.sum()
    inertia = np.zeros((3, 3))
    for solid, volume in zip(solids, volumes, strict=True):
        arm = np.asarray(solid.centre) - centre
        inertia += solid.inertia() + volume * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    return centre, inertia * mass / volumes.sum()


def _along(kind: str, start: Sequence[float], end: Sequence[float], radius: float) -> Solid:
    a, b = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(b - a))
    x, y, z = (b - a) / length
    rpy = (0.0, float(np.arccos(np.clip(z, -1, 1))), float(np.arctan2(y, x)))
    return Solid(kind, (radius, length), _triple((a + b) / 2), rpy)


def _triple(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
