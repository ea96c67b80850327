"""The scene of a demonstration in MuJoCo, and pictures of it: colour, depth and masks, without faults.

In:  ``TaskSpec``, ``Look``, camera; then object pose and hand, picture by picture.   Out: ``Picture``.
Not here: what a real depth camera makes of it (camera), files (record).

Shadows and multisampling are off: in software they cost more than everything else together.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from types import TracebackType

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics, Shape, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.hand.skin import Skin, make_skin
from h2s2r_sim.demonstrate.stage.look import Look
from h2s2r_sim.demonstrate.stage.offscreen import Offscreen
from h2s2r_sim.demonstrate.stage.texture import hand_palette, table_texture
from h2s2r_sim.scene.bodies import add_shape

#: [m] nearest and farthest that is drawn.
_NEAR, _FAR = 0.05, 12.0
#: [m] of table top that one tile of its texture covers.
_TILE = 0.6
MASK_NAMES = ("object", "hand")
#: OpenCV's camera looks along +z with y down, MuJoCo's along -z with y up.
_T_CAMERA_LENS = SE3.from_parts(np.array([0.0, 1.0, 0.0, 0.0]), np.zeros(3))


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
        spec = _describe(task, look, camera, T_world_camera, self._skin, side)
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


def _describe(
    task: TaskSpec, look: Look, camera: CameraIntrinsics, T_world_camera: SE3, skin: Skin, side: str
) -> mujoco.MjSpec:
    """Everything that is seen, as an ``MjSpec``."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.stat.extent = 1.0
    spec.visual.map.znear, spec.visual.map.zfar = _NEAR, _FAR
    spec.visual.global_.offwidth, spec.visual.global_.offheight = camera.width, camera.height
    spec.visual.quality.offsamples = spec.visual.quality.shadowsize = 0
    _add_light(spec, look)
    _add_table_material(spec, look)
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint()
    body.mass, body.inertia, body.explicitinertial = 1.0, [1.0, 1.0, 1.0], True
    for index, shape in enumerate(task.object.visual):
        add_shape(spec, body, _tinted(shape, look.object_turn), f"object/{index}")
    for fixture in task.scene.bodies:
        wxyz_xyz = fixture.wxyz_xyz_world_body
        body = spec.worldbody.add_body(name=fixture.name, pos=wxyz_xyz[4:], quat=wxyz_xyz[:4])
        for index, shape in enumerate(fixture.shapes):
            geom = add_shape(spec, body, shape, f"{fixture.name}/{index}")
            if fixture.name == "table":
                geom.material, geom.rgba = "table", [1.0, 1.0, 1.0, 1.0]
    wxyz_xyz = task.scene.wxyz_xyz_world_table
    body = spec.worldbody.add_body(name="bystanders", pos=wxyz_xyz[4:], quat=wxyz_xyz[:4])
    for index, shape in enumerate(look.bystanders):
        add_shape(spec, body, shape, f"bystander/{index}")
    _add_skin(spec, skin, look, side)
    T_world_lens = T_world_camera @ _T_CAMERA_LENS
    wxyz_xyz = T_world_lens.wxyz_xyz
    fovy = 2 * np.arctan(camera.height / 2 / camera.fy)
    spec.worldbody.add_camera(name="camera", pos=wxyz_xyz[4:], quat=wxyz_xyz[:4], fovy=float(np.rad2deg(fovy)))
    return spec


def _tinted(shape: Shape, turn: float) -> Shape:
    """A shape with its hue turned by [rad]."""
    hue, saturation, value = colorsys.rgb_to_hsv(*shape.rgba[:3])
    colour = colorsys.hsv_to_rgb((hue + turn / (2 * np.pi)) % 1.0, saturation, value)
    return shape.replace(rgba=np.array([*colour, shape.rgba[3]]))


def _add_light(spec: mujoco.MjSpec, look: Look) -> None:
    spec.visual.headlight.ambient = [look.ambient] * 3
    spec.visual.headlight.diffuse = [0.20] * 3
    spec.visual.headlight.specular = [0.0] * 3
    for lamp in look.lamps:
        spec.worldbody.add_light(
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            pos=[0.0, 0.0, 3.0],
            dir=list(lamp.direction),
            diffuse=list(lamp.strength),
            specular=[0.05] * 3,
            castshadow=False,
        )
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        pos=[0.0, 0.0, -0.75],
        size=[8.0, 8.0, 0.1],
        rgba=[*(0.8 * each for each in look.backdrop), 1.0],
    )
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[min(1.0, 1.15 * each) for each in look.backdrop],
        rgb2=[0.85 * each for each in look.backdrop],
        width=64,
        height=64,
    )


def _add_texture(spec: mujoco.MjSpec, name: str, pixels: np.ndarray) -> mujoco.MjsMaterial:
    """A material that shows these pixels (H, W, 3)."""
    texture = spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=pixels.shape[1], height=pixels.shape[0], nchannel=3
    )
    texture.data = pixels.tobytes()
    material = spec.add_material(name=name)
    material.textures[int(mujoco.mjtTextureRole.mjTEXROLE_RGB)] = name
    return material


def _add_table_material(spec: mujoco.MjSpec, look: Look) -> None:
    pixels = table_texture(look.table, np.array(look.table_colour), look.table_seed)
    material = _add_texture(spec, "table", pixels)
    material.texuniform, material.texrepeat = True, [1 / _TILE, 1 / _TILE]
    material.specular, material.shininess = 0.1, 0.2


def _add_skin(spec: mujoco.MjSpec, skin: Skin, look: Look, side: str) -> None:
    """The hand as a skin on one bone that never moves; its vertices are set picture by picture."""
    material = _add_texture(spec, "hand", hand_palette(np.array(look.skin_colour), np.array(look.sleeve_colour)))
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
