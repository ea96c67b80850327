"""Where a policy stops: success over object-pose noise, over pushes, and over where the object is placed.

In:  a policy, a task, a robot.   Out: ``Condition``s with an ``Evaluation`` each; success by cell of a grid.
Not here: other physics (transfer), one figure (fresh).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.evaluate.fresh import evaluate
from h2s2r_rl.evaluate.judge import Acts, Evaluation, Trial
from h2s2r_rl.interval import wilson
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.perturbation import Perturbation

#: Multiples of the camera noise of the level, and of its pushes.
FACTORS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
#: [m] half the side of the grid of placements, and its cells along each side: the middle 3 x 3 are the start noise of
#: ``standard``, what is around them no policy was trained on.
REACH, CELLS = 0.25 / 3.0, 5

_CAMERA = ("position_noise", "rotation_noise", "position_bias", "rotation_bias", "outliers")
_PUSHES = ("push_acceleration",)


@dataclass(frozen=True)
class Condition:
    """One point of a curve."""

    factor: float
    """Multiple of the level's noise or pushes."""
    found: Evaluation
    """What episodes under it showed."""


@dataclass(frozen=True)
class Cell:
    """One place of a grid."""

    x: float
    """[m] middle of the cell, from where the reference starts, in the world."""
    y: float
    """[m] likewise."""
    episodes: int
    """How many began in it."""
    successes: int
    """How many of them succeeded."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share that succeeded; none without an episode."""
        return wilson(self.successes, self.episodes) if self.episodes else None


def over_noise(
    policy: Acts,
    task: TaskSpec,
    robot: Embodiment | str | Path,
    cfg: EnvCfg,
    episodes: int = 256,
    seed: int = 1_000_000,
    factors: Sequence[float] = FACTORS,
) -> list[Condition]:
    """Success over multiples of what the camera gets wrong about the object: noise, offsets and outliers.

    Args:
        policy: to be judged.
        task: of the policy.
        robot: of the policy.
        cfg: its environment; ``cfg.perturbation`` is what is multiplied.
        episodes: how many for each factor.
        seed: of the episodes; the same for all factors.
        factors: at least 0.
    """
    return _over(policy, task, robot, cfg, episodes, seed, factors, _CAMERA)


def over_pushes(
    policy: Acts,
    task: TaskSpec,
    robot: Embodiment | str | Path,
    cfg: EnvCfg,
    episodes: int = 256,
    seed: int = 1_000_000,
    factors: Sequence[float] = FACTORS,
) -> list[Condition]:
    """Success over multiples of how hard the object is pushed, else as ``over_noise``."""
    return _over(policy, task, robot, cfg, episodes, seed, factors, _PUSHES)


def _over(
    policy: Acts,
    task: TaskSpec,
    robot: Embodiment | str | Path,
    cfg: EnvCfg,
    episodes: int,
    seed: int,
    factors: Sequence[float],
    causes: Sequence[str],
) -> list[Condition]:
    def at(factor: float) -> Condition:
        noise = scaled(cfg.perturbation, factor, causes)
        return Condition(factor, evaluate(policy, task, robot, replace(cfg, perturbation=noise), episodes, seed))

    return [at(factor) for factor in factors]


def scaled(noise: Perturbation, factor: float, causes: Sequence[str]) -> Perturbation:
    """The perturbations with some of their causes multiplied; a share of pictures stays at most 1."""
    if factor < 0.0:
        raise SchemaError(f"A factor of {factor}; perturbations are multiplied by 0 or more.")
    severities = {cause: factor * getattr(noise, cause) for cause in causes}
    if "outliers" in severities:
        severities["outliers"] = min(severities["outliers"], 1.0)
    return noise.replace(**severities)


def over_placements(
    policy: Acts,
    task: TaskSpec,
    robot: Embodiment | str | Path,
    cfg: EnvCfg,
    episodes: int = 1024,
    seed: int = 1_000_000,
    reach: float = REACH,
    cells: int = CELLS,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Cell]:
    """Success by where the object stood at the start, over a square wider than what was trained on.

    Starts that the robot cannot reach, or not without touching something, are drawn anew, so cells differ in episodes.

    Args:
        policy: to be judged.
        task: of the policy.
        robot: of the policy.
        cfg: its environment.
        episodes: how many over all cells.
        seed: of the episodes.
        reach: [m] half the side of the square.
        cells: along each side.
        progress: told how many episodes are done.
    """
    noise = cfg.perturbation.replace(start_position=reach)
    found = evaluate(policy, task, robot, replace(cfg, perturbation=noise), episodes, seed, progress)
    return grid(found.trials, task.reference.wxyz_xyz_world_object[0, 4:6], reach, cells)


def grid(trials: Sequence[Trial], p_world_middle: np.ndarray, reach: float, cells: int) -> list[Cell]:
    """Episodes counted by the cell they began in; cells row by row, y within x."""
    edges = np.linspace(-reach, reach, cells + 1)
    middles = 0.5 * (edges[1:] + edges[:-1])
    counts = np.zeros((2, cells, cells), dtype=int)
    for trial in trials:
        if trial.wxyz_xyz_world_object is None:
            raise SchemaError("These trials do not say where their objects stood; only h2s2r-sim's environments do.")
        offset = np.array(trial.wxyz_xyz_world_object[4:6]) - p_world_middle
        column, row = np.clip(np.digitize(offset, edges[1:-1]), 0, cells - 1)
        counts[:, column, row] += (1, trial.success)
    return [
        Cell(float(x), float(y), int(counts[0, i, j]), int(counts[1, i, j]))
        for i, x in enumerate(middles)
        for j, y in enumerate(middles)
    ]
