"""What things are made of: shapes, objects with mass and symmetry, scenes.

In:  sizes, meshes and physical parameters.   Out: ``Shape``, ``Symmetry``, ``ObjectModel``, ``Scene``.
Not here: where an object moves (trajectories), reading mesh files (perception), symmetry-aware errors (success).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec
from h2s2r_schemas.codec.message import (
    Message,
    MessageSpec,
    MessagesSpec,
    field,
    message,
)
from h2s2r_schemas.codec.specs import BoolSpec, FloatSpec, TextSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

SHAPE_KINDS = ("box", "sphere", "cylinder", "capsule", "mesh")
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@message("h2s2r.Shape", version=1)
class Shape(Message):
    """One primitive or convex mesh, placed in the frame of what it is part of."""

    kind: str = field(TextSpec(SHAPE_KINDS))
    """One of ``SHAPE_KINDS``. A mesh used for collision stands for its convex hull."""
    size: np.ndarray = field(ArraySpec((3,), unit="m", minimum=0.0), default=(0.0, 0.0, 0.0))
    """(3) [m]. Box: full edge lengths. Sphere: radius, 0, 0. Cylinder, capsule: radius, full length of the straight
    part along z, 0. Mesh: 0, 0, 0."""
    wxyz_xyz: np.ndarray = field(PoseSpec(), default=_IDENTITY)
    """(7) pose of the shape in its owner's frame."""
    vertices: np.ndarray = field(ArraySpec(("V", 3), unit="m"), default_factory=lambda: np.zeros((0, 3)))
    """(V, 3) [m] mesh vertices in the shape's frame; none for a primitive."""
    faces: np.ndarray = field(
        ArraySpec(("F", 3), dtype="int32", minimum=0),
        default_factory=lambda: np.zeros((0, 3)),
    )
    """(F, 3) vertex indices, counter-clockwise from outside; none for a primitive."""
    rgba: np.ndarray = field(ArraySpec((4,), minimum=0.0, maximum=1.0), default=(0.7, 0.7, 0.7, 1.0))
    """(4) colour, each in [0, 1]."""

    def check(self) -> None:
        if self.kind == "mesh":
            if len(self.vertices) < 4 or len(self.faces) < 4:
                raise SchemaError(f"A mesh needs at least 4 vertices and 4 faces; this has {len(self.vertices)}.")
            if int(self.faces.max()) >= len(self.vertices):
                raise SchemaError(f"A face names vertex {self.faces.max()}; there are {len(self.vertices)}.")
        elif len(self.vertices) or len(self.faces):
            raise SchemaError(f"A {self.kind} has no vertices or faces; only a mesh has.")
        else:
            used = {"box": 3, "sphere": 1, "cylinder": 2, "capsule": 2}[self.kind]
            if not bool((self.size[:used] > 0).all()):
                raise SchemaError(f"The size of a {self.kind} is {self.size.tolist()}; its first {used} must be > 0 m.")


@message("h2s2r.Symmetry", version=1)
class Symmetry(Message):
    """Which turns of an object nobody can see: about an axis, or a finite set."""

    axis: np.ndarray = field(ArraySpec((3,), minimum=-1.0, maximum=1.0), default=(0.0, 0.0, 0.0))
    """(3) unit vector in the object frame about which the object may turn freely; zero for none."""
    rotations_wxyz: np.ndarray = field(
        ArraySpec(("S", 4), minimum=-1.0, maximum=1.0), default_factory=lambda: np.array([[1.0, 0.0, 0.0, 0.0]])
    )
    """(S, 4) unit quaternions of the finite set, identity included. With an ``axis``, they act besides it."""

    def check(self) -> None:
        length = float(np.linalg.norm(self.axis))
        if length != 0.0 and abs(length - 1.0) > 1e-6:
            raise SchemaError(f"A symmetry axis is a unit vector or zero; this one has length {length}.")
        if not np.allclose(np.linalg.norm(self.rotations_wxyz, axis=-1), 1.0, atol=1e-6):
            raise SchemaError("The rotations of a symmetry are unit quaternions (wxyz).")
        if not bool((np.abs(self.rotations_wxyz[:, 0]) > 1.0 - 1e-6).any()):
            raise SchemaError("The rotations of a symmetry include the identity (1, 0, 0, 0).")

    @property
    def continuous(self) -> bool:
        """Whether the object may turn freely about ``axis``."""
        return bool(self.axis.any())


@message("h2s2r.ObjectModel", version=1)
class ObjectModel(Message):
    """A rigid object: how it looks, what it collides with, how heavy it is."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name, e.g. ``"snackbox"``."""
    visual: tuple[Shape, ...] = field(MessagesSpec(Shape, minimum=1))
    """Shapes that are seen, in the object frame; meshes need not be convex."""
    collision: tuple[Shape, ...] = field(MessagesSpec(Shape, minimum=1))
    """Convex shapes that collide, in the object frame."""
    mass: float = field(FloatSpec(1e-4, 1e3, "kg"))
    """[kg]"""
    center_of_mass: np.ndarray = field(ArraySpec((3,), unit="m"))
    """(3) [m] in the object frame."""
    inertia: np.ndarray = field(ArraySpec((3, 3), unit="kg·m²", minimum=-1e6, maximum=1e6))
    """(3, 3) [kg·m²] about the centre of mass, along the axes of the object frame."""
    friction: float = field(FloatSpec(0.0, 10.0), default=0.8)
    """Coefficient of sliding friction."""
    symmetry: Symmetry = field(MessageSpec(Symmetry), default_factory=Symmetry)
    """Turns that nobody can see."""

    def check(self) -> None:
        if not np.allclose(self.inertia, self.inertia.T, rtol=1e-9, atol=1e-12):
            raise SchemaError("An inertia matrix is symmetric; this one is not.")
        smallest, middle, largest = np.linalg.eigvalsh(self.inertia)
        if smallest <= 0 or smallest + middle < largest * (1 - 1e-9):
            raise SchemaError(
                f"Principal inertias {smallest:.3g}, {middle:.3g}, {largest:.3g} kg·m² are not those of a body: each is "
                "positive and no larger than the sum of the other two. Compute them from volume and mass."
            )


@message("h2s2r.SceneBody", version=1)
class SceneBody(Message):
    """One immovable thing in the scene: the table, a wall, a rack."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Unique within the scene, e.g. ``"table"``."""
    shapes: tuple[Shape, ...] = field(MessagesSpec(Shape, minimum=1))
    """What is seen and collides, in the body's frame; meshes stand for their convex hulls."""
    wxyz_xyz_world_body: np.ndarray = field(PoseSpec())
    """(7) pose of the body in the world."""
    friction: float = field(FloatSpec(0.0, 10.0), default=0.8)
    """Coefficient of sliding friction."""

    @property
    def T_world_body(self) -> SE3:
        """``wxyz_xyz_world_body`` as a pose."""
        return SE3(self.wxyz_xyz_world_body)


@message("h2s2r.Scene", version=1)
class Scene(Message):
    """What stands around robot and object. World is the robot base, z up."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name."""
    wxyz_xyz_world_table: np.ndarray = field(PoseSpec())
    """(7) pose of the table frame in the world: on the table's surface, z up out of it."""
    bodies: tuple[SceneBody, ...] = field(MessagesSpec(SceneBody, minimum=1))
    """All immovable bodies, the table among them."""
    calibrated: bool = field(BoolSpec(), default=True)
    """Whether world was measured; false where it was chosen because no robot was calibrated to the camera."""

    def check(self) -> None:
        names = [body.name for body in self.bodies]
        if len(set(names)) != len(names) or "table" not in names:
            raise SchemaError(f"Bodies of a scene have different names, one of them 'table'; these are {names}.")

    @property
    def T_world_table(self) -> SE3:
        """``wxyz_xyz_world_table`` as a pose."""
        return SE3(self.wxyz_xyz_world_table)
