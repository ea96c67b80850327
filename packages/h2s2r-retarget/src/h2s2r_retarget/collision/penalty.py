"""Push a robot out of itself and away from things: residuals for a least-squares solver.

In:  ``CollisionModel``, joint positions (N, J), obstacles.   Out: residuals (N, K) [m] and their Jacobian (N, K, J).
Not here: the solver they are added to (solve), judging a result (report).

A residual is ``max(0, margin - distance)``. Two fingertips are left alone unless ``tip_margin`` is given: pinches need
them to meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.collision.detect import Contacts, find_contacts
from h2s2r_retarget.collision.model import CollisionModel
from h2s2r_retarget.collision.obstacles import Obstacle


@dataclass(frozen=True)
class PenaltyCfg:
    """How contacts push back."""

    margin: float = 0.005
    """[m] pairs nearer than this are pushed apart."""
    tip_margin: float | None = None
    """[m] the same for two fingertips; 0 lets them touch but not overlap; None leaves them alone."""
    contacts: int = 16
    """K: how many contacts of a configuration push; the nearest ones."""


def penalty(
    model: CollisionModel,
    joint_pos: np.ndarray,
    obstacles: Sequence[Obstacle] = (),
    cfg: PenaltyCfg | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals and Jacobian of the nearest contacts.

    Args:
        model: the robot.
        joint_pos: (N, J) [rad or m] in the order of the embodiment's ``joint_names``.
        obstacles: things in the world.
        cfg: margins.

    Returns:
        Residuals (N, K) [m], zero where there are fewer contacts, and their derivatives (N, K, J) [m per rad or m].
    """
    cfg = cfg or PenaltyCfg()
    joint_pos = np.asarray(model.chain.check(joint_pos))
    residual = np.zeros((len(joint_pos), cfg.contacts))
    jacobian = np.zeros((len(joint_pos), cfg.contacts, joint_pos.shape[-1]))
    contacts = find_contacts(model, joint_pos, obstacles, max(cfg.margin, cfg.tip_margin or 0.0))
    tip_margin = -np.inf if cfg.tip_margin is None else cfg.tip_margin
    overlap = np.where(contacts.tip_pair, tip_margin, cfg.margin) - contacts.distance
    kept, place = _strongest(overlap, contacts.configuration, cfg.contacts)
    rows = contacts.configuration[kept]
    residual[rows, place] = overlap[kept]
    jacobian[rows, place] = -_distance_gradient(model, joint_pos, contacts, kept)
    return residual, jacobian


def _strongest(overlap: np.ndarray, configuration: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which contacts push, at most ``count`` of a configuration, and the place of each among those of its own."""
    pushing = np.flatnonzero(overlap > 0)
    pushing = pushing[np.lexsort((-overlap[pushing], configuration[pushing]))]
    rows = configuration[pushing]
    first_of_row = np.searchsorted(rows, rows, side="left")
    place = np.arange(len(rows)) - first_of_row
    return pushing[place < count], place[place < count]


def _distance_gradient(
    model: CollisionModel, joint_pos: np.ndarray, contacts: Contacts, kept: np.ndarray
) -> np.ndarray:
    """(K, J) how the distance of each kept contact grows with each joint."""
    jacobian, origins = model.chain.jacobian(joint_pos), model.chain.matrices(joint_pos)[..., :3, 3]

    def along_normal(which: np.ndarray, capsule: np.ndarray, points: np.ndarray) -> np.ndarray:
        rows, frames = contacts.configuration[which], model.frame_of(capsule[which])
        normal = contacts.normal[which]
        lever = np.cross(points[which] - origins[rows, frames], normal)
        both = np.concatenate([normal, lever], axis=-1)[:, None, :]
        return (both @ jacobian[rows, frames])[:, 0]

    gradient = along_normal(kept, contacts.first, contacts.point_first)
    between_links = contacts.second[kept] < len(model.capsules.links)
    gradient[between_links] -= along_normal(kept[between_links], contacts.second, contacts.point_second)
    return gradient
