"""How deep things are in each other in a given configuration, by MuJoCo's collision detection.

In:  ``SceneModel``, joint positions, object poses and sizes.   Out: depths [m].
Not here: whether a start is good enough (env), the object's own path through fixtures (scene.clearance).
"""

from __future__ import annotations

import copy

import mujoco
import numpy as np

from h2s2r_sim.engines.mujoco.prepare import sized_object
from h2s2r_sim.scene.model import SceneModel


def overlaps(
    scene: SceneModel, joint_pos: np.ndarray, wxyz_xyz_world_object: np.ndarray, object_size: np.ndarray | float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """How deep robot and object are in anything, 0 for not at all.

    Args:
        scene: what is where.
        joint_pos: (K, J) [rad; m].
        wxyz_xyz_world_object: (K, 7).
        object_size: (K) factor on the object's lengths.

    Returns:
        Deepest overlap (K) [m] of the robot with itself, the object and the scene, and of the object with the scene.

    Raises:
        EngineError: another size for an object that collides as a mesh.
    """
    count = len(joint_pos)
    size = np.broadcast_to(object_size, count)
    model = copy.copy(scene.model)
    data = mujoco.MjData(model)
    of_robot = np.isin(np.arange(model.ngeom), np.concatenate([scene.arm_geoms, scene.hand_geoms]))
    resized = sized_object(scene, scene.model, size, np.zeros((count, 3))) if (size != 1.0).any() else {}
    depth = np.zeros((2, count))
    all_joint_pos = scene.all_joint_pos(joint_pos)
    for index in range(count):
        for field, (where, values) in resized.items():
            getattr(model, field)[where] = values[index]
        if resized:
            model.body_ipos[scene.object_body] = size[index] * scene.model.body_ipos[scene.object_body]
        data.qpos[scene.robot_qpos] = all_joint_pos[index]
        data.qpos[scene.object_qpos] = wxyz_xyz_world_object[index]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_collision(model, data)
        if data.ncon:
            robots = of_robot[data.contact.geom].any(-1)
            for row, counted in enumerate((robots, ~robots)):
                depth[row, index] = max(0.0, float(-data.contact.dist[counted].min(initial=0.0)))
    return depth[0], depth[1]


def deepest_contact(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """Deepest contact [m] of any two geoms in the state of ``data``; 0 for none."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_collision(model, data)
    return max(0.0, float(-data.contact.dist.min(initial=0.0)))
