"""Colours, materials and light.

In:  an ``MjSpec`` with robot, object and fixtures in it.   Out: the same, lit and furnished.
Not here: what is in the scene (scene), where the camera stands (stage).
"""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import ObjectModel, Scene, Shape
from h2s2r_sim.scene.robot import PREFIX

#: The object where it should be, anchor points of both, lines between them.
GHOST = (0.10, 0.72, 0.45, 0.32)
GOAL_ANCHOR = (0.05, 0.60, 0.35, 1.0)
ANCHOR = (0.98, 0.80, 0.12, 1.0)
LINE = (0.97, 0.97, 0.97, 0.85)

#: [m] radius of the points at the anchors, and of the lines between them.
POINT, THREAD = 0.006, 0.0018
#: How much larger than the object its ghost is [m], so that neither surface flickers through the other at the goal.
_GHOST_MARGIN = 0.003
_LIGHTS = mujoco.mjtLightType
#: [px] of a side of the wood's texture.
_TEXTURE = 512


def add_room(spec: mujoco.MjSpec, scene: Scene) -> None:
    """Lamps, wood for the table, a coat for everything else."""
    for light in list(spec.lights):
        spec.delete(light)
    top = scene.T_world_table.translation
    _add_lamps(spec, top)
    _add_materials(spec)
    for geom in spec.geoms:
        owner = geom.name.split("/")[0]
        if geom.name.startswith("scene/table/"):
            geom.material, geom.rgba = "wood", [0.5, 0.5, 0.5, 1.0]
        elif owner == PREFIX.rstrip("/"):
            geom.material = "lacquer"
        elif owner in ("object", "scene"):
            geom.material = "matt"


def _add_lamps(spec: mujoco.MjSpec, top: np.ndarray) -> None:
    visual = spec.visual
    visual.headlight.ambient, visual.headlight.diffuse = [0.30, 0.30, 0.32], [0.16, 0.16, 0.16]
    visual.headlight.specular = [0.0, 0.0, 0.0]
    visual.map.shadowscale, visual.map.znear, visual.map.zfar = 0.5, 0.02, 40.0
    visual.quality.numslices, visual.quality.numstacks = 24, 12
    spec.stat.extent, spec.stat.center = 1.0, [0.4, 0.0, float(top[2]) + 0.2]
    over = top + np.array([0.15, 0.0, 0.0])
    for place, strength, shadow in (
        (np.array([0.7, -0.8, 2.4]), 0.56, True),
        (np.array([0.6, 1.6, 1.2]), 0.22, False),
        (np.array([-1.4, 0.2, 1.6]), 0.20, False),
    ):
        spec.worldbody.add_light(
            type=_LIGHTS.mjLIGHT_SPOT if shadow else _LIGHTS.mjLIGHT_DIRECTIONAL,
            pos=over + place,
            dir=-place / np.linalg.norm(place),
            diffuse=[strength, strength, 0.97 * strength],
            specular=[0.35 * strength] * 3,
            cutoff=42.0,
            exponent=1.0,
            castshadow=shadow,
        )


def _add_materials(spec: mujoco.MjSpec) -> None:
    for texture in list(spec.textures):
        spec.delete(texture)
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.93, 0.95, 0.97],
        rgb2=[0.62, 0.69, 0.77],
        width=128,
        height=128,
    )
    wood = spec.add_texture(
        name="wood", type=mujoco.mjtTexture.mjTEXTURE_2D, width=_TEXTURE, height=_TEXTURE, nchannel=3
    )
    wood.data = _wood().tobytes()
    surfaces = mujoco.mjtTextureRole.mjTEXROLE_RGB
    table = spec.add_material(name="wood", specular=0.12, shininess=0.25, texrepeat=[1.0, 1.0], texuniform=False)
    table.textures[surfaces] = "wood"
    spec.add_material(name="lacquer", specular=0.55, shininess=0.6)
    spec.add_material(name="matt", specular=0.15, shininess=0.2)


def _wood() -> np.ndarray:
    """(H, W, 3) bytes: pale boards, their grain along the second axis."""
    rng = np.random.default_rng(0)
    across, along = np.linspace(0.0, 1.0, _TEXTURE)[:, None], np.linspace(0.0, 1.0, _TEXTURE)[None]
    boards = 6
    board = np.minimum((across * boards).astype(int), boards - 1)
    bend = 0.004 * np.sin(2 * np.pi * (along * (1.0 + board % 3) + 0.37 * board))
    rings = np.sin(2 * np.pi * (across + bend) * (60 + 9 * board) + 2.0 * board)
    fibre = rng.normal(size=(_TEXTURE, 1)) + 0.35 * rng.normal(size=(_TEXTURE, _TEXTURE))
    shade = 1.0 + 0.018 * rings + 0.012 * fibre + 0.03 * np.sin(5.1 * board)
    joint = np.abs(across * boards - np.round(across * boards)) < 0.012
    shade = np.where(joint & (across > 0.02) & (across < 0.98), 0.82 * shade, shade)
    return np.clip(255.0 * shade[..., None] * np.array([0.74, 0.63, 0.50]), 0, 255).astype(np.uint8)


def ghost_shapes(model: ObjectModel) -> tuple[Shape, ...]:
    """The object's shapes, translucent and a little larger."""
    grown = []
    for shape in model.visual or model.collision:
        extent = float(np.ptp(shape.vertices, axis=0).max()) if shape.kind == "mesh" else float(np.max(shape.size))
        factor = 1.0 + 2.0 * _GHOST_MARGIN / extent
        size, vertices = shape.size * factor, shape.vertices * factor
        grown.append(replace(shape, size=size, vertices=vertices, rgba=np.array(GHOST)))
    return tuple(grown)
