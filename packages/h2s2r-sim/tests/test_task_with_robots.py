"""Every robot can start every bundled task and follow it, by the method's own retargeting."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_retarget.result import PalmUnreachableError, Retargeted
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_schemas.artifacts import HandPose, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene import SceneOptions, build_model
from h2s2r_sim.task import load_task, make_task, task_names

each_task = pytest.mark.parametrize("name", task_names())


@pytest.fixture(scope="module", params=embodiment_names())
def retargeter(request: pytest.FixtureRequest) -> Retargeter:
    return Retargeter(load_embodiment(request.param))


def hand_of(task: TaskSpec) -> HandPose:
    keypoints = task.reference.Ts_world_object[0].apply(task.p_object_keypoints)
    return HandPose(side=task.side, p_world_keypoints=keypoints, confidence=np.ones(21))


def premanip(retargeter: Retargeter, task: TaskSpec) -> Retargeted:
    return retargeter.retarget(hand_of(task).p_world_keypoints, task.side)


@pytest.mark.requirement("H11")
@pytest.mark.requirement("H13")
@each_task
def test_the_start_is_reached_and_clear_of_everything(retargeter: Retargeter, name: str) -> None:
    task, embodiment = load_task(name), retargeter.embodiment
    found = premanip(retargeter, task)
    assert found.ok and found.palm_position_error < 1e-3
    arm = found.joint_pos[: embodiment.num_arm_joints]
    slack = np.minimum(arm - embodiment.position_lower[: len(arm)], embodiment.position_upper[: len(arm)] - arm)
    assert slack.min() > np.deg2rad(10.0)

    scene = build_model(task, embodiment, SceneOptions(visuals=False))
    data = mujoco.MjData(scene.model)
    data.qpos[scene.robot_qpos] = scene.all_joint_pos(found.joint_pos)
    data.qpos[scene.object_qpos] = task.reference.wxyz_xyz_world_object[0]
    mujoco.mj_forward(scene.model, data)
    robot = np.concatenate([scene.arm_geoms, scene.hand_geoms])
    # The base stands on the table: all that moves must be clear of it.
    moving = [geom for geom in robot if scene.model.body_weldid[scene.model.geom_bodyid[geom]] != 0]

    def distance(others: np.ndarray) -> float:
        return min(mujoco.mj_geomDistance(scene.model, data, a, b, 0.1, None) for a in moving for b in others)

    assert 0.01 < distance(scene.object_geoms) < 0.06
    # A fingertip stands where the person's stood, which is up to 5 mm thinner.
    assert distance(np.concatenate([scene.table_geoms, scene.fixture_geoms])) > 0.005
    touching = np.isin(data.contact.geom, moving).any(axis=-1)
    assert not touching.any()


@each_task
def test_the_palm_can_go_with_the_object_all_the_way(retargeter: Retargeter, name: str) -> None:
    task = load_task(name)
    Ts_world_object = task.reference.Ts_world_object
    found = premanip(retargeter, task)
    T_object_palm = Ts_world_object[0].inv() @ found.Ts_world_palm
    arm = found.joint_pos[: retargeter.embodiment.num_arm_joints]
    for at in range(20, len(task.reference.time), 20):
        solution = retargeter.solve_palm(Ts_world_object[at] @ T_object_palm, guess=arm)
        assert float(np.max(solution.position_error)) < 2e-3
        assert np.abs(solution.joint_pos - arm).max() < np.deg2rad(30.0)
        arm = np.asarray(solution.joint_pos)


@pytest.mark.requirement("H13")
def test_a_task_made_for_a_robot_holds_its_pose() -> None:
    push, embodiment = load_task("snackbox_push"), load_embodiment("iiwa14_allegro")
    made = make_task(push.reference, hand_of(push), push.scene, push.object, name="for_a_robot", embodiment=embodiment)
    assert made.robot_pose is not None and made.robot_pose.robot_hash == embodiment.spec().hash()
    T_world_palm = made.reference.Ts_world_object[0] @ made.T_object_palm
    position, rotation = T_world_palm.distance(made.robot_pose.T_world_palm)
    assert position < 1e-9 and rotation < 1e-6
    with pytest.raises(SchemaError, match="not both"):
        make_task(
            push.reference, hand_of(push), push.scene, push.object,
            name="twice", embodiment=embodiment, robot_pose=made.robot_pose,
        )  # fmt: skip


@pytest.mark.requirement("H11")
def test_a_start_out_of_reach_names_the_distance() -> None:
    push, embodiment = load_task("snackbox_push"), load_embodiment("iiwa14_allegro")
    away = SE3.from_parts(np.eye(4)[0], np.array([0.7, 0.0, 0.0]))
    hand = hand_of(push)
    with pytest.raises(PalmUnreachableError, match=r"misses the palm by \d+ mm"):
        make_task(
            push.reference.replace(wxyz_xyz_world_object=(away @ push.reference.Ts_world_object).wxyz_xyz),
            hand.replace(p_world_keypoints=away.apply(hand.p_world_keypoints)),
            push.scene, push.object, name="far", embodiment=embodiment,
        )  # fmt: skip
