"""How deep a robot in a given configuration is in anything, by MuJoCo's collision detection.

In:  ``SceneModel``, joint positions, object poses.   Out: depths [m].
Not here: whether a start is good enough (env), the object's own path through fixtures (scene.clearance).
"""

from __future__ import annotations

import mujoco
import numpy as np

from h2s2r_sim.scene.model import SceneModel


def overlaps(
    scene: SceneModel, model: mujoco.MjModel, joint_pos: np.ndarray, wxyz_xyz_world_object: np.ndarray
) -> np.ndarray:
    """Deepest overlap (K) [m] of the robot with itself, the object or the scene; 0 for none.

    Args:
        scene: where everything is in ``model``.
        model: the scene's model, or one with another object size.
        joint_pos: (K, J) [rad; m].
        wxyz_xyz_world_object: (K, 7).
    """
    data = mujoco.MjData(model)
    of_robot = np.isin(np.arange(model.ngeom), np.concatenate([scene.arm_geoms, scene.hand_geoms]))
    depth = np.zeros(len(joint_pos))
    all_joint_pos = scene.all_joint_pos(joint_pos)
    for index in range(len(joint_pos)):
        data.qpos[scene.robot_qpos] = all_joint_pos[index]
        data.qpos[scene.object_qpos] = wxyz_xyz_world_object[index]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_collision(model, data)
        if data.ncon:
            counted = of_robot[data.contact.geom].any(-1)
            depth[index] = max(0.0, float(-data.contact.dist[counted].min(initial=0.0)))
    return depth


def deepest_contact(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """Deepest contact [m] of any two geoms in the state of ``data``; 0 for none."""
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_collision(model, data)
    return max(0.0, float(-data.contact.dist.min(initial=0.0)))
