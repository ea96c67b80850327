"""Whether a policy may start here: its robot, its task, near its start, the object in sight.

In:  policy, robot, task, first state, object.   Out: nothing, or ``RunError``.
Not here: moving the robot to the start.
"""

from __future__ import annotations

import hashlib

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.runner.config import RunCfg, RunError
from h2s2r_schemas.artifacts import PolicySpec, TaskSpec, object_error
from h2s2r_schemas.codec import encode
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.wire import Hello, ObjectState, RobotState
from h2s2r_sim.env.start.premanip import robot_pose
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.tracking import TrackedObject


def check_partners(spec: PolicySpec, hello: Hello, task: TaskSpec, embodiment: Embodiment) -> None:
    """Policy, robot, task and embodiment belong together.

    Raises:
        RunError: they do not; the message says which.
    """
    for what, found in (("robot", hello.robot.hash()), ("embodiment", embodiment.spec().hash())):
        if found != spec.robot_hash:
            raise RunError(
                f"Policy {spec.name!r} was trained on robot {spec.robot_name!r} with hash {spec.robot_hash}; this {what} has "
                f"{found}: joints, limits or frames differ. Use a policy trained for this robot."
            )
    found = hashlib.sha256(encode(task)).hexdigest()
    if found != spec.task_hash:
        raise RunError(
            f"Policy {spec.name!r} was trained for task {spec.task_name!r} with hash {spec.task_hash[:16]}; this task is "
            f"{task.name!r} with {found[:16]}. Use the task.h2s beside the policy."
        )
    slowest, fastest = hello.command_hz
    if not slowest - 1e-9 <= spec.control_hz <= fastest + 1e-9:
        raise RunError(
            f"The policy acts at {spec.control_hz} Hz; the robot follows commands at {slowest} to {fastest} Hz. Configure its "
            "server for the policy's rate."
        )


def check_object(seen: ObjectState | None, time: float, task: TaskSpec, cfg: RunCfg) -> ObjectState:
    """``seen``, if the object of the task is in sight, now, where the task begins.

    Args:
        seen: newest message, if any.
        time: [s] on the robot's clock.
        task: that is to begin.
        cfg: limits.

    Raises:
        RunError: it is not.
    """
    if seen is None or seen.lost:
        raise RunError(
            f"The object is {'not reported yet' if seen is None else 'lost'}: start the tracker, and see that the camera sees it."
        )
    if seen.object_name != task.object.name:
        raise RunError(f"The camera reports {seen.object_name!r}; the task moves {task.object.name!r}.")
    age = time - seen.capture_time
    if not -cfg.object_age <= age <= cfg.object_age:
        raise RunError(
            f"The object's pose is {age:.2f} s old by the robot's clock; up to {cfg.object_age} s is allowed. Check that the "
            "tracker runs and that its clock is the robot's."
        )
    T_world_start = SE3(task.reference.wxyz_xyz_world_object[0])
    position, rotation = object_error(seen.T_world_object, T_world_start, task.object.symmetry)
    if position > cfg.object_position or rotation > cfg.object_rotation:
        raise RunError(
            f"The object is {100 * position:.1f} cm and {np.rad2deg(rotation):.0f}° from where the task begins; up to "
            f"{100 * cfg.object_position:.0f} cm and {np.rad2deg(cfg.object_rotation):.0f}° are allowed. Put it there."
        )
    return seen


def check_robot_start(
    state: RobotState, seen: ObjectState, task: TaskSpec, embodiment: Embodiment, cfg: RunCfg
) -> None:
    """The hand is at its pre-manipulation pose at the object, about as in training.

    Raises:
        RunError: it is too far from there.
    """
    start = robot_pose(task, embodiment)
    Ts_world_object = task.reference.Ts_world_object[:1]
    T_object_palm = Ts_world_object[0].inv() @ start.T_world_palm
    # Of all poses that look the same, the one turned least from the start.
    placed = TrackedObject.of(task).placed(SE3(seen.wxyz_xyz_world_object[None]), Ts_world_object)
    T_world_palm_wanted = SE3(placed.wxyz_xyz_world_object[0]) @ T_object_palm
    palm, _ = Body.of(embodiment).frames(state.joint_pos[None])
    position, rotation = SE3.from_matrix(palm[0]).distance(T_world_palm_wanted)
    first = embodiment.spec().num_arm_joints
    off = np.abs(state.joint_pos - start.joint_pos)[first:]
    worst = int(np.argmax(off))
    if position > cfg.palm_position or rotation > cfg.palm_rotation or off[worst] > cfg.hand_joints:
        raise RunError(
            f"The palm is {100 * position:.1f} cm and {np.rad2deg(rotation):.0f}° from its start at the object, and joint "
            f"{embodiment.spec().joint_names[first + worst]} {off[worst]:.2f} from its own; allowed are "
            f"{100 * cfg.palm_position:.0f} cm, {np.rad2deg(cfg.palm_rotation):.0f}° and {cfg.hand_joints}. Bring the robot to "
            "its start first."
        )
