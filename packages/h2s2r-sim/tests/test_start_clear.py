"""A start with room for the robot, for hands as they are seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.clear import GAPS, LIFTS, OPENINGS, clear_start
from h2s2r_sim.env.start.pool import StartCfg, StartError
from h2s2r_sim.perturbation import NONE
from h2s2r_sim.task import load_task

ALLEGRO = load_embodiment("iiwa14_allegro")
PUSH = load_task("snackbox_push")
FEW = EnvCfg(start=StartCfg(pool=32))


def test_a_hand_with_room_is_left_where_it_was() -> None:
    found = clear_start(PUSH, ALLEGRO)
    assert (found.gap, found.lift, found.opening) == (0.0, 0.0, 0.0)
    assert found.task.robot_pose is not None
    assert found.task.robot_pose.fingertip_error.max() < 0.002


def test_a_hand_in_the_object_is_drawn_back_until_it_is_free() -> None:
    touching = PUSH.replace(p_object_keypoints=PUSH.p_object_keypoints * (0.7, 0.7, 1.0))
    with pytest.raises(StartError, match="the robot touches something"):
        make_env(touching, ALLEGRO, 4, FEW).reset(0)
    found = clear_start(touching, ALLEGRO)
    assert 0.0 < found.gap <= GAPS[-1] and found.share_free >= 0.3
    env = make_env(found.task, ALLEGRO, 4, FEW)
    env.reset(0)
    assert env.beginnings.share_valid > 0.25
    # It starts where the task now says.
    T_palm = found.task.reference.Ts_world_object[0] @ SE3(found.task.wxyz_xyz_object_palm)
    assert max(T_palm.distance(found.task.robot_pose.T_world_palm)) < 1e-9


def test_fingers_seen_on_top_of_each_other_are_opened() -> None:
    keypoints = PUSH.p_object_keypoints.copy()
    keypoints[9:13] = keypoints[5:9]
    found = clear_start(PUSH.replace(p_object_keypoints=keypoints), ALLEGRO)
    assert found.share_free >= 0.3
    assert found.opening > 0.0 and found.opening in OPENINGS


def test_a_hand_too_low_for_a_robot_is_lifted_and_not_drawn_back() -> None:
    low = PUSH.replace(p_object_keypoints=PUSH.p_object_keypoints - (0.0, 0.0, 0.02))
    found = clear_start(low, ALLEGRO)
    assert (found.gap, found.opening) == (0.0, 0.0) and 0.0 < found.lift <= LIFTS[-1]
    # Nothing is touched where nothing is displaced.
    env = make_env(found.task, ALLEGRO, 1, replace(FEW, perturbation=NONE))
    env.reset(0)
    assert env.beginnings.share_valid == 1.0


def test_no_room_at_all_is_said_with_the_reason() -> None:
    inside = PUSH.replace(p_object_keypoints=PUSH.p_object_keypoints - (0.0, 0.0, 0.25))
    with pytest.raises(SchemaError, match="no free start for 'snackbox_push', even 5 cm further"):
        clear_start(inside, ALLEGRO)
