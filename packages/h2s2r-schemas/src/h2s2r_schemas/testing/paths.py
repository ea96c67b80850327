"""Made-up paths of any length, for benchmarks and tests.

In:  a number of frames.   Out: a smooth ``ObjectTrajectory``.
Not here: the small fixed examples of every class (examples).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.se3 import SE3


def object_trajectory(frames: int, seed: int = 0) -> ObjectTrajectory:
    """A smooth random path of that many frames at 60 Hz."""
    rng = np.random.default_rng(seed)
    twists = np.cumsum(rng.normal(scale=1e-3, size=(frames, 6)), axis=0)
    return ObjectTrajectory(
        object_name="box",
        time=np.arange(frames) / 60.0,
        wxyz_xyz_world_object=SE3.exp(twists).wxyz_xyz,
        confidence=np.ones(frames),
        lost=np.zeros(frames, dtype=bool),
    )
