"""What stands around a demonstration: table, fixtures, object, bystanders, light, and the camera that looks at it.

In:  ``TaskSpec``, ``Look``, camera.   Out: an ``MjSpec`` that is only seen; hands and robots are added to it.
Not here: the human hand (stage), pictures (offscreen).
"""

from __future__ import annotations

import colorsys

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics, Shape, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.stage.look import Look
from h2s2r_sim.demonstrate.stage.texture import table_texture
from h2s2r_sim.scene.bodies import add_shape

#: [m] nearest and farthest that is drawn.
_NEAR, _FAR = 0.05, 12.0
#: [m] of table top that one tile of its texture covers.
_TILE = 0.6
#: OpenCV's camera looks along +z with y down, MuJoCo's along -z with y up.
_T_CAMERA_LENS = SE3.from_parts(np.array([0.0, 1.0, 0.0, 0.0]), np.zeros(3))


def describe(task: TaskSpec, look: Look, camera: CameraIntrinsics, T_world_camera: SE3) -> mujoco.MjSpec:
    """Everything that is seen but who handles the object; the object is the body ``object`` with the joint ``object``.

    Args:
        task: object and fixtures.
        look: colours, light, bystanders.
        camera: intrinsics; its principal point is the middle of the picture.
        T_world_camera: where it stands.
    """
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.stat.extent = 1.0
    spec.visual.map.znear, spec.visual.map.zfar = _NEAR, _FAR
    spec.visual.global_.offwidth, spec.visual.global_.offheight = camera.width, camera.height
    spec.visual.quality.offsamples = spec.visual.quality.shadowsize = 0
    _add_light(spec, look)
    _add_table_material(spec, look)
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint(name="object")
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


def add_texture(spec: mujoco.MjSpec, name: str, pixels: np.ndarray) -> mujoco.MjsMaterial:
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
    material = add_texture(spec, "table", pixels)
    material.texuniform, material.texrepeat = True, [1 / _TILE, 1 / _TILE]
    material.specular, material.shininess = 0.1, 0.2
