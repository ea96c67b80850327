"""Read the links and joints of a URDF file.

In:  URDF as a path, text or bytes.   Out: ``UrdfModel`` (lengths [m], angles [rad]).
Not here: meshes, inertias and collision shapes (collision), the numbers a chain computes with (tables).

Tags and attributes that kinematics does not use are ignored. Elements are read by the ROS URDF specification
(wiki.ros.org/urdf/XML/joint): origin and axis have defaults, ``<limit>`` is required for revolute and prismatic joints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Union

import numpy as np

from h2s2r_retarget.kinematics.model import KINDS, Mimic, UrdfJoint, UrdfModel
from h2s2r_schemas.errors import SchemaError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: A URDF: path of a file, or its content as text or bytes.
UrdfSource = Union[str, bytes, "os.PathLike[str]"]


def read_urdf(source: UrdfSource) -> UrdfModel:
    """Read a URDF.

    Args:
        source: path of a file; or the XML itself, as bytes or as text (told from a path by its ``<``).
            An XML declaration is welcome in every form.

    Raises:
        SchemaError: not XML, not a URDF, not one tree, or a joint is incomplete.
    """
    robot = parse_xml(source)
    name = robot.get("name") or "unnamed robot"
    links = tuple(_attribute(link, "name", f"a <link> of {name}") for link in robot.findall("link"))
    joints = tuple(_joint(element, name) for element in robot.findall("joint"))
    model = UrdfModel(name, links, joints)
    _check_tree(model)
    return model


def parse_xml(source: UrdfSource) -> Element:
    """The ``<robot>`` element of a URDF given as in ``read_urdf``.

    Raises:
        SchemaError: no such file, not XML, or the outermost element is not ``<robot>``.
    """
    # Read here, not at the top: importing the package must cost little more than importing NumPy.
    from xml.etree import ElementTree  # noqa: PLC0415

    if isinstance(source, bytes):
        content, where = source, "the given bytes"
    elif isinstance(source, str) and "<" in source:
        content, where = source, "the given text"
    else:
        where = os.fspath(source)
        if not os.path.isfile(where):
            raise SchemaError(f"There is no URDF file {where!r}.")
        with open(where, "rb") as file:
            content = file.read()
    try:
        robot = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SchemaError(f"{where} is not XML: {error}.") from error
    if robot.tag != "robot":
        raise SchemaError(
            f"{where} holds <{robot.tag}>, but a URDF holds <robot>. Convert it first (xacro, SDF and MJCF are not read)."
        )
    return robot


def _joint(element: Element, robot: str) -> UrdfJoint:
    name = _attribute(element, "name", f"a <joint> of {robot}")
    where = f"joint {name!r} of {robot}"
    kind = _attribute(element, "type", where)
    if kind not in KINDS:
        raise SchemaError(f"The type of {where} is {kind!r}; allowed are {list(KINDS)}.")
    limit = element.find("limit")
    lower, upper, velocity, effort = (
        _number(limit, key, where) if limit is not None else None for key in ("lower", "upper", "velocity", "effort")
    )
    if lower is not None and upper is not None and lower > upper:
        raise SchemaError(f"The limits of {where} are [{lower}, {upper}]: lower is above upper.")
    mimic = element.find("mimic")
    return UrdfJoint(
        name=name,
        kind=kind,
        parent=_attribute(_child(element, "parent", where), "link", where),
        child=_attribute(_child(element, "child", where), "link", where),
        origin=_origin(element.find("origin"), where),
        axis=_axis(element.find("axis"), kind, where),
        lower=lower,
        upper=upper,
        velocity=velocity,
        effort=effort,
        mimic=None if mimic is None else _mimic(mimic, where),
    )


def _mimic(element: Element, where: str) -> Mimic:
    multiplier, offset = _number(element, "multiplier", where), _number(element, "offset", where)
    return Mimic(
        joint=_attribute(element, "joint", where),
        multiplier=1.0 if multiplier is None else multiplier,
        offset=0.0 if offset is None else offset,
    )


def _origin(element: Element | None, where: str) -> np.ndarray:
    origin = np.eye(4)
    if element is not None:
        origin[:3, :3] = _rotation_of_rpy(_vector(element.get("rpy", "0 0 0"), where))
        origin[:3, 3] = _vector(element.get("xyz", "0 0 0"), where)
    return origin


def _axis(element: Element | None, kind: str, where: str) -> np.ndarray:
    axis = _vector("1 0 0" if element is None else element.get("xyz", "1 0 0"), where)
    length = float(np.sqrt(axis @ axis))
    if length < 1e-9 and kind in ("revolute", "continuous", "prismatic"):
        raise SchemaError(
            f"The axis of {where} is {axis.tolist()}: it has no direction. Give a vector such as '0 0 1'."
        )
    return axis / length if length >= 1e-9 else np.array([1.0, 0.0, 0.0])


def _rotation_of_rpy(rpy: np.ndarray) -> np.ndarray:
    """URDF's fixed-axis roll, pitch, yaw (3) [rad] as a rotation matrix: Rz(yaw) Ry(pitch) Rx(roll)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _vector(text: str, where: str) -> np.ndarray:
    words = text.split()
    if len(words) != 3:
        raise SchemaError(f"{where} has the vector {text!r}; it needs three numbers.")
    return np.array([_float(word, where) for word in words])


def _number(element: Element, key: str, where: str) -> float | None:
    text = element.get(key)
    return None if text is None else _float(text, where)


def _float(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SchemaError(f"{where} has {text!r} where a number is needed.") from None
    if not np.isfinite(value):
        raise SchemaError(f"{where} has {text!r} where a finite number is needed.")
    return value


def _child(element: Element, tag: str, where: str) -> Element:
    child = element.find(tag)
    if child is None:
        raise SchemaError(f'{where} has no <{tag}>. Add <{tag} link="…"/>.')
    return child


def _attribute(element: Element, key: str, where: str) -> str:
    value = element.get(key)
    if not value:
        raise SchemaError(f'<{element.tag}> has no {key} in {where}. Add {key}="…".')
    return value


def _check_tree(model: UrdfModel) -> None:
    if not model.links:
        raise SchemaError(f"{model.name} has no <link>.")
    for what, names in (("link", model.links), ("joint", tuple(joint.name for joint in model.joints))):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SchemaError(f"{model.name} has more than one {what} named {twice}. Names must be unique.")
    for joint in model.joints:
        unknown = [link for link in (joint.parent, joint.child) if link not in model.links]
        if unknown:
            raise SchemaError(f"Joint {joint.name!r} of {model.name} names the links {unknown}, which do not exist.")
    children = [joint.child for joint in model.joints]
    twice = sorted({link for link in children if children.count(link) > 1})
    if twice:
        raise SchemaError(
            f"The links {twice} of {model.name} hang from several joints: a URDF is a tree. Cut the loop, or author "
            "the mechanism as one joint with <mimic> joints."
        )
    roots = [link for link in model.links if link not in children]
    if len(roots) != 1 or len(list(_links_below(model, roots[0]))) != len(model.links):
        raise SchemaError(
            f"{model.name} is not one tree: the links that no joint moves are {roots}; there must be one."
        )


def _links_below(model: UrdfModel, root: str) -> Iterator[str]:
    waiting = [root]
    while waiting:
        link = waiting.pop()
        yield link
        waiting.extend(joint.child for joint in model.joints if joint.parent == link)
