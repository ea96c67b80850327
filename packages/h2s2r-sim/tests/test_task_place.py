"""A demonstration in the world of any camera is put where the robot can do it."""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandPose
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.check import check_task
from h2s2r_sim.task import load_task, reexpressed
from h2s2r_sim.task.place import place

ALLEGRO = load_embodiment("iiwa14_allegro")
PUSH = load_task("snackbox_push")
ELSEWHERE = SE3.from_parts(np.array([0.5, 0.5, -0.5, 0.5]), np.array([1.0, -2.0, 3.0]))


def test_the_table_is_level_and_the_robot_follows_the_whole_path() -> None:
    found = place(reexpressed(PUSH, ELSEWHERE), ALLEGRO)
    T_world_table = found.task.scene.T_world_table
    np.testing.assert_allclose(T_world_table.rotate(np.array([0.0, 0.0, 1.0])), [0.0, 0.0, 1.0], atol=1e-9)
    assert T_world_table.translation[2] == pytest.approx(0.0, abs=1e-9)
    assert found.margin > 0.05 and found.reachable >= 1
    for T_world_object in found.task.reference.Ts_world_object[::10]:
        points = T_world_object.apply(found.task.p_object_keypoints)
        hand = HandPose(side="right", p_world_keypoints=points, confidence=np.ones(len(KEYPOINT_NAMES)))
        retarget_hand(hand, ALLEGRO)  # raises where the palm does not get
    assert not [each for each in check_task(found.task, ALLEGRO, EnvCfg(), 0).findings if "reach" in str(each)]
    assert f"from {found.reachable} of 24 directions" in found.said


def test_it_does_not_matter_which_world_it_came_in() -> None:
    here, there = place(PUSH, ALLEGRO), place(reexpressed(PUSH, ELSEWHERE), ALLEGRO)
    np.testing.assert_allclose(
        here.task.reference.wxyz_xyz_world_object, there.task.reference.wxyz_xyz_world_object, atol=1e-6
    )
    T_moved = there.T_new_world @ ELSEWHERE
    assert max(T_moved.distance(here.T_new_world)) < 1e-6


def test_what_no_robot_reaches_is_said() -> None:
    poses = PUSH.reference.wxyz_xyz_world_object.copy()
    poses[:, 4] += np.linspace(0.0, 2.0, len(poses))
    long = PUSH.replace(reference=PUSH.reference.replace(wxyz_xyz_world_object=poses))
    with pytest.raises(SchemaError, match="cannot do 'snackbox_push' from any of 72 places"):
        place(long, ALLEGRO)
    with pytest.raises(SchemaError, match="left"):
        place(PUSH, load_embodiment("iiwa14_allegro", "left"))
