"""Things around the robot that do not move: boxes, half-spaces, cylinders, convex meshes.

In:  ``Scene``, ``Shape`` s, planes.   Out: ``Obstacle``: a name and the signed distance of points to it.
Not here: the robot's capsules (capsules), who touches what (detect).

Every obstacle is convex, so along a segment its signed distance has one valley, and the search below finds its floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import Scene, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: Points tried on a segment, and how often the part around the best is tried again: 8⁻⁶ of its length is left.
_SAMPLES, _ROUNDS = 17, 6
#: [m] how far vertices of a mesh may stand out of its faces' planes for it to count as convex.
_CONVEX_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Obstacle:
    """One convex thing that stands still."""

    name: str
    """Shown in reports, e.g. ``"table"``."""
    kind: str
    """``box``, ``cylinder``, ``capsule`` (a sphere is one of no length) or ``planes`` (the inside of all of them)."""
    size: np.ndarray
    """Box: (3) half edges [m]. Cylinder, capsule: (2) radius, half length [m]. Planes: (P, 4) normal, offset [m]."""
    rotation: np.ndarray
    """(3, 3) its axes in the world."""
    translation: np.ndarray
    """(3) [m] its origin in the world."""

    def distance(self, p_world: np.ndarray) -> np.ndarray:
        """Signed distance (…) [m] of points (…, 3); negative inside. Outside ``planes`` it is a lower bound."""
        points = (p_world - self.translation) @ self.rotation
        if self.kind == "planes":
            return np.max(points @ self.size[:, :3].T - self.size[:, 3], axis=-1)
        if self.kind == "box":
            beyond = np.abs(points) - self.size
        else:
            radial = np.sqrt(points[..., 0] ** 2 + points[..., 1] ** 2)
            if self.kind == "capsule":
                beside = np.maximum(np.abs(points[..., 2]) - self.size[1], 0.0)
                return np.sqrt(radial**2 + beside**2) - self.size[0]
            beyond = np.stack([radial - self.size[0], np.abs(points[..., 2]) - self.size[1]], axis=-1)
        outside = np.sqrt(np.sum(np.maximum(beyond, 0.0) ** 2, axis=-1))
        return outside + np.minimum(np.max(beyond, axis=-1), 0.0)

    def outward(self, p_world: np.ndarray) -> np.ndarray:
        """Unit vectors (…, 3) along which the distance of points (…, 3) grows fastest, by central differences."""
        step = 1e-6
        steps = step * np.eye(3)
        points = p_world[..., None, :]
        slope = (self.distance(points + steps) - self.distance(points - steps)) / (2 * step)
        return slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-9)


def half_space(name: str, point: Sequence[float], normal: Sequence[float] = (0.0, 0.0, 1.0)) -> Obstacle:
    """Everything below a plane through ``point`` (3) [m] whose ``normal`` (3) points to where the robot may be.

    Raises:
        SchemaError: the normal has no length.
    """
    direction = np.asarray(normal, dtype=np.float64)
    length = float(np.linalg.norm(direction))
    if not np.isfinite(length) or length < 1e-9:
        raise SchemaError(f"The normal of {name} is {list(normal)}; give a vector with a direction.")
    planes = np.append(direction / length, direction @ np.asarray(point, dtype=np.float64) / length)[None]
    return Obstacle(name, "planes", planes, np.eye(3), np.zeros(3))


def obstacle_of(name: str, shape: Shape, T_world_owner: SE3) -> Obstacle:
    """A shape in the frame of its owner; a mesh by the planes of its faces, or by its bounding box if it is not convex."""
    T_world_shape = T_world_owner @ SE3(shape.wxyz_xyz)
    rotation, translation = T_world_shape.rotation_matrix(), T_world_shape.translation
    if shape.kind == "box":
        return Obstacle(name, "box", shape.size / 2, rotation, translation)
    if shape.kind == "mesh":
        planes = _planes(shape)
        if planes is not None:
            return Obstacle(name, "planes", planes, rotation, translation)
        low, high = shape.vertices.min(axis=0), shape.vertices.max(axis=0)
        return Obstacle(name, "box", (high - low) / 2, rotation, translation + rotation @ (low + high) / 2)
    half = 0.0 if shape.kind == "sphere" else shape.size[1] / 2
    kind = "cylinder" if shape.kind == "cylinder" else "capsule"
    return Obstacle(name, kind, np.array([shape.size[0], half]), rotation, translation)


def obstacles_of(scene: Scene) -> tuple[Obstacle, ...]:
    """Every shape of every body of a scene, each under its body's name."""
    return tuple(obstacle_of(body.name, shape, body.T_world_body) for body in scene.bodies for shape in body.shapes)


def lowest_on_segments(obstacle: Obstacle, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The point (K, 3) of each of K segments that is deepest in or nearest to the obstacle, and its distance (K) [m]."""
    low, high = np.zeros(len(starts)), np.ones(len(starts))
    fractions = np.linspace(0.0, 1.0, _SAMPLES)
    along = ends - starts
    best = 0.5 * (low + high)
    for _ in range(_ROUNDS):
        tried = low[:, None] + (high - low)[:, None] * fractions
        distance = obstacle.distance(starts[:, None] + tried[..., None] * along[:, None])
        at = np.argmin(distance, axis=-1)
        rows = np.arange(len(starts))
        best = tried[rows, at]
        low, high = tried[rows, np.maximum(at - 1, 0)], tried[rows, np.minimum(at + 1, _SAMPLES - 1)]
    points = starts + best[:, None] * along
    return points, obstacle.distance(points)


def _planes(shape: Shape) -> np.ndarray | None:
    """(P, 4) outward normal and offset [m] of a convex mesh's faces; None if it is not convex."""
    corners = shape.vertices[shape.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = (normals / np.maximum(lengths, 1e-12))[lengths[:, 0] > 1e-12]
    offsets = np.sum(normals * corners[lengths[:, 0] > 1e-12, 0], axis=-1)
    if np.max(shape.vertices @ normals.T - offsets) > _CONVEX_TOLERANCE:
        return None
    return np.unique(np.round(np.column_stack([normals, offsets]), 9), axis=0)
