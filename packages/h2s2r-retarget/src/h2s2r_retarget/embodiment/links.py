"""What the links of a URDF weigh and what they look like.

In:  a URDF.   Out: ``LinkBody`` per link: mass, inertia, and shapes [m] as ``Shape`` nouns.
Not here: joints (kinematics), distances between shapes (collision), mesh files: they are named, not read.

URDF has no capsule. A cylinder with a sphere of its radius at the centre of both of its faces is one, and is read as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from h2s2r_retarget.kinematics import parse_xml
from h2s2r_schemas.artifacts import Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from h2s2r_retarget.kinematics.urdf import UrdfSource

_GREY = np.array([0.7, 0.7, 0.7, 1.0])
#: Attributes of a URDF's ``<inertia>``: the upper triangle, row by row.
INERTIA_ENTRIES = ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
#: [m] how far a sphere may stand from the face it rounds off.
_CAP_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class LinkBody:
    """The matter of one link, in the link's frame."""

    name: str
    """Name of the link."""
    mass: float
    """[kg]; 0 where the URDF gives none."""
    center_of_mass: np.ndarray
    """(3) [m]"""
    inertia: np.ndarray
    """(3, 3) [kg·m²] about the centre of mass, along the axes of the link; zero where the URDF gives none."""
    visual: tuple[Shape, ...]
    """What is seen."""
    collision: tuple[Shape, ...]
    """What collides."""
    mesh_files: tuple[str, ...]
    """Meshes among the collision elements: not read, so they collide with nothing here."""


def read_links(source: UrdfSource) -> dict[str, LinkBody]:
    """The bodies of all links, by name.

    Args:
        source: as for ``read_urdf``: path, text or bytes.

    Raises:
        SchemaError: as ``parse_xml``; or a size, mass or inertia is not a number.
    """
    robot = parse_xml(source)
    colours = {
        material.get("name", ""): _vector(color.get("rgba"), 4)
        for material in robot.iter("material")
        if (color := material.find("color")) is not None
    }
    return {link.get("name", ""): _body(link, colours) for link in robot.findall("link")}


def _body(link: Element, colours: dict[str, np.ndarray]) -> LinkBody:
    name = link.get("name", "")
    try:
        mass, center, inertia = _inertial(link.find("inertial"))
        visual = _shapes(link.findall("visual"), colours)
        collision = _shapes(link.findall("collision"), colours)
    except ValueError as error:
        raise SchemaError(f"Link {name!r} of the URDF has a value that makes no sense: {error}") from error
    meshes = tuple(str(mesh.get("filename")) for each in link.findall("collision") for mesh in each.iter("mesh"))
    return LinkBody(name, mass, center, inertia, _with_capsules(visual), _with_capsules(collision), meshes)


def _inertial(element: Element | None) -> tuple[float, np.ndarray, np.ndarray]:
    if element is None:
        return 0.0, np.zeros(3), np.zeros((3, 3))
    T_link_inertial = _pose(element.find("origin"))
    mass, table = element.find("mass"), element.find("inertia")
    ixx, ixy, ixz, iyy, iyz, izz = (0.0 if table is None else float(table.get(key, "0")) for key in INERTIA_ENTRIES)
    matrix = np.array([[ixx, ixy, ixz], [ixy, iyy, iyz], [ixz, iyz, izz]])
    rotation = T_link_inertial.rotation_matrix()
    kilograms = 0.0 if mass is None else float(mass.get("value", "0"))
    return kilograms, T_link_inertial.translation, rotation @ matrix @ rotation.T


def _shapes(elements: list[Element], colours: dict[str, np.ndarray]) -> list[Shape]:
    """Primitives of visual or collision elements; meshes are left out."""
    shapes = []
    for element in elements:
        size = _size(element.find("geometry"))
        if size is None:
            continue
        material = element.find("material")
        rgba = colours.get(material.get("name", ""), _GREY) if material is not None else _GREY
        own = None if material is None else material.find("color")
        rgba = rgba if own is None else _vector(own.get("rgba"), 4)
        T_link_shape = _pose(element.find("origin"))
        shapes.append(Shape(kind=size[0], size=size[1], wxyz_xyz=T_link_shape.wxyz_xyz, rgba=rgba))
    return shapes


def _size(geometry: Element | None) -> tuple[str, np.ndarray] | None:
    for shape in () if geometry is None else geometry:
        if shape.tag == "box":
            return "box", _vector(shape.get("size"), 3)
        if shape.tag in ("cylinder", "capsule"):
            return shape.tag, np.array([float(shape.get("radius", "nan")), float(shape.get("length", "nan")), 0.0])
        if shape.tag == "sphere":
            return "sphere", np.array([float(shape.get("radius", "nan")), 0.0, 0.0])
    return None


def _with_capsules(shapes: list[Shape]) -> tuple[Shape, ...]:
    """The shapes, with each cylinder and the two spheres that round it off as one capsule."""
    used: set[int] = set()
    kept: dict[int, Shape] = {}
    for index, shape in enumerate(shapes):
        if shape.kind != "cylinder":
            continue
        ends = SE3(shape.wxyz_xyz).apply(np.array([[0, 0, -0.5], [0, 0, 0.5]]) * shape.size[1])
        caps = [_spheres_at(shapes, end, shape.size[0]) for end in ends]
        if all(caps):
            kept[index] = shape.replace(kind="capsule")
            used.update(caps[0] + caps[1])
    return tuple(kept.get(index, shape) for index, shape in enumerate(shapes) if index not in used)


def _spheres_at(shapes: list[Shape], centre: np.ndarray, radius: float) -> list[int]:
    """Spheres of this radius there: one where a capsule ends, two where another begins."""
    return [
        index
        for index, shape in enumerate(shapes)
        if shape.kind == "sphere"
        and np.abs(shape.wxyz_xyz[4:] - centre).max() + abs(shape.size[0] - radius) < _CAP_TOLERANCE
    ]


def _pose(origin: Element | None) -> SE3:
    """An ``<origin>``: its rotation is Rz(yaw) Ry(pitch) Rx(roll)."""
    if origin is None:
        return SE3.identity()
    (cr, cp, cy), (sr, sp, sy) = (turn(_vector(origin.get("rpy", "0 0 0"), 3) / 2) for turn in (np.cos, np.sin))
    wxyz = (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )
    return SE3.from_parts(np.array(wxyz), _vector(origin.get("xyz", "0 0 0"), 3))


def _vector(text: str | None, length: int) -> np.ndarray:
    values = np.array([float(word) for word in (text or "").split()])
    if values.shape != (length,):
        raise ValueError(f"{text!r} should be {length} numbers.")
    return values
