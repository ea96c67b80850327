"""One valid, small, fixed example of every message on the wire, and of the robot they are about.

In:  nothing.   Out: ``wire_examples()``.
Not here: nouns at rest (examples), which is also where all of them are to be had.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas import wire
from h2s2r_schemas.codec import Message
from h2s2r_schemas.robots import RobotSpec

_JOINTS = ("arm_1", "arm_2", "finger_1", "thumb_1")


def wire_examples() -> list[Message]:
    """A message of each class; the same at every call."""
    return [*_answers(), *_motion()]


def _robot() -> RobotSpec:
    return RobotSpec(
        name="two_finger",
        side="right",
        joint_names=_JOINTS,
        num_arm_joints=2,
        position_lower=-np.ones(4),
        position_upper=np.ones(4),
        velocity_limit=np.full(4, 2.0),
        acceleration_limit=np.full(4, 10.0),
        jerk_limit=np.full(4, 100.0),
        torque_limit=np.full(4, 5.0),
        home=np.zeros(4),
        base_frame="base",
        palm_frame="palm",
        fingertip_frames=("fingertip_index", "fingertip_thumb"),
    )


def _answers() -> list[Message]:
    hello = wire.Hello(
        server="h2s2r-sim 0.1.0",
        robot=_robot(),
        emulated=True,
        control_hz=200.0,
        command_hz=np.array([15.0, 60.0]),
        lease_ttl=0.5,
        max_message_bytes=65536,
    )
    request = wire.Request(kind="acquire_lease", sequence=1, session="5f2c", client_time=12.5, arguments={"ttl": 0.5})
    reply = wire.Reply(
        sequence=1,
        ok=False,
        time=3.0,
        code="lease_taken",
        cause="Session 77 holds it.",
        remedy="Wait until it is free.",
    )
    return [_robot(), hello, request, reply]


def _motion() -> list[Message]:
    robot = _robot()
    fault = wire.Fault(
        code="quality_lost", cause="Quality FAIR.", remedy="Check the cable.", time=3.0, snapshot={"late": 7}
    )
    command = wire.RobotCommand(
        robot_hash=robot.hash(),
        lease_epoch=1,
        lease_token=2**62,
        sequence=4,
        client_time=12.6,
        joint_pos_target=np.full(4, 0.1),
        joint_torque_feedforward=np.zeros(4),
    )
    state = wire.RobotState(
        robot_hash=robot.hash(),
        sequence=9,
        time=3.01,
        joint_pos=np.full(4, 0.1),
        joint_vel=np.zeros(4),
        joint_torque=np.zeros(4),
        joint_pos_target=np.full(4, 0.1),
        server_state="fault",
        lease_epoch=1,
        command_sequence=4,
        command_age=0.01,
        fault=fault,
        counters={"stale_command": 2},
    )
    seen = wire.ObjectState(
        object_name="box",
        sequence=3,
        capture_time=2.9,
        wxyz_xyz_world_object=np.array([1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.1]),
        confidence=0.9,
        lost=False,
    )
    return [fault, command, state, seen]
