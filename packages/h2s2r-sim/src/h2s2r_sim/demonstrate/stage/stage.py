"""The scene of a demonstration in MuJoCo, and pictures of it: colour, depth and masks, without faults.

In:  ``TaskSpec``, ``Look``, camera; then object pose and hand, picture by picture.   Out: ``Picture``.
Not here: what a real depth camera makes of it (camera), files (record).

Shadows and multisampling are off: in software they cost more than everything else together.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.hand.skin import Skin, make_skin
from h2s2r_sim.demonstrate.stage.look import Look
from h2s2r_sim.demonstrate.stage.offscreen import Offscreen
from h2s2r_sim.demonstrate.stage.surroundings import add_texture, describe
from h2s2r_sim.demonstrate.stage.texture import hand_palette

MASK_NAMES = ("object", "hand")


@dataclass(frozen=True)
class Picture:
    """What a perfect camera sees."""

    rgb: np.ndarray
    """(H, W, 3) uint8."""
    depth: np.ndarray
    """(H, W) float32 [m] along the optical axis."""
    masks: dict[str, np.ndarray]
    """(H, W) bool by ``MASK_NAMES``: where each is seen."""


class Stage:
    """Takes pictures of a task. Use it in a ``with`` block: it holds an offscreen window.

    Args:
        task: object and fixtures.
        look: colours, light, bystanders.
        camera: intrinsics; its principal point is the middle of the picture.
        T_world_camera: where it stands.
        side: which hand is seen.
    """

    def __init__(
        self, task: TaskSpec, look: Look, camera: CameraIntrinsics, T_world_camera: SE3, side: str = "right"
    ) -> None:
        self._skin = make_skin()
        spec = describe(task, look, camera, T_world_camera)
        _add_skin(spec, self._skin, look, side)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._object_geoms = np.flatnonzero(self._model.geom_bodyid == self._model.body("object").id)
        self._window = Offscreen(self._model, camera.width, camera.height)

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._window.close()

    def picture(self, T_world_object: SE3, hand: Hand) -> Picture:
        """Colour, depth and masks."""
        self._put(T_world_object, hand)
        rgb = self._window.colour()
        drawn, depth = self._window.identity_and_depth()
        return Picture(rgb, depth, {name: self._shows(name)[drawn] for name in MASK_NAMES})

    def colour(self, T_world_object: SE3, hand: Hand) -> np.ndarray:
        """Colour (H, W, 3) uint8 alone."""
        self._put(T_world_object, hand)
        return self._window.colour()

    def depth(self, T_world_object: SE3, hand: Hand) -> np.ndarray:
        """Depth (H, W) [m] alone."""
        self._put(T_world_object, hand)
        return self._window.depth()

    def _shows(self, name: str) -> np.ndarray:
        """By the code of what is drawn, whether it is the object or the hand."""
        drawn = self._window.scene.geoms[: self._window.scene.ngeom]
        shows = np.zeros(len(drawn) + 1, bool)
        for each in drawn:
            if name == "hand":
                shows[each.segid + 1] |= each.objtype == mujoco.mjtObj.mjOBJ_SKIN
            else:
                shows[each.segid + 1] |= each.objtype == mujoco.mjtObj.mjOBJ_GEOM and each.objid in self._object_geoms
        return shows

    def _put(self, T_world_object: SE3, hand: Hand) -> None:
        wxyz_xyz = T_world_object.wxyz_xyz
        self._data.qpos[:3], self._data.qpos[3:7] = wxyz_xyz[4:], wxyz_xyz[:4]
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._window.update(self._data)
        # MuJoCo has just posed the skin by its own bones; ours has more of them than it needs to know.
        vertices, normals = hand.skin(self._skin)
        self._window.scene.skinvert[:] = vertices.ravel()
        self._window.scene.skinnormal[:] = normals.ravel()


def _add_skin(spec: mujoco.MjSpec, skin: Skin, look: Look, side: str) -> None:
    """The hand as a skin on one bone that never moves; its vertices are set picture by picture."""
    material = add_texture(spec, "hand", hand_palette(np.array(look.skin_colour), np.array(look.sleeve_colour)))
    material.specular, material.shininess = 0.15, 0.3
    spec.worldbody.add_body(name="hand")
    count = len(skin.vertices)
    spec.add_skin(
        name="hand",
        material="hand",
        vert=skin.vertices.astype(np.float32).ravel().tolist(),
        face=skin.side_faces(side).ravel().tolist(),
        texcoord=skin.colours.astype(np.float32).ravel().tolist(),
        bodyname=["hand"],
        bindpos=[0.0, 0.0, 0.0],
        bindquat=[1.0, 0.0, 0.0, 0.0],
        vertid=[list(range(count))],
        vertweight=[[1.0] * count],
    )
