"""How far a training is, for whoever watches it.

In:  what happened in an iteration.   Out: ``Progress``.
Not here: curves (tensorboard), bars on a terminal (cli).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a training is after an iteration."""

    iteration: int
    """How many are done."""
    iterations: int
    """How many there will be; more of them once it has begun anew."""
    steps: int
    """Policy steps so far, over all environments."""
    success: float
    """Share of the episodes that ended in this iteration and succeeded, while exploring; NaN if none ended."""
    reward: float
    """Mean per step in this iteration."""
    steps_per_s: float
    """In this iteration."""
    seconds: float
    """[s] of training so far, without those that a training lost which was stopped and resumed."""
    cpu_seconds: float
    """[s] of CPU time, likewise."""
    action_std: float
    """Mean standard deviation of the actions, which lie in [-1, 1]: how much is explored."""
