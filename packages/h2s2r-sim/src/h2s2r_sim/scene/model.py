"""The compiled scene, and where everything in it is: the engine needs no names.

In:  ``TaskSpec``, embodiment, ``SceneOptions``.   Out: ``SceneModel``.
Not here: stepping it (engine), reading observations from it (mdp), drawing other masses or friction (perturbation).
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.robots import RobotSpec
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.scene.pairs import list_pairs
from h2s2r_sim.scene.robot import PREFIX, add_robot
from h2s2r_sim.scene.world import world_spec


@dataclass(frozen=True)
class SceneModel:
    """One MuJoCo model with a robot, one free object and fixtures; index arrays are read-only and sorted as said."""

    model: mujoco.MjModel
    """The compiled model. Copy it before changing a field."""
    robot: RobotSpec
    """Gives the order of joints, limits and fingertips."""
    joint_qpos: np.ndarray
    """(J) where in ``qpos`` the commanded joints are, in ``robot.joint_names`` order."""
    joint_dofs: np.ndarray
    """(J) where in ``qvel`` they are."""
    actuators: np.ndarray
    """(J) where in ``ctrl`` their position targets [rad; m] are."""
    robot_qpos: np.ndarray
    """(Q) where in ``qpos`` all joints of the robot are, those that follow another included."""
    robot_dofs: np.ndarray
    """(Q) where in ``qvel`` they are."""
    follow_matrix: np.ndarray
    """(Q, J) all joints from the commanded ones: ``qpos[robot_qpos] = follow_matrix @ joint_pos + follow_offset``."""
    follow_offset: np.ndarray
    """(Q) [rad; m]."""
    object_body: int
    """Body of the object; its frame is the object frame."""
    object_qpos: np.ndarray
    """(7) where in ``qpos`` the object's pose is, in the order ``wxyz_xyz``."""
    object_dofs: np.ndarray
    """(6) where in ``qvel`` its velocity is: linear in the world [m/s], then angular in the object frame [rad/s]."""
    palm_site: int
    """Site at the palm frame."""
    fingertip_sites: np.ndarray
    """(F) sites at the fingertip frames, in ``robot.fingertip_frames`` order."""
    arm_bodies: np.ndarray
    """Bodies of the arm, base included."""
    hand_bodies: np.ndarray
    """Bodies beyond the arm's last link."""
    arm_geoms: np.ndarray
    """Colliding geoms of the arm."""
    hand_geoms: np.ndarray
    """Colliding geoms of the hand."""
    object_geoms: np.ndarray
    """Colliding geoms of the object."""
    table_geoms: np.ndarray
    """Colliding geoms of the table."""
    fixture_geoms: np.ndarray
    """Colliding geoms of all other fixtures."""

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def all_joint_pos(self, joint_pos: np.ndarray) -> np.ndarray:
        """Positions (…, Q) of all joints of the robot from those (…, J) of the commanded ones."""
        return joint_pos @ self.follow_matrix.T + self.follow_offset


def build_model(task: TaskSpec, embodiment: Embodiment, options: SceneOptions | None = None) -> SceneModel:
    """The scene of a task with a robot in it.

    Raises:
        SchemaError: an unknown setting, or a robot whose files do not agree with each other.
    """
    options = options or SceneOptions()
    spec = world_spec(task.object, task.scene, options)
    add_robot(spec, embodiment, options)
    list_pairs(spec, spec.compile())
    return located(spec.compile(), embodiment)


def located(model: mujoco.MjModel, embodiment: Embodiment) -> SceneModel:
    """The model with the places of everything in it."""
    robot = embodiment.spec()
    joints = np.array([model.joint(PREFIX + name).id for name in robot.joint_names])
    robot_bodies = [index for index in range(model.nbody) if model.body(index).name.startswith(PREFIX)]
    robot_joints = np.flatnonzero(np.isin(model.jnt_bodyid, robot_bodies))
    follow_matrix, follow_offset = _following(model, robot_joints, joints)
    hand_bodies, arm_bodies = _hand_and_arm(model, robot, robot_bodies)
    object_joint = model.joint("object")
    at, dof = int(object_joint.qposadr[0]), int(object_joint.dofadr[0])
    table, fixtures = _fixture_geoms(model)
    return SceneModel(
        model=model,
        robot=robot,
        joint_qpos=model.jnt_qposadr[joints],
        joint_dofs=model.jnt_dofadr[joints],
        actuators=np.array([model.actuator(PREFIX + name).id for name in robot.joint_names]),
        robot_qpos=model.jnt_qposadr[robot_joints],
        robot_dofs=model.jnt_dofadr[robot_joints],
        follow_matrix=follow_matrix,
        follow_offset=follow_offset,
        object_body=int(model.body("object").id),
        object_qpos=np.array([at + 3, at + 4, at + 5, at + 6, at, at + 1, at + 2]),
        object_dofs=dof + np.arange(6),
        palm_site=int(model.site(PREFIX + robot.palm_frame).id),
        fingertip_sites=np.array([model.site(PREFIX + name).id for name in robot.fingertip_frames]),
        arm_bodies=arm_bodies,
        hand_bodies=hand_bodies,
        arm_geoms=_colliding(model, arm_bodies),
        hand_geoms=_colliding(model, hand_bodies),
        object_geoms=_colliding(model, np.array([model.body("object").id])),
        table_geoms=table,
        fixture_geoms=fixtures,
    )


def _following(model: mujoco.MjModel, robot_joints: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (Q, J) and offset (Q) that give all joints from the commanded ones; equalities say which follow which."""
    leader = {int(joint): (column, 1.0, 0.0) for column, joint in enumerate(joints)}
    for equality in range(model.neq):
        follower, followed = int(model.eq_obj1id[equality]), int(model.eq_obj2id[equality])
        if model.eq_type[equality] == mujoco.mjtEq.mjEQ_JOINT and followed in leader:
            column, factor, offset = leader[followed]
            constant, slope = model.eq_data[equality, :2]
            leader[follower] = (column, slope * factor, constant + slope * offset)
    matrix, offsets = np.zeros((len(robot_joints), len(joints))), np.zeros(len(robot_joints))
    for row, joint in enumerate(robot_joints):
        column, matrix_entry, offsets[row] = leader[int(joint)]
        matrix[row, column] = matrix_entry
    return matrix, offsets


def _hand_and_arm(model: mujoco.MjModel, robot: RobotSpec, robot_bodies: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Bodies beyond the link that the arm's last joint moves, and the others."""
    last = robot.arm_joint_names[-1:] or robot.joint_names[:1]
    wrist = int(model.joint(PREFIX + last[0]).bodyid[0])
    beyond = {wrist}
    # A body comes after its parent, so one pass finds the whole subtree.
    for body in robot_bodies:
        if int(model.body_parentid[body]) in beyond:
            beyond.add(body)
    beyond.discard(wrist)
    hand = np.array(sorted(beyond), dtype=int)
    return hand, np.array([body for body in robot_bodies if body not in beyond], dtype=int)


def _colliding(model: mujoco.MjModel, bodies: np.ndarray) -> np.ndarray:
    collides = np.union1d(model.pair_geom1, model.pair_geom2)
    return collides[np.isin(model.geom_bodyid[collides], bodies)]


def _fixture_geoms(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    """Geoms of the table, and of all other fixtures."""
    names = {body: model.body(body).name for body in range(model.nbody)}
    table = np.array([body for body, name in names.items() if name == "scene/table"], dtype=int)
    others = np.array([b for b, name in names.items() if name.startswith("scene/") and b not in table], dtype=int)
    return _colliding(model, table), _colliding(model, others)
