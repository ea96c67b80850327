"""Which parts of a robot may touch which.

In:  ``Embodiment``.   Out: ``CollisionModel``: its capsules, the pairs to watch, and where they are for joint positions.
Not here: distances (detect), obstacles (obstacles).

Not watched: capsules of one rigid body (links joined by fixed joints), of two bodies joined by one joint, and of links that
robot.toml excludes. Pairs of two fingertips are watched, but marked: they are meant to meet in a pinch.
"""

from __future__ import annotations

import numpy as np

from h2s2r_retarget.collision.capsules import Capsules, capsules_of
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.kinematics import UrdfModel
from h2s2r_schemas.errors import SchemaError


class CollisionModel:
    """A robot's C capsules and the P pairs of them that are watched.

    Args:
        embodiment: the robot.

    Raises:
        SchemaError: no link has a shape that is read.
    """

    def __init__(self, embodiment: Embodiment) -> None:
        self.embodiment = embodiment
        self.capsules: Capsules = capsules_of(embodiment)
        if not self.capsules.links:
            raise SchemaError(
                f"{embodiment.name} has no collision shapes. Give its links boxes, spheres or cylinders in the URDF, or "
                "[[collision.capsule]] in robot.toml; meshes are not read."
            )
        links = tuple(dict.fromkeys(self.capsules.links))
        self.chain = embodiment.chain_of(links)
        self._link = [links.index(link) for link in self.capsules.links]
        bodies = {link: body_of(embodiment.model, link) for link in embodiment.model.links}
        self.moves: np.ndarray = np.array([bodies[link] != embodiment.model.root for link in self.capsules.links])
        """(C) whether a joint moves the capsule: what stands still is not held against obstacles."""
        self.watched, self.tip_pair = _pairs(embodiment, self.capsules.links, bodies)
        """(C, C) upper triangles: pairs that are watched, and pairs of two fingertips among them."""
        self.reach: np.ndarray = (
            0.5 * np.linalg.norm(self.capsules.end - self.capsules.start, axis=-1) + self.capsules.radius
        )
        """(C) [m] radius of the sphere about the middle of each capsule that holds it."""

    def place(self, joint_pos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends (N, C, 3) [m] of the capsules' segments in the world, for joint positions (N, J)."""
        matrices = self.chain.matrices(joint_pos)[:, self._link]
        rotation, translation = matrices[..., :3, :3], matrices[..., :3, 3]
        start = (rotation @ self.capsules.start[:, :, None])[..., 0] + translation
        end = (rotation @ self.capsules.end[:, :, None])[..., 0] + translation
        return start, end

    def frame_of(self, capsule: np.ndarray) -> np.ndarray:
        """Place of the capsules' links among the frames of ``chain``."""
        return np.asarray(self._link)[capsule]


def body_of(model: UrdfModel, link: str) -> str:
    """The rigid body that ``link`` is part of, named by the link of it that is nearest to the root."""
    path = model.path(link)
    while path and not path[-1].movable:
        link, path = path[-1].parent, path[:-1]
    return link


def _pairs(embodiment: Embodiment, links: tuple[str, ...], bodies: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    model = embodiment.model
    joined = {frozenset((bodies[joint.parent], bodies[joint.child])) for joint in model.joints}
    excluded = {frozenset(pair) for pair in embodiment.collision_exclusions}
    tips = {bodies[tip] for tip in embodiment.fingertip_frames}
    watched = np.zeros((len(links), len(links)), dtype=bool)
    tip_pair = np.zeros_like(watched)
    for i, first in enumerate(links):
        for j in range(i + 1, len(links)):
            second = links[j]
            pair = frozenset((bodies[first], bodies[second]))
            watched[i, j] = len(pair) == 2 and pair not in joined and frozenset((first, second)) not in excluded
            tip_pair[i, j] = watched[i, j] and pair <= tips
    return watched, tip_pair
