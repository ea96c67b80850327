"""What the server believes about a robot is what everybody else believes.

In:  the robot files of h2s2r-hw, the embodiments of h2s2r-retarget.   Out: equal hashes.
Not here: what is in them.
"""

from __future__ import annotations

import pytest

from h2s2r_hw.robots import load_robot, robot_names
from h2s2r_retarget.embodiment import load_embodiment


@pytest.mark.requirement("H27")
@pytest.mark.parametrize("name", robot_names())
def test_a_robot_file_is_its_embodiment(name):
    assert load_robot(name).hash() == load_embodiment(name).spec().hash(), (
        f"save(load_embodiment({name!r}).spec(), …) into h2s2r_hw/robots again"
    )
