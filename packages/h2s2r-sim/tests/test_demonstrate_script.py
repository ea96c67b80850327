"""Scripted demonstrations: the hand comes, touches, moves the object with it, and leaves; every seed differently.

In:  the bundled tasks.   Out: distances between hand and object over time.
Not here: pictures (test_demonstrate_record).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate.direction import direct
from h2s2r_sim.demonstrate.hand import anatomy
from h2s2r_sim.demonstrate.script import Manner, draw_manner, load_grip, write_script
from h2s2r_sim.demonstrate.script.contact import Surfaces, hand_distance
from h2s2r_sim.task import load_task, task_names

ADULT = Manner()
#: A left hand in a hurry.
SMALL = Manner(side="left", hand_scale=0.9, speed=1.25, start_offset=(0.1, 0.15, -0.04), arc=0.03)


def gap(script, task, time: float) -> float:
    """[m] between flesh and object."""
    return hand_distance(script.hand(time), Surfaces(task.object, script.T_world_object(time)))


@pytest.mark.requirement("H01")
@pytest.mark.parametrize(
    ("name", "manner"),
    [*((name, ADULT) for name in task_names()), ("pitcher_pour", SMALL), ("plate_lift_rack", SMALL)],
    ids=lambda value: value if isinstance(value, str) else value.side,
)
def test_a_person_does_the_task(name, manner):
    task = load_task(name)
    script = write_script(task, load_grip(name), manner)
    # The hand starts and ends away from the object, and does not go through it on its way.
    assert gap(script, task, 0.0) > 0.03
    assert gap(script, task, script.duration) > 0.03
    for time in np.linspace(0.0, script.motion_start, 7):
        assert gap(script, task, time) > -0.003
        assert script.T_world_object(time).distance(task.reference.Ts_world_object[0])[0] == 0.0
    # While the object moves, the hand is on it; and it moves along the reference.
    for share in np.linspace(0.0, 1.0, 4):
        time = script.motion_start + share * (script.motion_end - script.motion_start)
        assert -0.003 < gap(script, task, time) < 0.001
    Ts_world_object = task.reference.Ts_world_object
    for index in (0, len(task.reference.time) // 3, len(task.reference.time) - 1):
        time = script.motion_start + task.reference.time[index] / manner.speed
        distance, turn = script.T_world_object(time).distance(Ts_world_object[index])
        assert distance < 1e-9
        assert turn < 1e-6
    # Joints stay within their limits, and nothing jumps: no keypoint moves faster than 2 m/s.
    times = np.arange(0.0, script.duration, 0.08)
    hands = [script.hand(time) for time in times]
    joint_pos = np.stack([hand.joint_pos for hand in hands])
    assert (joint_pos >= anatomy.LIMITS[:, 0] - 1e-9).all()
    assert (joint_pos <= anatomy.LIMITS[:, 1] + 1e-9).all()
    steps = np.linalg.norm(np.diff([hand.keypoints() for hand in hands], axis=0), axis=-1)
    assert steps.max() < 0.08 * 2.0
    assert all(hand.side == manner.side for hand in hands)


def test_the_hand_is_ready_where_the_task_says():
    task = load_task("plate_lift_rack")
    script = write_script(task, load_grip("plate_lift_rack"), Manner())
    wanted = task.reference.Ts_world_object[0].apply(task.p_object_keypoints)
    nearest = min(
        np.linalg.norm(script.hand(time).keypoints() - wanted, axis=-1).mean()
        for time in np.linspace(0.0, script.motion_start, 60)
    )
    assert nearest < 2e-3


def test_another_seed_is_another_demonstration_and_the_same_seed_the_same():
    first, again, other = direct("snackbox_push", 3), direct("snackbox_push", 3), direct("snackbox_push", 4)
    assert first.script.manner == again.script.manner
    assert first.look == again.look
    np.testing.assert_array_equal(first.T_world_camera.wxyz_xyz, again.T_world_camera.wxyz_xyz)
    assert first.script.manner.speed != other.script.manner.speed
    assert first.script.manner.hand_scale != other.script.manner.hand_scale
    assert first.script.manner.start_offset != other.script.manner.start_offset
    assert first.look.table_seed != other.look.table_seed
    assert first.look.object_turn != other.look.object_turn
    assert first.look.lamps != other.look.lamps
    assert first.T_world_camera.distance(other.T_world_camera)[0] > 0.01


def test_over_many_seeds_everything_varies():
    manners = [draw_manner(np.random.default_rng(seed)) for seed in range(40)]
    assert {manner.side for manner in manners} == {"left", "right"}
    for name, low, high in (("speed", 0.8, 1.25), ("hand_scale", 0.9, 1.05)):
        values = [getattr(manner, name) for manner in manners]
        assert low <= min(values) < max(values) <= high
        assert max(values) - min(values) > 0.7 * (high - low)


@pytest.mark.parametrize("seed", range(3))
def test_the_camera_sees_the_hand_at_work(seed):
    direction = direct("plate_lift_rack", seed)
    script, camera = direction.script, direction.camera
    for time in np.linspace(script.keys[2][0], script.motion_end, 10):
        seen = direction.T_world_camera.inv().apply(script.hand(time).keypoints())
        pixels = seen[:, :2] / seen[:, 2:] * camera.fx + (camera.cx, camera.cy)
        assert (seen[:, 2] > 0.3).all()
        assert (pixels > -20).all()
        assert (pixels < np.array([camera.width, camera.height]) + 20).all()


def test_a_task_without_a_grip_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"says how a person does the task, and cannot be read.*snackbox_push"):
        load_grip(tmp_path)
    (tmp_path / "demonstration.toml").write_text('reach = [0, 0, 0]\ncloses = ["toe"]\nmirror = [1, 0, 0]\n')
    with pytest.raises(SchemaError, match="needs reach, closes"):
        load_grip(tmp_path)


def test_the_other_hand_reaches_from_the_other_side():
    grip = load_grip("pitcher_pour")
    np.testing.assert_allclose(grip.mirrored().reach, grip.reach * (1.0, -1.0, 1.0))
    assert grip.mirrored().closes == grip.closes
