"""The robot as capsules: every collision shape of every link as one capsule or a few.

In:  ``Embodiment``.   Out: ``Capsules`` in the frames of their links.
Not here: which of them may touch (pairs), distances (segments, obstacles).

How shapes are read: a sphere is a capsule of no length. A cylinder gets round ends, so it grows by its radius at each; where
that is too much, list capsules in robot.toml. A box becomes a row of capsules inside it that touch all six faces: its
edges are rounded by half its smallest side, and its large faces are wavy by 3 % of that. Meshes are not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import Shape
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True, eq=False)
class Capsules:
    """C capsules, each fixed to a link: all points within ``radius`` of the segment from ``start`` to ``end``."""

    links: tuple[str, ...]
    """(C) link that carries each."""
    start: np.ndarray
    """(C, 3) [m] in its link's frame."""
    end: np.ndarray
    """(C, 3) [m]"""
    radius: np.ndarray
    """(C) [m]"""


def capsules_of(embodiment: Embodiment) -> Capsules:
    """All capsules of a robot, link by link; those of robot.toml in place of the URDF's."""
    links: list[str] = []
    rows: list[tuple[np.ndarray, np.ndarray, float]] = []
    replaced = {capsule[0] for capsule in embodiment.collision_capsules}
    for name, body in embodiment.links.items():
        own = [] if name in replaced else [row for shape in body.collision for row in capsules_of_shape(shape)]
        own += [
            (np.array(start), np.array(end), radius)
            for link, start, end, radius in embodiment.collision_capsules
            if link == name
        ]
        links += [name] * len(own)
        rows += own
    starts = np.array([row[0] for row in rows]).reshape(-1, 3)
    ends = np.array([row[1] for row in rows]).reshape(-1, 3)
    return Capsules(tuple(links), starts, ends, np.array([row[2] for row in rows]))


def capsules_of_shape(shape: Shape) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Start, end (3) [m] and radius [m] of the capsules that stand for one primitive."""
    if shape.kind == "mesh":
        return []
    if shape.kind == "box":
        segments, radius = _row_in_box(shape.size / 2)
    else:
        half = 0.0 if shape.kind == "sphere" else shape.size[1] / 2
        segments, radius = np.array([[[0.0, 0.0, -half], [0.0, 0.0, half]]]), float(shape.size[0])
    return [(start, end, radius) for start, end in SE3(shape.wxyz_xyz).apply(segments)]


def _row_in_box(half: np.ndarray) -> tuple[np.ndarray, float]:
    """Parallel segments (S, 2, 3) along the longest side, side by side along the middle one."""
    thin, middle, long = np.argsort(half)
    radius = half[thin]
    room = half[middle] - radius
    count = 1 + int(np.ceil(2 * room / (radius / 2))) if room > 1e-9 else 1
    segments = np.zeros((count, 2, 3))
    segments[:, :, middle] = np.linspace(-room, room, count)[:, None] if count > 1 else 0.0
    segments[:, 0, long], segments[:, 1, long] = -(half[long] - radius), half[long] - radius
    return segments, float(radius)
