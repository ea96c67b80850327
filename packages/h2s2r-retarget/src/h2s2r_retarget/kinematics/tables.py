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

    terms: Array
    """(M, 3 or 4, 16) each joint's transform (4×4, by rows; translations [m]): the part that does not move, then what
    follows the sine of its position, its cosine and, where joints slide, the position itself."""
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
    order: Array
    """(M, M) 1 above the diagonal, one half on it: each pair of joints once, the one nearer to the root first."""
    levels: tuple[tuple[int, int], ...]
    """(start, stop) of each level's joints."""
    parents: tuple[tuple[int, ...] | None, ...]
    """For each level, the place of each joint's parent in the level before; None where they stand one to one."""
    frame_joints: tuple[int, ...]
    """(F) the moving joint that carries each frame, counted from 1; 0 is the root."""
    frame_levels: tuple[int, ...]
    """The levels of which some joint carries a frame."""
    frame_places: tuple[int, ...]
    """(F) the place of that joint among all those of these levels, behind the root where that carries a frame too."""
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
    offsets = [
        np.linalg.inv(to_axis[parents[m]]) @ fixed[m] @ joint.origin @ to_axis[m + 1] for m, joint in enumerate(moving)
    ]
    slides = np.array([joint.kind == "prismatic" for joint in moving], dtype=bool)
    frame_joints, frame_fixed = _links_on_joints(model, root, frame_names, place)
    frames = [np.linalg.inv(to_axis[joint]) @ fixed for joint, fixed in zip(frame_joints, frame_fixed, strict=True)]
    moves = _ancestors(frame_joints, parents)
    levels, level_parents = _levels(parents)
    frame_levels, frame_places = _places(frame_joints, levels)
    return Tables(
        terms=_terms(offsets, slides),
        matrix=coupling.matrix,
        offset=coupling.offset,
        frames=np.array(frames),
        turns=moves * ~slides,
        slides=moves * slides,
        order=np.triu(np.ones((len(moving), len(moving)))) - 0.5 * np.eye(len(moving)),
        levels=levels,
        parents=level_parents,
        frame_joints=tuple(frame_joints),
        frame_levels=frame_levels,
        frame_places=frame_places,
        direct=_is_identity(coupling),
        has_slides=bool(slides.any()),
    )


def _terms(offsets: Sequence[np.ndarray], slides: np.ndarray) -> np.ndarray:
    """(M, 3 or 4, 16) from each joint's transform (4, 4) at position zero, z along its axis."""
    terms = np.zeros((len(offsets), 4, 4, 4))
    for (still, sine, cosine, position), offset, slide in zip(terms, offsets, slides, strict=True):
        if slide:
            still[:] = offset
            position[:3, 3] = offset[:3, 2]
        else:
            still[:, 2:] = offset[:, 2:]
            cosine[:, 0], cosine[:, 1] = offset[:, 0], offset[:, 1]
            sine[:, 0], sine[:, 1] = offset[:, 1], -offset[:, 0]
    return terms.reshape(len(offsets), 4, 16)[:, : 4 if slides.any() else 3]


def _ancestors(frame_joints: Sequence[int], parents: Sequence[int]) -> np.ndarray:
    """(F, M) 1 where a moving joint lies between the root and a frame."""
    moves = np.zeros((len(frame_joints), len(parents)))
    for frame, carrier in enumerate(frame_joints):
        joint = carrier
        while joint:
            moves[frame, joint - 1] = 1.0
            joint = parents[joint - 1]
    return moves


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


def _places(frame_joints: Sequence[int], levels: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Levels of the joints (F, counted from 1; 0 is the root) that carry frames, and their places among the joints there."""
    carrying = [
        level for level, (start, stop) in enumerate(levels) if any(start < joint <= stop for joint in frame_joints)
    ]
    there = [0] if 0 in frame_joints else []
    there += [joint + 1 for level in carrying for joint in range(*levels[level])]
    return tuple(carrying), tuple(there.index(joint) for joint in frame_joints)


def _is_identity(coupling: Coupling) -> bool:
    rows, columns = coupling.matrix.shape
    return rows == columns and bool(np.all(coupling.matrix == np.eye(rows))) and not coupling.offset.any()
