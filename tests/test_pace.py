"""A demonstration that was too quick for a robot is done slower; one that was not stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r.chain.pace import LEAST_DURATION, paced
from h2s2r_sim.demonstrate import BUNDLED, task_from_truth


def test_a_path_lasts_at_least_so_long_and_is_the_same_path() -> None:
    task = task_from_truth(BUNDLED)
    assert task.reference.duration > LEAST_DURATION and paced(task) == (task, "")
    assert task.hand is not None
    quick = task.replace(
        reference=task.reference.replace(time=0.25 * task.reference.time),
        hand=task.hand.replace(time=0.25 * task.hand.time),
    )
    slower, said = paced(quick)
    assert said == "The person took 1.0 s; the robot is given 3.5 s."
    assert slower.reference.duration == pytest.approx(LEAST_DURATION)
    assert np.array_equal(slower.reference.wxyz_xyz_world_object, task.reference.wxyz_xyz_world_object)
    assert slower.hand is not None
    assert slower.hand.time == pytest.approx(task.hand.time * LEAST_DURATION / task.reference.duration)
