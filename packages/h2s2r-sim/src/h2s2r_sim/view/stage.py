"""The digital twin made to be looked at: lamps, wood, a translucent object at the goal, anchor points, a camera.

In:  ``TaskSpec``, embodiment, then joint positions and poses.   Out: ``Stage``: a MuJoCo model and data, and a camera.
Not here: pixels (offscreen), films (film). Physics takes its own model: nothing here is simulated.
"""

from __future__ import annotations

import mujoco
import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.scene import SceneOptions, world_spec
from h2s2r_sim.scene.bodies import add_shape
from h2s2r_sim.scene.model import SceneModel, located
from h2s2r_sim.scene.robot import add_robot
from h2s2r_sim.view.camera import find_camera
from h2s2r_sim.view.look import ANCHOR, GOAL_ANCHOR, LINE, POINT, THREAD, add_room, ghost_shapes


class Stage:
    """One robot, one object and its goal, placed by hand.

    Args:
        task: what is done.
        embodiment: by whom.
        shadow_size: [px] of the map from which the lamp's shadow is drawn; 0 for none.
    """

    def __init__(self, task: TaskSpec, embodiment: Embodiment, shadow_size: int = 1024) -> None:
        options = SceneOptions(shadow_size=shadow_size, offscreen_samples=0)
        spec = world_spec(task.object, task.scene, options)
        add_robot(spec, embodiment, options)
        ghost = spec.worldbody.add_body(name="goal", mocap=True)
        for index, shape in enumerate(ghost_shapes(task.object)):
            add_shape(spec, ghost, shape, f"goal/{index}")
        add_room(spec, task.scene)
        self.scene: SceneModel = located(spec.compile(), embodiment)
        self.data = mujoco.MjData(self.scene.model)
        self._ghost_geoms = set(
            np.flatnonzero(self.scene.model.geom_bodyid == self.scene.model.body("goal").id).tolist()
        )
        self.camera = find_camera(task)
        self._tracked = TrackedObject.of(task)
        self._p_world_anchors = np.zeros((2, len(task.anchor_points), 3))

    def place(self, joint_pos: np.ndarray, wxyz_xyz_world_object: np.ndarray, wxyz_xyz_world_goal: np.ndarray) -> None:
        """Put everything in its place.

        Args:
            joint_pos: (J) [rad; m].
            wxyz_xyz_world_object: (7) where the object is.
            wxyz_xyz_world_goal: (7) where it should be.
        """
        data, T_world_object, T_world_goal = self.data, SE3(wxyz_xyz_world_object[None]), SE3(wxyz_xyz_world_goal[None])
        data.qpos[self.scene.robot_qpos] = self.scene.all_joint_pos(joint_pos)
        data.qpos[self.scene.object_qpos] = wxyz_xyz_world_object
        data.mocap_pos[0], data.mocap_quat[0] = wxyz_xyz_world_goal[4:], wxyz_xyz_world_goal[:4]
        mujoco.mj_kinematics(self.scene.model, data)
        mujoco.mj_camlight(self.scene.model, data)
        self._p_world_anchors[0] = self._tracked.placed(T_world_object, T_world_goal).p_world_anchors
        self._p_world_anchors[1] = self._tracked.placed(T_world_goal).p_world_anchors

    def decorate(self, drawn: mujoco.MjvScene) -> None:
        """Add the anchor points of object and goal, and a line from each to each, to what is about to be drawn.

        What MuJoCo holds for decoration throws no shadow; so does the ghost.
        """
        for geom in drawn.geoms[: drawn.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM and geom.objid in self._ghost_geoms:
                geom.category = mujoco.mjtCatBit.mjCAT_DECOR
        for anchor, goal in zip(*self._p_world_anchors, strict=True):
            for kind, ends, size, rgba in (
                (mujoco.mjtGeom.mjGEOM_SPHERE, (anchor, anchor), POINT, ANCHOR),
                (mujoco.mjtGeom.mjGEOM_SPHERE, (goal, goal), POINT, GOAL_ANCHOR),
                (mujoco.mjtGeom.mjGEOM_CAPSULE, (anchor, goal), THREAD, LINE),
            ):
                if drawn.ngeom < drawn.maxgeom:
                    geom = drawn.geoms[drawn.ngeom]
                    colour = np.array(rgba, dtype=np.float32)
                    mujoco.mjv_initGeom(geom, kind, np.full(3, size), ends[0], np.eye(3).ravel(), colour)
                    geom.category = mujoco.mjtCatBit.mjCAT_DECOR
                    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
                        mujoco.mjv_connector(geom, kind, size, *ends)
                    drawn.ngeom += 1
