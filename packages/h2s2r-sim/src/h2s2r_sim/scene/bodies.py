"""Put shapes, objects and fixtures into a MuJoCo model description.

In:  ``Shape``, ``ObjectModel``, ``SceneBody``.   Out: bodies and geoms of an ``MjSpec``, named after where they come from.
Not here: the robot (robot), compiling and looking up addresses (model).
"""

from __future__ import annotations

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import ObjectModel, SceneBody, Shape
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.options import SceneOptions

#: Geom groups of every model: MuJoCo shows groups 0-2 unless told otherwise.
VISUAL_GROUP, COLLISION_GROUP = 1, 3

_GEOM = mujoco.mjtGeom
_TYPES = {
    "box": _GEOM.mjGEOM_BOX,
    "sphere": _GEOM.mjGEOM_SPHERE,
    "cylinder": _GEOM.mjGEOM_CYLINDER,
    "capsule": _GEOM.mjGEOM_CAPSULE,
    "mesh": _GEOM.mjGEOM_MESH,
}


def add_shape(spec: mujoco.MjSpec, body: mujoco.MjsBody, shape: Shape, name: str) -> mujoco.MjsGeom:
    """Add one shape to a body, in the body's frame; it has no mass and collides with nothing until told otherwise."""
    geom = body.add_geom(
        name=name,
        type=_TYPES[shape.kind],
        pos=shape.wxyz_xyz[4:],
        quat=shape.wxyz_xyz[:4],
        rgba=shape.rgba,
        contype=0,
        conaffinity=0,
        mass=0.0,
        group=VISUAL_GROUP,
    )
    if shape.kind == "mesh":
        mesh = spec.add_mesh(name=name)
        mesh.uservert = shape.vertices.ravel().tolist()
        mesh.userface = shape.faces.ravel().tolist()
        # Massless: its inertia is declared by the object, so an open visual mesh is no error here.
        mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX
        geom.meshname = name
    else:
        geom.size = _half_sizes(shape)
    return geom


def _half_sizes(shape: Shape) -> np.ndarray:
    """MuJoCo's sizes (3): half edges, or radius and half length."""
    first, second, third = shape.size
    if shape.kind == "box":
        return np.array([first, second, third]) / 2
    return np.array([first, second / 2, 0.0])


def set_contact(geom: mujoco.MjsGeom, friction: float, options: SceneOptions) -> None:
    """Let a geom collide, with a coefficient of sliding friction; of two geoms in contact the larger one counts."""
    geom.contype = geom.conaffinity = 1
    geom.condim = 3
    geom.friction = [friction, 0.005, 0.0001]
    geom.solref = list(options.solref)
    geom.solimp = [*options.solimp, 0.5, 2.0]


def set_inertia(body: mujoco.MjsBody, mass: float, center_of_mass: np.ndarray, inertia: np.ndarray) -> None:
    """Give a body its mass [kg], centre (3) [m] and inertia (3, 3) [kg·m²] about it, along the body's axes."""
    body.mass, body.ipos, body.explicitinertial = mass, center_of_mass, True
    body.fullinertia = [inertia[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]


def add_object(spec: mujoco.MjSpec, model: ObjectModel, options: SceneOptions) -> mujoco.MjsBody:
    """Add a free object, body frame = object frame. Geoms: ``object/visual/i`` seen, ``object/collision/i`` colliding."""
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint(name="object")
    set_inertia(body, model.mass, model.center_of_mass, model.inertia)
    if options.visuals:
        for index, shape in enumerate(model.visual):
            add_shape(spec, body, shape, f"object/visual/{index}")
    for index, shape in enumerate(model.collision):
        geom = add_shape(spec, body, shape, f"object/collision/{index}")
        geom.group = COLLISION_GROUP if options.visuals else VISUAL_GROUP
        set_contact(geom, model.friction, options)
    return body


def add_fixture(spec: mujoco.MjSpec, fixture: SceneBody, options: SceneOptions) -> mujoco.MjsBody:
    """Add one immovable thing. Geoms: ``scene/NAME/i``, both seen and colliding."""
    wxyz_xyz = fixture.wxyz_xyz_world_body
    body = spec.worldbody.add_body(name=f"scene/{fixture.name}", pos=wxyz_xyz[4:], quat=wxyz_xyz[:4])
    for index, shape in enumerate(fixture.shapes):
        set_contact(add_shape(spec, body, shape, f"scene/{fixture.name}/{index}"), fixture.friction, options)
    return body


def add_table(spec: mujoco.MjSpec, table: SceneBody, T_world_table: SE3, options: SceneOptions) -> mujoco.MjsBody:
    """Add the table: with ``table_plane`` its top collides as a plane, where it is one and not above the robot's base.

    Geoms: as for any fixture, and ``scene/table/top``.
    """
    T_body_table = table.T_world_body.inv() @ T_world_table
    at_top = [index for index, shape in enumerate(table.shapes) if _ends_at_top(shape, T_body_table)]
    body = add_fixture(spec, table, options)
    if not options.table_plane or not at_top or T_world_table.translation[2] > _ABOVE_BASE:
        return body
    for index in at_top:
        geom = spec.geom(f"scene/{table.name}/{index}")
        geom.contype = geom.conaffinity = 0
        if not options.visuals:
            spec.delete(geom)
    plane = body.add_geom(
        name=f"scene/{table.name}/top",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        pos=T_body_table.translation,
        quat=T_body_table.wxyz,
        size=[1.0, 1.0, 0.1],
        group=COLLISION_GROUP,
    )
    set_contact(plane, table.friction, options)
    return body


#: [m] a table's top may be above the robot's base and still be taken as endless; if higher, it would cut through the arm.
_ABOVE_BASE = 0.02


def _ends_at_top(shape: Shape, T_body_table: SE3) -> bool:
    """Whether a shape is a box whose upper face lies in the table's surface."""
    if shape.kind != "box":
        return False
    T_table_shape = T_body_table.inv() @ SE3(shape.wxyz_xyz)
    up = T_table_shape.rotation_matrix()[2]
    height = T_table_shape.translation[2] + np.abs(up) @ shape.size / 2
    return bool(np.abs(up).max() > 1.0 - 1e-6 and abs(height) < 1e-3)
