"""One valid, small, fixed example of every message class.

In:  nothing.   Out: ``examples()``, by class name.
Not here: random or hostile ones (fuzz). The files in ``tests/golden/`` are made from these, so a change of a value here is
a change of a golden file: add a new version instead.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas import artifacts
from h2s2r_schemas.codec import Message
from h2s2r_schemas.demo import DemoMeta, DemoTruth
from h2s2r_schemas.testing.wire_examples import wire_examples

_JOINTS = ("arm_1", "arm_2", "finger_1", "thumb_1")
_HASH = "00112233445566778899aabbccddeeff"
_POSES = np.array(
    [[1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.1], [0.8, 0.0, 0.0, 0.6, 0.55, 0.0, 0.1], [0.6, 0.0, 0.0, 0.8, 0.6, 0.0, 0.1]]
)
_TIME = np.array([0.0, 0.1, 0.2])


def examples() -> dict[str, Message]:
    """A message of each class, by class name; the same at every call."""
    made = [*_things(), *_paths(), *_learned(), *_logs(), *wire_examples()]
    return {type(message).__name__: message for message in made}


def _box() -> artifacts.ObjectModel:
    shape = artifacts.Shape(kind="box", size=np.array([0.16, 0.05, 0.2]))
    return artifacts.ObjectModel(
        name="box",
        visual=(shape,),
        collision=(shape,),
        mass=0.3,
        center_of_mass=np.array([0.0, 0.0, 0.0]),
        inertia=np.diag([0.0010625, 0.00164, 0.0007025]),
        symmetry=artifacts.Symmetry(rotations_wxyz=np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])),
    )


def _scene() -> artifacts.Scene:
    table = artifacts.SceneBody(
        name="table",
        shapes=(artifacts.Shape(kind="box", size=np.array([1.0, 1.5, 0.04])),),
        wxyz_xyz_world_body=np.array([1.0, 0.0, 0.0, 0.0, 0.6, 0.0, -0.02]),
    )
    return artifacts.Scene(
        name="table", wxyz_xyz_world_table=np.array([1.0, 0.0, 0.0, 0.0, 0.6, 0.0, 0.0]), bodies=(table,)
    )


def _things() -> list[Message]:
    vertices = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    tetrahedron = artifacts.Shape(
        kind="mesh", vertices=vertices, faces=np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    )
    camera = artifacts.CameraIntrinsics(width=640, height=480, fx=600.0, fy=600.0, cx=319.5, cy=239.5)
    calibration = artifacts.Calibration(
        color=camera,
        depth=camera,
        wxyz_xyz_world_camera=np.array([0.5, -0.5, 0.5, -0.5, 0.1, 0.0, 0.8]),
        method="chosen",
    )
    recording = DemoMeta(
        name="push",
        calibration=calibration,
        depth_unit=0.001,
        licence="CC0-1.0",
        time=_TIME,
        mask_names=("object", "hand"),
    )
    return [
        recording,
        tetrahedron,
        artifacts.Symmetry(axis=np.array([0.0, 0.0, 1.0])),
        _box(),
        _scene().bodies[0],
        _scene(),
        camera,
        calibration,
    ]


def _keypoints() -> np.ndarray:
    return 0.4 + 0.01 * np.arange(63.0).reshape(21, 3)


def _trajectory() -> artifacts.ObjectTrajectory:
    return artifacts.ObjectTrajectory(
        object_name="box",
        time=_TIME,
        wxyz_xyz_world_object=_POSES,
        confidence=np.array([1.0, 0.9, 0.8]),
        lost=np.zeros(3, bool),
    )


def _robot_pose() -> artifacts.RobotPose:
    return artifacts.RobotPose(
        robot_name="two_finger",
        robot_hash=_HASH,
        joint_names=_JOINTS,
        joint_pos=np.array([0.1, 0.2, 0.3, 0.4]),
        at_limit=np.array([False, False, True, False]),
        wxyz_xyz_world_palm=_POSES[1],
        palm_position_error=1e-4,
        palm_rotation_error=1e-3,
        fingertip_names=("fingertip_index", "fingertip_thumb"),
        p_world_fingertips=np.array([[0.5, 0.0, 0.1], [0.5, 0.1, 0.1]]),
        fingertip_error=np.array([0.004, 0.001]),
        fingertip_floor=np.array([0.004, 0.001]),
    )


def _paths() -> list[Message]:
    keypoints = np.stack([_keypoints()] * 3)
    keypoints[2] = np.nan
    hand = artifacts.HandTrajectory(
        side="right",
        time=_TIME,
        p_world_keypoints=keypoints,
        confidence=np.ones((3, 21)),
        lost=np.array([False, False, True]),
    )
    task = artifacts.TaskSpec(
        name="box_push",
        object=_box(),
        scene=_scene(),
        reference=_trajectory(),
        anchor_points=0.1 * np.eye(3),
        side="right",
        p_object_keypoints=_keypoints(),
        wxyz_xyz_object_palm=_POSES[0],
        robot_pose=_robot_pose(),
        hand=hand,
        sources={"recording": _HASH},
    )
    robot_path = artifacts.RobotTrajectory(
        robot_name="two_finger",
        robot_hash=_HASH,
        joint_names=_JOINTS,
        time=_TIME,
        joint_pos=0.1 * np.arange(12.0).reshape(3, 4),
        ok=np.array([True, True, False]),
    )
    hand_pose = artifacts.HandPose(side="left", p_world_keypoints=_keypoints(), confidence=np.full(21, 0.9), time=1.5)
    truth = DemoTruth(
        object=_box(),
        scene=_scene(),
        object_trajectory=_trajectory(),
        hand_trajectory=hand,
        contact_frame=0,
        first_motion_frame=1,
    )
    return [_trajectory(), hand, robot_path, hand_pose, _robot_pose(), task, truth]


def _learned() -> list[Message]:
    terms = (
        artifacts.ObsTerm(name="joint_pos", size=4),
        artifacts.ObsTerm(name="goal", size=3, arguments={"ahead": 5}),
    )
    policy = artifacts.PolicySpec(
        name="box_push",
        task_name="box_push",
        task_hash=_HASH,
        robot_name="two_finger",
        robot_hash=_HASH,
        joint_names=_JOINTS,
        control_hz=15.0,
        obs_layout=terms,
        obs_mean=np.zeros(7),
        obs_std=np.ones(7),
        obs_clip=10.0,
        num_actions=5,
        action_map={"name": "palm_twist", "max_step": [0.02, 0.06]},
        goal_clock={"name": "run"},
        onnx_sha256=_HASH,
        hidden_size=32,
        num_layers=1,
        training={"seed": 1, "success": 0.97},
    )
    layer = artifacts.Layer(weight=0.1 * np.ones((4, 8)), bias=np.zeros(4))
    residual = artifacts.ResidualSpec(
        name="friction",
        robot_hash=_HASH,
        joint_names=_JOINTS,
        output="joint_torque",
        features=("joint_pos", "joint_vel"),
        history=1,
        layers=(layer,),
        input_mean=np.zeros(8),
        input_std=np.ones(8),
        input_lower=-np.ones(8),
        input_upper=np.ones(8),
        output_scale=np.ones(4),
        metrics={"rmse": 0.01},
    )
    return [terms[0], policy, layer, residual]


def _logs() -> list[Message]:
    rows = 0.1 * np.arange(12.0).reshape(3, 4)
    rollout = artifacts.Rollout(
        task_name="box_push",
        policy_hash=_HASH,
        robot_hash=_HASH,
        joint_names=_JOINTS,
        emulated=True,
        seed=7,
        time=_TIME,
        obs=np.zeros((3, 7), np.float32),
        action=np.zeros((3, 5), np.float32),
        joint_pos=rows,
        joint_pos_target=rows,
        wxyz_xyz_world_object=_POSES,
        object_age=np.array([0.06, 0.06, 0.06]),
        wxyz_xyz_world_goal=_POSES,
        goal_time=_TIME,
        success=False,
        failure="dropped",
    )
    context = artifacts.LogContext(
        robot_serial="a1", hardware_revision="r03", payload_class="light", labels={"site": "lab"}
    )
    log = artifacts.MotionLog(
        robot_name="two_finger",
        robot_hash=_HASH,
        joint_names=_JOINTS,
        emulated=True,
        context=context,
        sequence=np.array([10, 11, 13]),
        time=_TIME,
        server_state=np.array([5, 5, 5], np.uint8),
        command_sequence=np.array([1, 1, 2]),
        joint_pos_asked=rows,
        joint_pos_target=rows,
        joint_pos=rows,
        joint_vel=rows,
        joint_torque=rows,
        joint_torque_sent=rows,
        joint_residual=np.zeros((3, 4)),
        clamped=np.zeros((3, 4), bool),
        joint_temperature=np.full((3, 4), np.nan),
        outcome="success",
    )
    return [rollout, context, log]
