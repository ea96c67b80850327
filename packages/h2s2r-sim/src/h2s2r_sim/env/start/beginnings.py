"""How episodes begin: drawn from the pool of starts, each in a world of its own.

In:  a seed, how many.   Out: ``Beginning``: start states and draws.
Not here: solving starts (pool), putting them into engine and sensors (waiting, environment).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from h2s2r_schemas.robots import RobotSpec
from h2s2r_sim.engine import PhysicalParameters, StartState
from h2s2r_sim.env.start.pool import StartPool
from h2s2r_sim.mdp import events
from h2s2r_sim.mdp.events import SignalParameters
from h2s2r_sim.perturbation import Perturbation


@dataclass(frozen=True)
class Beginning:
    """K episodes about to begin."""

    start: StartState
    """Joints and object."""
    physics: PhysicalParameters
    """How each world differs from the model."""
    signals: SignalParameters
    """How measurements and commands differ from the truth."""
    goal_index: np.ndarray
    """(K) where on the reference each begins; 0 but where the start was slid along it."""


class Beginnings:
    """Draws beginnings.

    Args:
        cfg: how severe each cause is.
        robot: gives joints and torque limits.
        num_actions: A.
        gravity: (3) [m/s²] of the model.
        make_pool: solves a pool of starts from a random generator.
    """

    def __init__(
        self,
        cfg: Perturbation,
        robot: RobotSpec,
        num_actions: int,
        gravity: np.ndarray,
        make_pool: Callable[[np.random.Generator], StartPool],
    ) -> None:
        self._cfg, self._robot, self._num_actions = cfg, robot, num_actions
        self._gravity, self._make_pool = gravity, make_pool
        self._seed: int | None = None
        self._pool: StartPool | None = None
        self.rng = np.random.default_rng(0)
        """Everything random in the environment is drawn from this."""

    def seed(self, seed: int | None) -> None:
        """Begin a new random sequence; None goes on with the old one, or with 0 where there is none yet."""
        if seed is None and self._pool is not None:
            return
        seed = 0 if seed is None else seed
        if seed != self._seed:
            self._pool = self._make_pool(np.random.default_rng([seed, 1]))
        self._seed = seed
        self.rng = np.random.default_rng([seed, 0])

    def draw(self, count: int) -> Beginning:
        """Draw how ``count`` episodes begin."""
        assert self._pool is not None
        rng, cfg = self.rng, self._cfg
        which = rng.integers(0, len(self._pool.joint_pos), count)
        physics = events.draw_physics(rng, cfg, count, self._robot, self._gravity)
        physics = replace(physics, object_size=self._pool.object_size[which])
        signals = events.draw_signals(rng, cfg, count, self._robot, self._num_actions)
        start = StartState(self._pool.joint_pos[which], self._pool.wxyz_xyz_world_object[which])
        return Beginning(start, physics, signals, self._pool.goal_index[which])

    @property
    def share_valid(self) -> float:
        """How many of the drawn starts were usable."""
        assert self._pool is not None
        return self._pool.share_valid
