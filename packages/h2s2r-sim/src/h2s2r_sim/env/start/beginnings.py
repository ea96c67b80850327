"""How episodes begin: drawn from the pool of starts or the archive, each in a world of its own.

In:  a seed, how many.   Out: ``Beginning``: start states and draws.
Not here: solving starts (starts), putting them into engine and sensors (environment).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from h2s2r_schemas.robots import RobotSpec
from h2s2r_sim.engine import PhysicalParameters, StartState
from h2s2r_sim.env.rows import take
from h2s2r_sim.env.start.pool import StartPool
from h2s2r_sim.mdp import events
from h2s2r_sim.mdp.critic import physics_columns
from h2s2r_sim.mdp.events import SignalParameters
from h2s2r_sim.perturbation import Perturbation

#: Episodes drawn at once.
_BLOCK = 256


@dataclass(frozen=True)
class Beginning:
    """K episodes about to begin."""

    start: StartState
    """Joints and object."""
    physics: PhysicalParameters
    """How each world differs from the model."""
    signals: SignalParameters
    """How measurements and commands differ from the truth."""


class Beginnings:
    """Draws beginnings, and remembers what was drawn for the running episodes.

    Args:
        cfg: how severe each cause is.
        num_envs: N.
        robot: gives joints and torque limits.
        num_actions: A.
        gravity: (3) [m/s²] of the model.
        make_pool: solves a pool of starts from a random generator.
    """

    def __init__(
        self,
        cfg: Perturbation,
        num_envs: int,
        robot: RobotSpec,
        num_actions: int,
        gravity: np.ndarray,
        make_pool: Callable[[np.random.Generator], StartPool],
    ) -> None:
        self._cfg, self._robot, self._num_actions = cfg, robot, num_actions
        self._gravity, self._make_pool = gravity, make_pool
        self._seed: int | None = None
        self._pool: StartPool | None = None
        self._block: tuple[PhysicalParameters, SignalParameters, StartState] | None = None
        self._block_size = self._used = 0
        self.rng = np.random.default_rng(0)
        """Everything random in the environment is drawn from this."""
        self.physics = PhysicalParameters.nominal(num_envs, len(robot.joint_names))
        """(N) of the running episodes."""
        self.physics_columns = physics_columns(self.physics)
        """(N, 7) what of it the critic sees."""
        self.signals = events.draw_signals(self.rng, Perturbation(), num_envs, robot, num_actions)
        """(N) of the running episodes."""

    def seed(self, seed: int | None) -> None:
        """Begin a new random sequence; None goes on with the old one, or with 0 where there is none yet."""
        if seed is None and self._pool is not None:
            return
        seed = 0 if seed is None else seed
        if seed != self._seed:
            self._pool = self._make_pool(np.random.default_rng([seed, 1]))
        self._seed = seed
        self.rng = np.random.default_rng([seed, 0])
        self._block = None

    def draw(self, env_ids: np.ndarray) -> Beginning:
        """Beginnings for the environments ``env_ids`` (K)."""
        physics, signals, start = self._next(len(env_ids))
        self.physics.put(env_ids, physics)
        self.physics_columns[env_ids] = physics_columns(physics)
        for each in fields(signals):
            getattr(self.signals, each.name)[env_ids] = getattr(signals, each.name)
        return Beginning(start, physics, signals)

    def _next(self, count: int) -> tuple[PhysicalParameters, SignalParameters, StartState]:
        """The next ``count`` draws. They are made in blocks: a reset of one costs as many array calls as one of hundreds."""
        if self._block is None or self._used + count > self._block_size:
            self._block_size, self._used = max(count, _BLOCK), 0
            self._block = self._draw_block(self._block_size)
        rows = slice(self._used, self._used + count)
        self._used += count
        physics, signals, start = self._block
        return take(physics, rows), take(signals, rows), take(start, rows)

    def _draw_block(self, count: int) -> tuple[PhysicalParameters, SignalParameters, StartState]:
        assert self._pool is not None
        rng, cfg = self.rng, self._cfg
        which = rng.integers(0, len(self._pool.joint_pos), count)
        physics = events.draw_physics(rng, cfg, count, self._robot, self._gravity)
        physics = replace(physics, object_size=self._pool.object_size[which])
        signals = events.draw_signals(rng, cfg, count, self._robot, self._num_actions)
        return physics, signals, StartState(self._pool.joint_pos[which], self._pool.wxyz_xyz_world_object[which])

    def drawn(self) -> dict[str, np.ndarray]:
        """All draws of the running episodes by name (N, …), copied: what a log of them should hold."""
        both = (self.physics, self.signals)
        return {each.name: getattr(part, each.name).copy() for part in both for each in fields(part)}

    @property
    def share_valid(self) -> float:
        """How many of the drawn starts were usable."""
        assert self._pool is not None
        return self._pool.share_valid
