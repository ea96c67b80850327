"""Attempts that a solver without restarts of its own is given: from home, then from random starts.

In:  a function that tries to solve from one start.   Out: the first success, or the last attempt.
Not here: any solver.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Starts after the first.
RESTARTS = 20
#: [m], [rad] when a peer may stop: well inside what counts as success, so that none pays for digits nobody asks for.
POSITION_TOLERANCE, ROTATION_TOLERANCE = 5e-4, np.deg2rad(0.25)

#: From a start (J) to joint positions (J), and whether the target was reached.
Attempt = Callable[[np.ndarray], "tuple[np.ndarray, bool]"]


def first_success(attempt: Attempt, home: np.ndarray, lower: np.ndarray, upper: np.ndarray, seed: int) -> np.ndarray:
    """Joint positions (J) of the first attempt that succeeds: from ``home``, then from seeded random starts."""
    joint_pos, reached = attempt(home)
    if not reached:
        rng = np.random.default_rng(seed)
        for _ in range(RESTARTS):
            joint_pos, reached = attempt(rng.uniform(lower, upper))
            if reached:
                break
    return joint_pos
