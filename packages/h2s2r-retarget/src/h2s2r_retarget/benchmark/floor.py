"""The closest that any configuration brings a fingertip to a point: by scipy, from many starts, not by our solver.

In:  ``TipProblems``.   Out: floor (N, F) [m].
Not here: our solver; of it only the forward kinematics and the Jacobian are used, which the tests hold to MuJoCo's.
"""

from __future__ import annotations

import numpy as np

from h2s2r_retarget.benchmark.problems import TipProblems
from h2s2r_retarget.kinematics import Chain

#: Configurations drawn once per finger; each target is searched from the nearest of them, and from some at random.
_DRAWN, _NEAREST, _RANDOM = 4000, 4, 2
#: The cost is in units of (10 mm)², and scipy stops where a step gains less than this.
_UNIT, _TOLERANCE = 0.01, 1e-18


def tip_floor(problems: TipProblems, starts_factor: int = 1) -> np.ndarray:
    """Smallest distance (N, F) [m] of each fingertip from its target inside the joint limits.

    Reachable targets were made from a configuration, so their floor is zero and need no search.

    Args:
        problems: hands to search.
        starts_factor: how many times the usual starts.
    """
    floor = np.zeros(problems.points.shape[:2])
    rng = np.random.default_rng(1)
    for finger, frame in enumerate(problems.frames):
        chain = Chain.from_urdf(problems.urdf, [frame])
        drawn = rng.uniform(chain.lower, chain.upper, (_DRAWN, len(chain.joint_names)))
        places = chain.matrices(drawn)[:, 0, :3, 3]
        for index in range(problems.num_reachable, len(problems.points)):
            target = problems.points[index, finger]
            nearest = np.argsort(np.linalg.norm(places - target, axis=-1))[: _NEAREST * starts_factor]
            starts = np.concatenate([drawn[nearest], drawn[rng.integers(_DRAWN, size=_RANDOM * starts_factor)]])
            floor[index, finger] = min(_search(chain, start, target) for start in starts)
    return floor


def _search(chain: Chain, start: np.ndarray, target: np.ndarray) -> float:
    """Distance [m] at the local minimum that scipy finds from one start."""
    from scipy.optimize import minimize  # noqa: PLC0415

    def cost(q: np.ndarray) -> tuple[float, np.ndarray]:
        error = (chain.matrices(q)[0, :3, 3] - target) / _UNIT
        return float(error @ error), 2.0 / _UNIT * chain.jacobian(q)[0, :3].T @ error

    bounds = list(zip(chain.lower, chain.upper, strict=True))
    options = {"ftol": _TOLERANCE, "maxiter": 100}
    found = minimize(cost, start, jac=True, method="SLSQP", bounds=bounds, options=options)
    return _UNIT * float(np.sqrt(cost(np.clip(found.x, chain.lower, chain.upper))[0]))
