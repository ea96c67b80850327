"""How deep an object on a path goes into the things around it.

In:  ``ObjectModel``, ``Scene``, object poses.   Out: depth [m] per pose and fixture, found by MuJoCo's collision detection.
Not here: the robot (retarget checks its own poses), forces.
"""

from __future__ import annotations

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import ObjectModel, Scene
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.scene.world import world_spec


def penetration(model: ObjectModel, scene: Scene, Ts_world_object: SE3) -> dict[str, np.ndarray]:
    """Depth [m] of the object in each fixture along a path, 0 where they do not overlap.

    Args:
        model: the object, by its collision shapes.
        scene: the fixtures.
        Ts_world_object: (T) object poses in the world.

    Returns:
        Per name of a scene body an array (T).
    """
    world = world_spec(model, scene, SceneOptions()).compile()
    data = mujoco.MjData(world)
    names = [fixture.name for fixture in scene.bodies]
    owner = {world.body(f"scene/{name}").id: index for index, name in enumerate(names)}
    depth = np.zeros((len(Ts_world_object), len(names)))
    wxyz_xyz = Ts_world_object.wxyz_xyz
    for at in range(len(wxyz_xyz)):
        data.qpos[:3], data.qpos[3:7] = wxyz_xyz[at, 4:], wxyz_xyz[at, :4]
        mujoco.mj_kinematics(world, data)
        mujoco.mj_comPos(world, data)
        mujoco.mj_collision(world, data)
        for pair, distance in zip(world.geom_bodyid[data.contact.geom], data.contact.dist, strict=True):
            fixture = owner.get(int(pair[0]), owner.get(int(pair[1])))
            if fixture is not None:
                depth[at, fixture] = max(depth[at, fixture], -distance)
    return {name: depth[:, index] for index, name in enumerate(names)}
