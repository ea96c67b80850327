"""Links and joints of a robot to be, and the URDF text that says so.

In:  ``Link``, ``Joint``.   Out: URDF text, the same bytes every time.
Not here: which links and joints a robot has (iiwa14, allegro, leap, umi).

A URDF has no capsule, so a capsule is written as a cylinder and a sphere at each end: the same set of points for every
program that reads it. Our own reader (h2s2r_retarget.collision) takes the three for one capsule again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from solids import Solid, mass_properties

COLOURS = {
    "white": (0.92, 0.92, 0.90),
    "orange": (0.96, 0.45, 0.10),
    "grey": (0.55, 0.56, 0.58),
    "dark": (0.16, 0.16, 0.18),
    "rubber": (0.86, 0.86, 0.84),
    "green": (0.36, 0.62, 0.36),
}


@dataclass(frozen=True)
class Link:
    """One link; without solids it is a frame."""

    name: str
    """Unique name."""
    mass: float = 0.0
    """[kg]"""
    solids: Sequence[Solid] = ()
    """What collides and what weighs."""
    colour: str = "white"
    """Colour of the solids, a key of ``COLOURS``."""
    seen: Sequence[tuple[Solid, str]] = ()
    """Solids that are only seen, each with its colour."""


@dataclass(frozen=True)
class Joint:
    """One joint."""

    name: str
    """Unique name."""
    parent: str
    """Link it is mounted on."""
    child: str
    """Link it moves."""
    xyz: Sequence[float] = (0.0, 0.0, 0.0)
    """[m]"""
    rpy: Sequence[float] = (0.0, 0.0, 0.0)
    """[rad]"""
    kind: str = "fixed"
    """fixed, revolute or prismatic."""
    axis: Sequence[float] = (0.0, 0.0, 1.0)
    """Unit vector in the joint frame."""
    limits: tuple[float, float] = (0.0, 0.0)
    """[rad or m] lower, upper."""
    velocity: float = 0.0
    """[rad/s or m/s]"""
    effort: float = 0.0
    """[N·m or N]"""
    mimics: str | None = None
    """The joint whose position it copies."""


@dataclass(frozen=True)
class Description:
    """A whole robot."""

    name: str
    """Name in the URDF."""
    sources: str
    """What it was made from: a comment in the file."""
    links: list[Link] = field(default_factory=list)
    """All links, parents before children."""
    joints: list[Joint] = field(default_factory=list)
    """All joints."""

    def add(self, joint: Joint, link: Link) -> None:
        """Hang ``link`` on the robot by ``joint``."""
        self.joints.append(joint)
        self.links.append(link)


def urdf(robot: Description) -> str:
    """The robot as URDF text."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!--"]
    lines += [f"  {line}".rstrip() for line in escape(robot.sources).strip().splitlines()]
    lines += ["-->", f"<robot name={quoteattr(robot.name)}>"]
    for name, rgb in COLOURS.items():
        lines.append(f'  <material name="{name}"><color rgba="{_numbers((*rgb, 1.0))}"/></material>')
    carried_by = {joint.child: joint for joint in robot.joints}
    for link in robot.links:
        if link.name in carried_by:
            lines += _joint(carried_by[link.name])
        lines += _link(link)
    return "\n".join([*lines, "</robot>", ""])


def _link(link: Link) -> list[str]:
    if not link.solids:
        return [f'  <link name="{link.name}"/>']
    centre, inertia = mass_properties(link.solids, link.mass)
    entries = zip(("ixx", "ixy", "ixz", "iyy", "iyz", "izz"), inertia[np.triu_indices(3)], strict=True)
    lines = [
        f'  <link name="{link.name}">',
        "    <inertial>",
        f'      <origin xyz="{_numbers(centre)}"/>',
        f'      <mass value="{_number(link.mass)}"/>',
        "      <inertia " + " ".join(f'{name}="{_inertia(value)}"' for name, value in entries) + "/>",
        "    </inertial>",
    ]
    visible = [(solid, link.colour) for solid in link.solids] if not link.seen else link.seen
    for solid, colour in visible:
        lines += [_geometry("visual", part, f'<material name="{colour}"/>') for part in _urdf_parts(solid)]
    for solid in link.solids:
        lines += [_geometry("collision", part) for part in _urdf_parts(solid)]
    return [*lines, "  </link>"]


def _urdf_parts(solid: Solid) -> list[Solid]:
    """The solid as shapes that URDF knows."""
    if solid.kind != "capsule":
        return [solid]
    radius, length = solid.size
    reach = solid.rotation[:, 2] * length / 2
    ends = (np.asarray(solid.centre) - reach, np.asarray(solid.centre) + reach)
    spheres = [Solid("sphere", (radius,), (float(x), float(y), float(z))) for x, y, z in ends]
    return [Solid("cylinder", solid.size, solid.centre, solid.rpy), *spheres]


def _geometry(tag: str, solid: Solid, inside: str = "") -> str:
    turn = f' rpy="{_numbers(solid.rpy)}"' if any(solid.rpy) else ""
    shape = {
        "sphere": f'<sphere radius="{_number(solid.size[0])}"/>',
        "box": f'<box size="{_numbers(solid.size)}"/>',
        "cylinder": f'<cylinder radius="{_number(solid.size[0])}" length="{_number(solid.size[-1])}"/>',
    }[solid.kind]
    return f'    <{tag}><origin xyz="{_numbers(solid.centre)}"{turn}/><geometry>{shape}</geometry>{inside}</{tag}>'


def _joint(joint: Joint) -> list[str]:
    turn = f' rpy="{_numbers(joint.rpy)}"' if any(joint.rpy) else ""
    lines = [
        f'  <joint name="{joint.name}" type="{joint.kind}">',
        f'    <parent link="{joint.parent}"/><child link="{joint.child}"/>',
        f'    <origin xyz="{_numbers(joint.xyz)}"{turn}/>',
    ]
    if joint.kind != "fixed":
        lower, upper = joint.limits
        lines += [
            f'    <axis xyz="{_numbers(joint.axis)}"/>',
            f'    <limit lower="{_number(lower)}" upper="{_number(upper)}" '
            f'velocity="{_number(joint.velocity)}" effort="{_number(joint.effort)}"/>',
        ]
    if joint.mimics is not None:
        lines.append(f'    <mimic joint="{joint.mimics}" multiplier="1" offset="0"/>')
    return [*lines, "  </joint>"]


def _numbers(values: Sequence[float] | np.ndarray) -> str:
    return " ".join(_number(value) for value in values)


def _number(value: float) -> str:
    """Ten digits after the point: far below any dimension that matters, and no ``-0``."""
    return f"{round(float(value), 10) + 0.0:.10g}"


def _inertia(value: float) -> str:
    """Six digits; what rounding leaves of a zero is zero."""
    return "0" if abs(value) < 1e-12 else f"{value:.6g}"
