"""The numbers a chain computes with: one 4×4 constant set per moving joint, level by level from the root.

In:  ``UrdfModel``, root, frames, coupling.   Out: ``Tables``.
Not here: computing with them (motion), names and limits (chain, coupling).

Every moving joint gets a frame whose z axis is the joint axis, so that its transform from the joint before it is

    still + turn_sin * sin(q) + turn_cos * cos(q) + slide * q

with four constant matrices (Rodrigues' formula folded into the fixed transform), and its axis in the root frame is
simply the third column of its rotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from h2s2r_retarget.kinematics.coupling import Coupling
from h2s2r_retarget.kinematics.model import UrdfJoint, UrdfModel
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array


@dataclass(frozen=True)
class Tables:
    """Constants of one chain: M moving joints sorted by level (how many moving joints lie before them), F frames."""

    still: Array
    """(M, 4, 4) part of each joint's transform that does not move; translations [m]."""
    turn_sin: Array
    """(M, 4, 4) part that follows the sine of the position; zero for a slide."""
    turn_cos: Array
    """(M, 4, 4) part that follows the cosine of the position; zero for a slide."""
    slide: Array
    """(M, 4, 4) part that follows the position [m per m]; zero for a turn."""
    matrix: Array
    """(M, J) how the chain's joints drive the moving ones."""
    offset: Array
    """(M) [rad or m] of the moving joints at joint_pos zero."""
    frames: Array
    """(F, 4, 4) each frame in the joint that carries it."""
    turns: Array
    """(F, M) 1 where a turning joint moves the frame, else 0."""
    slides: Array
    """(F, M) 1 where a sliding joint moves the frame, else 0."""
    levels: tuple[tuple[int, int], ...]
    """(start, stop) of each level's joints."""
    parents: tuple[tuple[int, ...] | None, ...]
    """For each level, the place of each joint's parent in the level before; None where they stand one to one."""
    frame_joints: tuple[int, ...]
    """(F) the moving joint that carries each frame, counted from 1; 0 is the root."""
    direct: bool
    """Whether the moving joints are the chain's joints, in order: then matrix and offset change nothing."""
    has_slides: bool
    """Whether any joint slides."""

    def like(self, reference: Array) -> Tables:
        """The same constants with the kind, dtype and device of ``reference``."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return Tables(**{k: arrays.like(v, reference) if isinstance(v, np.ndarray) else v for k, v in values.items()})


def moving_joints(model: UrdfModel, root: str, frame_names: Sequence[str]) -> list[UrdfJoint]:
    """The joints (M) that can move a frame relative to the root, level by level, else in the order of the file."""
    level: dict[str, int] = {}
    for frame in frame_names:
        movable = [joint for joint in model.path(frame, root) if joint.movable]
        level.update({joint.name: depth for depth, joint in enumerate(movable)})
    return sorted((joint for joint in model.joints if joint.name in level), key=lambda joint: level[joint.name])


def build_tables(
    model: UrdfModel, root: str, frame_names: Sequence[str], moving: Sequence[UrdfJoint], coupling: Coupling
) -> Tables:
    """Fold fixed joints away and collect the constants."""
    place = {joint.name: index + 1 for index, joint in enumerate(moving)}
    parents, fixed = _links_on_joints(model, root, [joint.parent for joint in moving], place)
    to_axis = [np.eye(4)] + [_frame_with_z_along(joint.axis) for joint in moving]
    still, turn_sin, turn_cos, slide = (np.zeros((len(moving), 4, 4)) for _ in range(4))
    for m, joint in enumerate(moving):
        offset = np.linalg.inv(to_axis[parents[m]]) @ fixed[m] @ joint.origin @ to_axis[m + 1]
        if joint.kind == "prismatic":
            still[m] = offset
            slide[m, :3, 3] = offset[:3, 2]
        else:
            still[m, :, 2:] = offset[:, 2:]
            turn_cos[m, :3, 0], turn_cos[m, :3, 1] = offset[:3, 0], offset[:3, 1]
            turn_sin[m, :3, 0], turn_sin[m, :3, 1] = offset[:3, 1], -offset[:3, 0]
    frame_joints, frame_fixed = _links_on_joints(model, root, frame_names, place)
    frames = np.array([np.linalg.inv(to_axis[j]) @ fixed for j, fixed in zip(frame_joints, frame_fixed, strict=True)])
    moves = np.zeros((len(frame_names), len(moving)))
    for f, joint in enumerate(frame_joints):
        while joint:
            moves[f, joint - 1] = 1.0
            joint = parents[joint - 1]  # noqa: PLW2901
    prismatic = np.array([joint.kind == "prismatic" for joint in moving], dtype=bool)
    levels, level_parents = _levels(parents)
    return Tables(
        still, turn_sin, turn_cos, slide, coupling.matrix, coupling.offset, frames.reshape(-1, 4, 4),
        moves * ~prismatic, moves * prismatic, levels, level_parents, tuple(frame_joints),
        direct=_is_identity(coupling), has_slides=bool(prismatic.any()),
    )  # fmt: skip


def _links_on_joints(
    model: UrdfModel, root: str, links: Sequence[str], place: dict[str, int]
) -> tuple[list[int], list[np.ndarray]]:
    """For each link, the moving joint (from 1; 0 the root) that carries it, and its fixed transform (4, 4) there."""
    carriers, transforms = [], []
    for link in links:
        carrier, transform = 0, np.eye(4)
        for joint in model.path(link, root):
            if joint.movable:
                carrier, transform = place[joint.name], np.eye(4)
            else:
                transform = transform @ joint.origin
        carriers.append(carrier)
        transforms.append(transform)
    return carriers, transforms


def _frame_with_z_along(axis: np.ndarray) -> np.ndarray:
    """A rotation (4, 4) whose z column is ``axis``."""
    other = np.eye(3)[int(np.argmin(np.abs(axis)))]
    x = np.cross(other, axis)
    x = x / np.linalg.norm(x)
    frame = np.eye(4)
    frame[:3, 0], frame[:3, 1], frame[:3, 2] = x, np.cross(axis, x), axis
    return frame


def _levels(
    parents: Sequence[int],
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, ...] | None, ...]]:
    depths: list[int] = []
    for parent in parents:
        depths.append(0 if parent == 0 else depths[parent - 1] + 1)
    levels, level_parents = [], []
    for depth in range(max(depths, default=-1) + 1):
        start, count = depths.index(depth), depths.count(depth)
        before = levels[-1][0] if levels else 0
        index = tuple(max(parent - 1 - before, 0) for parent in parents[start : start + count])
        width = levels[-1][1] - levels[-1][0] if levels else 0
        levels.append((start, start + count))
        level_parents.append(None if depth == 0 or index == tuple(range(width)) else index)
    return tuple(levels), tuple(level_parents)


def _is_identity(coupling: Coupling) -> bool:
    rows, columns = coupling.matrix.shape
    return rows == columns and bool(np.all(coupling.matrix == np.eye(rows))) and not coupling.offset.any()
