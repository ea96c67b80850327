"""Robot descriptions: order by name, and a hash that tells robots apart.

In:  the example robot.   Out: mapped arrays, or the right ``SchemaError``.
Not here: kinematics (retarget).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.testing.examples import examples

ROBOT = examples()["RobotSpec"]


def test_values_are_mapped_by_name():
    assert isinstance(ROBOT, RobotSpec)
    shuffled = ("thumb_1", "arm_2", "finger_1", "arm_1")
    values = np.array([[4.0, 2.0, 3.0, 1.0], [40.0, 20.0, 30.0, 10.0]])
    np.testing.assert_array_equal(ROBOT.order(values, shuffled), [[1, 2, 3, 4], [10, 20, 30, 40]])
    assert ROBOT.arm_joint_names == ("arm_1", "arm_2")
    assert ROBOT.hand_joint_names == ("finger_1", "thumb_1")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (("arm_1", "arm_2", "finger_1"), r"missing \['thumb_1'\]"),
        (("arm_1", "arm_2", "finger_1", "thumb"), r"unknown \['thumb'\]"),
        (("arm_1", "arm_2", "finger_1", "thumb_1", "thumb_1"), "given"),
    ],
)
def test_other_joints_are_refused(names, match):
    with pytest.raises(SchemaError, match=match):
        ROBOT.order(np.zeros(len(names)), names)


def test_a_wrong_width_is_refused():
    with pytest.raises(SchemaError, match=r"shape \(3,\) for 4 joints"):
        ROBOT.order(np.zeros(3), ROBOT.joint_names)


def test_the_hash_changes_with_order_and_limits():
    swapped = ROBOT.replace(joint_names=("arm_2", "arm_1", "finger_1", "thumb_1"))
    slower = ROBOT.replace(velocity_limit=np.full(4, 1.0))
    assert len({ROBOT.hash(), swapped.hash(), slower.hash()}) == 3
    assert ROBOT.hash() == ROBOT.replace().hash()


def test_a_home_outside_the_limits_is_refused():
    with pytest.raises(SchemaError, match=r"Home of finger_1 is 1.5; its limits are \[-1.0, 1.0\]"):
        ROBOT.replace(home=[0.0, 0.0, 1.5, 0.0])
