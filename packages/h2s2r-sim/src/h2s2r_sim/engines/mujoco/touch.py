"""Where a robot touches the object.

In:  the worlds of a ``MujocoEngine``.   Out: ``Touch``: points in the object's frame, links, forces.
Not here: how deep things are in each other (overlap), what is made of it (h2s2r-rl).
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from h2s2r_schemas.se3 import SE3
from h2s2r_sim.engines.mujoco.worlds import MujocoEngine
from h2s2r_sim.scene.robot import PREFIX


@dataclass(frozen=True)
class Touch:
    """The contacts between robot and object in one world."""

    p_object_contact: np.ndarray
    """(C, 3) [m] in the object's frame."""
    links: tuple[str, ...]
    """(C) names of the robot's links, as in its URDF."""
    normal_force: np.ndarray
    """(C) [N] with which they press, at least 0."""


class Toucher:
    """Looks at the worlds of one engine.

    Args:
        engine: whose worlds.
    """

    def __init__(self, engine: MujocoEngine) -> None:
        self._engine = engine
        scene = engine.scene
        self._data = mujoco.MjData(scene.model)
        self._is_object = np.zeros(scene.model.ngeom, dtype=bool)
        self._is_object[scene.object_geoms] = True
        self._is_robot = np.zeros(scene.model.ngeom, dtype=bool)
        self._is_robot[np.concatenate([scene.arm_geoms, scene.hand_geoms])] = True

    def touch(self, env_id: int) -> Touch:
        """The contacts in world ``env_id`` now."""
        engine, data = self._engine, self._data
        model = engine.batch.get_model(env_id)
        engine.batch.get_data(env_id, data)
        mujoco.mj_forward(model, data)
        geoms = np.asarray(data.contact.geom).reshape(-1, 2)
        of_robot, of_object = self._is_robot[geoms], self._is_object[geoms]
        found = np.flatnonzero(of_robot.any(-1) & of_object.any(-1) & (np.asarray(data.contact.dist) <= 0.0))
        robot_geoms = np.where(of_robot[found, 0], geoms[found, 0], geoms[found, 1])
        T_world_object = SE3(data.qpos[engine.scene.object_qpos])
        points = T_world_object.inv().apply(np.asarray(data.contact.pos).reshape(-1, 3)[found])
        force = np.zeros((len(found), 6))
        for row, contact in enumerate(found):
            mujoco.mj_contactForce(model, data, int(contact), force[row])
        names = tuple(model.body(int(model.geom_bodyid[geom])).name.removeprefix(PREFIX) for geom in robot_geoms)
        return Touch(points, names, np.maximum(force[:, 0], 0.0))
