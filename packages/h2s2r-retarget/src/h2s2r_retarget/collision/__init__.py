"""Collisions of a robot with itself and with things that stand still, as distances of capsules.

In:  ``Embodiment``, joint positions, ``Scene``.   Out: signed distances, the worst pairs, residuals that push away.
Not here: contact forces (sim), the solver that uses the residuals (solve).
"""

from h2s2r_retarget.collision.capsules import Capsules, capsules_of
from h2s2r_retarget.collision.model import CollisionModel
from h2s2r_retarget.collision.obstacles import Obstacle, half_space, obstacle_of, obstacles_of
from h2s2r_retarget.collision.penalty import PenaltyCfg, penalty
from h2s2r_retarget.collision.report import Collisions, check_collisions

__all__ = [
    "Capsules",
    "CollisionModel",
    "Collisions",
    "Obstacle",
    "PenaltyCfg",
    "capsules_of",
    "check_collisions",
    "half_space",
    "obstacle_of",
    "obstacles_of",
    "penalty",
]
