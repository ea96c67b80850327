"""Find contacts: which capsules are how near to each other and to obstacles.

In:  ``CollisionModel``, joint positions, ``Obstacle`` s, a margin.   Out: ``Contacts`` nearer than the margin.
Not here: the worst of them (report), pushing away from them (penalty).

Most pairs are far apart. Spheres around the capsules tell which are not, for all pairs at once; only those are measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.collision.model import CollisionModel
from h2s2r_retarget.collision.obstacles import Obstacle, lowest_on_segments
from h2s2r_retarget.collision.segments import closest_points


@dataclass(frozen=True, eq=False)
class Contacts:
    """K places where something is near: two capsules, or a capsule and an obstacle."""

    configuration: np.ndarray
    """(K) which row of the joint positions."""
    first: np.ndarray
    """(K) capsule."""
    second: np.ndarray
    """(K) the other capsule; C + o for obstacle number o."""
    distance: np.ndarray
    """(K) [m] between the surfaces, negative where they overlap."""
    point_first: np.ndarray
    """(K, 3) [m] nearest point of the first capsule's axis, in the world."""
    point_second: np.ndarray
    """(K, 3) [m] nearest point of the second capsule's axis; for an obstacle that of the first again."""
    normal: np.ndarray
    """(K, 3) unit vector along which the first must move to get away."""
    tip_pair: np.ndarray
    """(K) whether both belong to fingertips."""


def find_contacts(
    model: CollisionModel, joint_pos: np.ndarray, obstacles: Sequence[Obstacle], margin: float
) -> Contacts:
    """Everything nearer than ``margin`` [m] for joint positions (N, J)."""
    start, end = model.place(joint_pos)
    found = [_between_capsules(model, start, end, margin)]
    for number, obstacle in enumerate(obstacles):
        # No point of a capsule is nearer than its middle by more than the radius of the sphere that holds it.
        coarse = obstacle.distance(0.5 * (start + end)) - model.reach
        n, i = np.nonzero((coarse < margin) & model.moves)
        if len(n):
            found.append(_with_obstacle(model, start[n, i], end[n, i], (n, i), obstacle, number, margin))
    fields = {name: np.concatenate([getattr(each, name) for each in found]) for name in Contacts.__dataclass_fields__}
    return Contacts(**fields)


def _between_capsules(model: CollisionModel, start: np.ndarray, end: np.ndarray, margin: float) -> Contacts:
    middle = 0.5 * (start + end)
    squares = np.einsum("nci,nci->nc", middle, middle)
    apart = squares[:, :, None] + squares[:, None, :] - 2 * middle @ middle.transpose(0, 2, 1)
    near = (model.reach[:, None] + model.reach + margin) ** 2
    n, i, j = np.nonzero((apart < near) & model.watched)
    point_first, point_second = closest_points(start[n, i], end[n, i], start[n, j], end[n, j])
    between = point_first - point_second
    length = np.sqrt(np.einsum("ki,ki->k", between, between))
    distance = length - model.capsules.radius[i] - model.capsules.radius[j]
    keep = distance < margin
    n, i, j, length = n[keep], i[keep], j[keep], length[keep]
    crossing = length < 1e-9
    # Where two axes cross, any way out across the first is as good as another.
    between = np.where(crossing[:, None], _across(end[n, i] - start[n, i]), between[keep])
    normal = between / np.where(crossing, 1.0, length)[:, None]
    return Contacts(
        n, i, j, distance[keep], point_first[keep], point_second[keep], normal, model.tip_pair[i, j]
    )  # fmt: skip


def _with_obstacle(
    model: CollisionModel,
    start: np.ndarray,
    end: np.ndarray,
    whose: tuple[np.ndarray, np.ndarray],
    obstacle: Obstacle,
    number: int,
    margin: float,
) -> Contacts:
    """Contacts of segments (S, 3), given by configuration and capsule, with one obstacle."""
    points, distance = lowest_on_segments(obstacle, start, end)
    distance = distance - model.capsules.radius[whose[1]]
    keep = distance < margin
    n, i, points = whose[0][keep], whose[1][keep], points[keep]
    second = np.full(len(i), len(model.capsules.links) + number)
    return Contacts(
        n, i, second, distance[keep], points, points, obstacle.outward(points), np.zeros(len(i), dtype=bool)
    )  # fmt: skip


def _across(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (K, 3) perpendicular to vectors (K, 3); to zero, some unit vector."""
    other = np.eye(3)[np.argmin(np.abs(vectors), axis=-1)]
    across = np.cross(vectors, other)
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    return np.where(length < 1e-12, other, across / np.maximum(length, 1e-12))
