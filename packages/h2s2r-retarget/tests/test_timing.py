"""Frames that jump are dropped, and time is stretched where a joint would be too fast.

In:  made-up paths.   Out: masks and time stamps worked out by hand.
Not here: solving frames (test_trajectory).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_retarget.timing import keep_steady, stretch_time
from h2s2r_schemas.errors import SchemaError


def test_a_frame_that_jumps_is_dropped_and_the_allowance_grows():
    joint_pos = np.array([[0.0], [0.1], [1.0], [0.2], [0.75], [0.8]])
    np.testing.assert_array_equal(keep_steady(joint_pos, 0.26), [True, True, False, True, False, False])
    slow_jump = np.array([[0.0], [0.5], [0.5], [0.5]])
    np.testing.assert_array_equal(keep_steady(slow_jump, 0.26), [True, False, True, True])


def test_of_keypoints_the_fastest_point_counts():
    keypoints = np.zeros((3, 21, 3))
    keypoints[1, 8] = [0.012, 0.012, 0.0]  # 17 mm
    keypoints[2, 8] = [0.012, 0.012, 0.03]
    np.testing.assert_array_equal(keep_steady(keypoints, 0.02), [True, True, False])


def test_time_is_stretched_only_where_it_must_be():
    joint_pos = np.array([[0.0, 0.0], [0.1, 0.0], [0.1, 1.0], [0.1, 1.1]])
    time = stretch_time(np.array([5.0, 5.1, 5.2, 5.3]), joint_pos, np.array([2.0, 1.0]))
    np.testing.assert_allclose(time, [5.0, 5.1, 6.1, 6.2])
    with pytest.raises(SchemaError, match="they differ"):
        stretch_time(np.zeros(3), joint_pos, np.ones(2))
    with pytest.raises(SchemaError, match="every limit is above zero"):
        stretch_time(time, joint_pos, np.array([0.0, 1.0]))
