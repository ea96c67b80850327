"""Turn a right hand into a left one, or the other way round.

In:  a URDF and a robot.toml of one side.   Out: those of the other side.
Not here: which hand needs it (load).

The hand is reflected in the plane y = 0 of the arm's last link; the arm stays as it is, for arms have no side. Reflection
takes a frame with axes R to S R S, S = diag(1, -1, 1), which is a rotation again: every frame keeps its x and z axes and
its y axis points the other way. So a palm frame still has x out of the palm and z towards the fingers, and its y points
away from the index finger. A joint turns about -S a instead of a, so a joint position keeps its meaning: the
same positions give the mirrored hand, and limits, home and synergies stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from h2s2r_retarget.kinematics import UrdfModel

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

OTHER_SIDE = {"right": "left", "left": "right"}


def mirror_urdf(robot: Element, model: UrdfModel, arm: tuple[str, ...]) -> None:
    """Mirror the hand of a URDF in place.

    Args:
        robot: its ``<robot>`` element.
        model: the same robot.
        arm: names of the arm's joints; if there are none, everything is hand.
    """
    moved = hand_links(model, arm)
    for joint in robot.findall("joint"):
        if _link_of(joint, "child") not in moved or _link_of(joint, "child") == model.root:
            continue
        _mirror_origin(joint)
        axis = joint.find("axis")
        signs = (1, -1, 1) if joint.get("type") == "prismatic" else (-1, 1, -1)
        if axis is not None:
            _scale(axis, "xyz", signs)
    for link in robot.findall("link"):
        if link.get("name") in moved:
            for part in (*link.findall("inertial"), *link.findall("visual"), *link.findall("collision")):
                _mirror_origin(part)
            for inertia in link.iter("inertia"):
                for entry in ("ixy", "iyz"):
                    _scale(inertia, entry, (-1,))
            for mesh in link.iter("mesh"):
                mesh.set("scale", mesh.get("scale", "1 1 1"))
                _scale(mesh, "scale", (1, -1, 1))


def mirror_table(table: Mapping[str, Any], model: UrdfModel) -> dict[str, Any]:
    """A robot.toml for the mirrored URDF."""
    moved = hand_links(model, tuple(table.get("arm", {})))
    palm = {**table["palm"], "offset": _flipped(table["palm"]["offset"])}
    mirrored = {**table, "side": OTHER_SIDE[table["side"]], "palm": palm}
    collision = table.get("collision", {})
    if "capsule" in collision:
        capsules = [
            {**capsule, "start": _flipped(capsule["start"]), "end": _flipped(capsule["end"])}
            if capsule["link"] in moved
            else capsule
            for capsule in collision["capsule"]
        ]
        mirrored["collision"] = {**collision, "capsule": capsules}
    return mirrored


def hand_links(model: UrdfModel, arm: tuple[str, ...]) -> set[str]:
    """The links that hang from the arm's last link; all links if there is no arm."""
    if not arm:
        return set(model.links)
    last = max((model.joint(name) for name in arm), key=lambda joint: len(model.path(joint.child))).child
    below = {last}
    for _ in model.links:
        below |= {joint.child for joint in model.joints if joint.parent in below}
    return below - {last}


def _mirror_origin(element: Element) -> None:
    origin = element.find("origin")
    if origin is not None:
        _scale(origin, "xyz", (1, -1, 1))
        _scale(origin, "rpy", (-1, 1, -1))


def _scale(element: Element, attribute: str, factors: tuple[int, ...]) -> None:
    text = element.get(attribute)
    if text is not None:
        values = (factor * float(word) + 0.0 for factor, word in zip(factors, text.split(), strict=True))
        element.set(attribute, " ".join(f"{value:.12g}" for value in values))


def _flipped(vector: list[float]) -> list[float]:
    return [vector[0], -vector[1], vector[2]]


def _link_of(joint: Element, tag: str) -> str | None:
    element = joint.find(tag)
    return None if element is None else element.get("link")
