"""A robot's links and joints as its URDF names them.

In:  nothing.   Out: ``UrdfModel``, ``UrdfJoint``, ``Mimic`` (lengths [m], angles [rad]).
Not here: reading a file (urdf), the numbers a chain computes with (tables).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.errors import SchemaError

KINDS = ("revolute", "continuous", "prismatic", "fixed", "floating", "planar")


@dataclass(frozen=True)
class Mimic:
    """A joint that follows another: its position is ``multiplier * position(joint) + offset``."""

    joint: str
    """Name of the joint it follows."""
    multiplier: float
    """[rad or m of this joint per rad or m of the other]."""
    offset: float
    """[rad or m]."""


@dataclass(frozen=True)
class UrdfJoint:
    """One ``<joint>``."""

    name: str
    """Unique name."""
    kind: str
    """One of ``KINDS``."""
    parent: str
    """Link it is mounted on."""
    child: str
    """Link it moves."""
    origin: np.ndarray
    """(4, 4) joint frame in the parent link, at joint position zero; translation [m]."""
    axis: np.ndarray
    """(3) unit vector in the joint frame: the joint turns about it or slides along it."""
    lower: float | None = None
    """[rad or m] smallest position; None if the file gives none."""
    upper: float | None = None
    """[rad or m] largest position; None if the file gives none."""
    velocity: float | None = None
    """[rad/s or m/s] largest speed; None if the file gives none."""
    effort: float | None = None
    """[N·m or N] largest torque or force; None if the file gives none."""
    mimic: Mimic | None = None
    """What it follows, if it does not move by itself."""

    @property
    def movable(self) -> bool:
        """Whether its position can change."""
        return self.kind != "fixed"


@dataclass(frozen=True)
class UrdfModel:
    """The tree of a robot: links joined by joints, in the order of the file."""

    name: str
    """Name of the robot."""
    links: tuple[str, ...]
    """Names of all links."""
    joints: tuple[UrdfJoint, ...]
    """All joints."""

    @property
    def root(self) -> str:
        """The one link that no joint moves."""
        children = {joint.child for joint in self.joints}
        return next(link for link in self.links if link not in children)

    @property
    def leaves(self) -> tuple[str, ...]:
        """Links that carry no joint, in the order of the file."""
        parents = {joint.parent for joint in self.joints}
        return tuple(link for link in self.links if link not in parents)

    def joint(self, name: str) -> UrdfJoint:
        """The joint of that name.

        Raises:
            SchemaError: there is none; the message lists those there are.
        """
        for joint in self.joints:
            if joint.name == name:
                return joint
        raise SchemaError(f"{self.name} has no joint {name!r}; it has {[joint.name for joint in self.joints]}.")

    def path(self, link: str, root: str | None = None) -> tuple[UrdfJoint, ...]:
        """The joints from ``root`` (the tree's root if None) out to ``link``.

        Raises:
            SchemaError: one of them is no link, or ``link`` does not hang from ``root``.
        """
        root = self.root if root is None else root
        for name in (root, link):
            if name not in self.links:
                raise SchemaError(f"{self.name} has no link {name!r}; it has {list(self.links)}.")
        above = {joint.child: joint for joint in self.joints}
        joints: list[UrdfJoint] = []
        at = link
        while at != root:
            if at not in above:
                raise SchemaError(f"Link {link!r} of {self.name} does not hang from {root!r}. Choose a root above it.")
            joints.append(above[at])
            at = above[at].parent
        return tuple(reversed(joints))
