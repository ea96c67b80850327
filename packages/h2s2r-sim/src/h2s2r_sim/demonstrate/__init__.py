"""Rendered recordings: a human hand in front of a depth camera, with the truth beside it.

In:  a task, a seed.   Out: a ``Demo`` folder with ``truth.h2s``.
Not here: what a recording is (schemas), finding things in one (perception).
"""

from h2s2r_sim.demonstrate.camera import D435, NO_FAULTS, DepthFaults
from h2s2r_sim.demonstrate.direction import Direction, direct
from h2s2r_sim.demonstrate.known import task_from_truth
from h2s2r_sim.demonstrate.record import BUNDLED, SMALL, RecordCfg, record_demo

__all__ = [
    "BUNDLED",
    "D435",
    "NO_FAULTS",
    "SMALL",
    "DepthFaults",
    "Direction",
    "RecordCfg",
    "direct",
    "record_demo",
    "task_from_truth",
]
