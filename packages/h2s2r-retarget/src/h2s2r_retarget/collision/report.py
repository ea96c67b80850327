"""Say how deep a robot is in itself or in the things around it.

In:  ``CollisionModel``, joint positions, obstacles.   Out: ``Collisions``: the worst pair of every configuration.
Not here: every contact (detect), getting out (penalty).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.collision.detect import Contacts, find_contacts
from h2s2r_retarget.collision.model import CollisionModel
from h2s2r_retarget.collision.obstacles import Obstacle


@dataclass(frozen=True, eq=False)
class Collisions:
    """The nearest pair of each configuration (…)."""

    distance: np.ndarray
    """(…) [m] signed distance of the nearest watched pair that is not two fingertips; ``range`` if none is nearer."""
    tip_distance: np.ndarray
    """(…) [m] the same of the nearest two fingertips, which may be meant to touch."""
    range: float
    """[m] nothing farther apart than this was measured."""
    pairs: np.ndarray
    """(…, 2) names of the links, or of link and obstacle, of the nearest pair that is not two fingertips; empty if none."""
    tip_pairs: np.ndarray
    """(…, 2) names of the nearest two fingertips' links; empty if none."""

    @property
    def depth(self) -> np.ndarray:
        """(…) [m] deepest penetration, two fingertips aside; 0 if there is none."""
        return np.maximum(-self.distance, 0.0)

    @property
    def tip_depth(self) -> np.ndarray:
        """(…) [m] deepest penetration of two fingertips; 0 if there is none."""
        return np.maximum(-self.tip_distance, 0.0)


def check_collisions(
    model: CollisionModel, joint_pos: np.ndarray, obstacles: Sequence[Obstacle] = (), reach: float = 0.0
) -> Collisions:
    """Look for collisions.

    Args:
        model: the robot.
        joint_pos: (…, J) [rad or m] in the order of the embodiment's ``joint_names``.
        obstacles: things in the world; world is the robot's root link.
        reach: [m] how far apart pairs are still measured; 0 finds penetrations only.

    Raises:
        SchemaError: the last dimension is not J.
    """
    joint_pos = np.asarray(model.chain.check(joint_pos))
    batch = joint_pos.shape[:-1]
    contacts = find_contacts(model, joint_pos.reshape(-1, joint_pos.shape[-1]), obstacles, reach)
    count = int(np.prod(batch))
    names = np.array([*model.capsules.links, *(obstacle.name for obstacle in obstacles), ""])
    distance, pairs = _nearest(contacts, ~contacts.tip_pair, count, names, reach)
    tip_distance, tip_pairs = _nearest(contacts, contacts.tip_pair, count, names, reach)
    return Collisions(
        distance=distance.reshape(batch),
        tip_distance=tip_distance.reshape(batch),
        range=reach,
        pairs=pairs.reshape(*batch, 2),
        tip_pairs=tip_pairs.reshape(*batch, 2),
    )


def _nearest(
    contacts: Contacts, chosen: np.ndarray, count: int, names: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N) [m] and names (N, 2) of the nearest of the chosen contacts of each configuration."""
    distance, pairs = np.full(count, reach), np.full((count, 2), len(names) - 1)
    kept = np.flatnonzero(chosen)
    farthest_first = kept[np.argsort(-contacts.distance[kept], kind="stable")]
    rows = contacts.configuration[farthest_first]
    # The last to be written is the nearest.
    distance[rows] = contacts.distance[farthest_first]
    pairs[rows, 0], pairs[rows, 1] = contacts.first[farthest_first], contacts.second[farthest_first]
    return distance, names[pairs]
