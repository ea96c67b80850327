"""Where the points of a hand are for given joint angles, and how they move with them.

In:  ``Posture``, ``shape`` (9).   Out: points (T, 24, 3) [m] in the camera frame and their derivatives.
Not here: what is measured of them (terms), finding them (fit).

A posture has 27 numbers: where the wrist is (3) [m], a small turn about it (3) [rad] in the camera frame, 21 joint angles [rad].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.hand.anatomy import BONES, PALM, REST, SHAPE_NAMES, TWIST

#: Numbers of a posture, and of a shape.
POSTURE, SHAPE = 27, len(SHAPE_NAMES)
#: Where the joints of each digit are among the 27: spread, first bend, second, third.
_SPREAD = np.array([6, 11, 15, 19, 23])
_BENDS = np.array([[8, 9, 10], *([first + 1, first + 2, first + 3] for first in (11, 15, 19, 23))])
_THUMB_TWIST = 7


@dataclass
class Posture:
    """A right hand in T frames."""

    wrist: np.ndarray
    """(T, 3) [m] in the camera frame."""
    turn: np.ndarray
    """(T, 3, 3) rotation from the hand frame to the camera frame."""
    joint_pos: np.ndarray
    """(T, 21) [rad] in ``anatomy.JOINT_NAMES`` order."""

    def __len__(self) -> int:
        return len(self.wrist)

    def __getitem__(self, index: np.ndarray | slice) -> Posture:
        return Posture(self.wrist[index], self.turn[index], self.joint_pos[index])

    def where(self, chosen: np.ndarray, other: Posture) -> Posture:
        """The same in chosen frames (T) bool, another posture in the rest."""
        return Posture(
            np.where(chosen[:, None], self.wrist, other.wrist),
            np.where(chosen[:, None, None], self.turn, other.turn),
            np.where(chosen[:, None], self.joint_pos, other.joint_pos),
        )

    def moved(self, step: np.ndarray) -> Posture:
        """The posture after a step (T, 27)."""
        return Posture(self.wrist + step[:, :3], rotation(step[:, 3:6]) @ self.turn, self.joint_pos + step[:, 6:])


def rotation(vectors: np.ndarray) -> np.ndarray:
    """(…, 3, 3) matrices of rotation vectors (…, 3) [rad]."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    K = cross_matrix(vectors)
    small = np.maximum(angle, 1e-9)
    return np.eye(3) + np.sin(angle) / small * K + (1 - np.cos(angle)) / small**2 * (K @ K)


def rotation_vector(matrices: np.ndarray) -> np.ndarray:
    """(…, 3) [rad] rotation vectors, shorter than half a turn, of matrices (…, 3, 3)."""
    lean = np.stack(
        (
            matrices[..., 2, 1] - matrices[..., 1, 2],
            matrices[..., 0, 2] - matrices[..., 2, 0],
            matrices[..., 1, 0] - matrices[..., 0, 1],
        ),
        axis=-1,
    )
    sine = np.linalg.norm(lean, axis=-1) / 2
    angle = np.arctan2(sine, (np.trace(matrices, axis1=-2, axis2=-1) - 1) / 2)
    return lean * (angle / np.maximum(2 * sine, 1e-9))[..., None]


def cross_matrix(vectors: np.ndarray) -> np.ndarray:
    """(…, 3, 3) matrices K with ``K @ p == cross(vectors, p)`` of vectors (…, 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    return np.stack((zero, -z, y, z, zero, -x, -y, x, zero), axis=-1).reshape(*vectors.shape, 3)


def _about(axis: int, angle: np.ndarray) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.zeros((*angle.shape, 3, 3))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., a, a], matrix[..., a, b], matrix[..., b, a], matrix[..., b, b] = c, -s, s, c
    return matrix


@dataclass
class Pose:
    """Points of a hand, and how they move."""

    points: np.ndarray
    """(T, 24, 3) [m] in the camera frame: the 21 keypoints, then three metacarpal bases."""
    by_posture: np.ndarray
    """(T, 24, 3, 27) derivatives."""
    by_shape: np.ndarray
    """(T, 24, 3, 9) derivatives."""


def _stretched(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Palm points (9, 3) and bones (5, 3) [m] of a person."""
    size = np.exp(shape[0])
    palm = PALM * size * np.array([np.exp(shape[2]), np.exp(shape[1]), 1.0])
    return palm, BONES * size * np.exp(shape[3:8])[:, None]


def keypoints(posture: Posture, shape: np.ndarray) -> np.ndarray:
    """(T, 24, 3) [m] points in the camera frame."""
    return _chain(posture, shape)[0]


def _chain(posture: Posture, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (T, 24, 3); joint axes (T, 5, 3, 3) as rows spread, twist, bend; points by digit (T, 5, 4, 3)."""
    palm, bones = _stretched(shape)
    angle = posture.joint_pos
    base = posture.turn[:, None] @ REST
    spread = base @ _about(2, _signed_spread(angle))
    twist = np.broadcast_to(TWIST, angle[:, :5].shape).copy()
    twist[:, 0] = angle[:, _THUMB_TWIST - 6]
    twisted = spread @ _about(1, twist)
    bend, along = twisted[..., :, 0], []
    total = np.cumsum(angle[:, _BENDS - 6], axis=-1)
    for bone in range(3):
        c, s = np.cos(total[..., bone])[..., None], np.sin(total[..., bone])[..., None]
        along.append((c * twisted[..., :, 1] + s * twisted[..., :, 2]) * bones[:, bone, None])
    world = palm @ posture.turn.transpose(0, 2, 1) + posture.wrist[:, None]
    root = world[:, 1:6]
    digits = np.stack([root, *(root + step for step in np.cumsum(along, axis=0))], axis=2)
    points = np.concatenate((world[:, :1], digits.reshape(len(angle), 20, 3), world[:, 6:]), axis=1)
    axes = np.stack((-base[..., :, 2], spread[..., :, 1], bend), axis=2)
    return points, axes, digits


def _signed_spread(angle: np.ndarray) -> np.ndarray:
    """(T, 5) [rad] turn about z that spreads towards the thumb."""
    return -angle[:, _SPREAD - 6]


def posed(posture: Posture, shape: np.ndarray) -> Pose:
    """Points and their derivatives."""
    points, axes, digits = _chain(posture, shape)
    frames = len(points)
    by_posture, by_shape = np.zeros((frames, 24, 3, POSTURE)), np.zeros((frames, 24, 3, SHAPE))
    by_posture[..., 0:3] = np.eye(3)
    by_posture[..., 3:6] = -cross_matrix(points - posture.wrist[:, None])
    for digit in range(5):
        first = 1 + 4 * digit
        turned = [(_SPREAD[digit], 0, 0), *((column, 2, joint) for joint, column in enumerate(_BENDS[digit]))]
        if digit == 0:
            turned.append((_THUMB_TWIST, 1, 0))
        for column, axis, joint in turned:
            arm = digits[:, digit, joint + 1 :] - digits[:, digit, joint, None]
            by_posture[:, first + joint + 1 : first + 4, :, column] = np.cross(axes[:, digit, axis, None], arm)
        by_shape[:, first : first + 4, :, 3 + digit] = digits[:, digit] - digits[:, digit, :1]
    by_shape[..., 0] = points - posture.wrist[:, None]
    palm, _ = _stretched(shape)
    of_point = np.concatenate(([0], np.repeat(np.arange(1, 6), 4), [6, 7, 8]))
    for column, axis in ((1, 1), (2, 0)):
        by_shape[..., column] = palm[of_point, axis][None, :, None] * posture.turn[:, None, :, axis]
    return Pose(points, by_posture, by_shape)
