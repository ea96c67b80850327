"""The skin of a hand, and how it follows the bones.

In:  joint angles.   Out: vertices and normals of a smooth mesh, in the palm frame; its colours as texture coordinates.
Not here: drawing it (stage, render).

Linear blend skinning. Each vertex follows the bone that it is nearest to and that bone's neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from h2s2r_sim.demonstrate.hand.anatomy import (
    BONES,
    DIGITS,
    FOREARM_LENGTH,
    PARENTS,
    rest_chain,
    unit,
)
from h2s2r_sim.demonstrate.hand.field import bone_distance, skin_distance
from h2s2r_sim.demonstrate.hand.skeleton import MIRROR, Ts_palm_bone
from h2s2r_sim.demonstrate.hand.surface import triangulate

#: [m] of the grid that the mesh is made on.
STEP = 0.003
#: Rows of the palette, from 0 to 1: the middles of three bands.
SKIN, NAIL, SLEEVE = 0.15, 0.5, 0.85
#: Where the sleeve begins, as a share of the forearm from the wrist.
SLEEVE_START = 0.55


@dataclass(frozen=True)
class Skin:
    """The mesh of a right hand at rest."""

    vertices: np.ndarray
    """(V, 3) float32 [m] in the palm frame."""
    normals: np.ndarray
    """(V, 3) float32, unit vectors outwards."""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise from outside."""
    weights: np.ndarray
    """(V, 17) float32, share of each bone; rows sum to 1."""
    colours: np.ndarray
    """(V, 2) place in the palette: how red; and the part, one of those of ``texture.hand_palette``."""

    def posed(self, joint_pos: np.ndarray, scale: float = 1.0, side: str = "right") -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) [m] and normals (V, 3) in the palm frame for angles (J) [rad]."""
        moved = Ts_palm_bone(joint_pos).as_matrix()[:, :3].astype(np.float32)
        blended = (self.weights @ moved.reshape(len(BONES), 12)).reshape(-1, 3, 4)
        mirror = MIRROR if side == "left" else np.ones(3)
        vertices = _turned(blended, self.vertices) + blended[:, :, 3]
        return vertices * (scale * mirror).astype(np.float32), unit(_turned(blended, self.normals)) * mirror

    def side_faces(self, side: str) -> np.ndarray:
        """(F, 3) faces of that side: mirroring turns a triangle round."""
        return self.faces[:, ::-1] if side == "left" else self.faces


def _turned(blended: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Vectors (V, 3), each by its own matrix (V, 3, 4)."""
    x, y, z = (vectors[:, axis, None] for axis in range(3))
    return blended[:, :, 0] * x + blended[:, :, 1] * y + blended[:, :, 2] * z


@cache
def make_skin() -> Skin:
    """The skin; made once per process, in about a second."""
    low, high = np.array([-0.050, -0.075, -FOREARM_LENGTH - 0.008]), np.array([0.065, 0.105, 0.205])
    vertices, faces, normals = triangulate(skin_distance, low, high, STEP)
    weights, colours = _weights(vertices, faces), _colours(vertices, normals)
    return Skin(_single(vertices), _single(normals), faces, _single(weights), colours)


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _weights(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 17): softmax over the distances to the bones, then smoothed over the mesh."""
    distance = bone_distance(vertices)
    width = np.full(len(BONES), 2.5e-3)
    width[[0, 1, 2]] = (10e-3, 5e-3, 5e-3)
    weights = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / width)
    weights *= _neighbours()[np.argmin(distance, axis=1)]
    weights /= weights.sum(axis=1, keepdims=True)
    edges = np.unique(np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    degree = np.bincount(edges.ravel(), minlength=len(vertices))[:, None]
    order = np.argsort(edges.ravel(), kind="stable")
    ends, starts = edges[:, ::-1].ravel()[order], np.concatenate([[0], np.cumsum(degree[:, 0])[:-1]])
    for _ in range(12):
        weights = 0.5 * weights + 0.5 * np.add.reduceat(weights[ends], starts, axis=0) / degree
    weights[weights < 0.01] = 0.0
    return weights / weights.sum(axis=1, keepdims=True)


def _neighbours() -> np.ndarray:
    """(17, 17) whether two bones are the same, or one hangs on the other."""
    same = np.eye(len(BONES), dtype=bool)
    same[np.arange(len(BONES)), PARENTS] = True
    return same | same.T


def _colours(vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(V, 2): red at fingertips, knuckles and palm; nails; a sleeve."""
    red, part = 0.25 + 0.15 * np.clip(normals[:, 0], 0.0, 1.0), np.full(len(vertices), SKIN)
    for digit in DIGITS:
        chain = rest_chain(digit)
        along = unit(chain[3] - chain[2])
        for joint, strength, width in ((1, 0.45, 9e-3), (2, 0.35, 7e-3), (3, 0.30, 12e-3)):
            red += strength * np.exp(-(((vertices - chain[joint]) / width) ** 2).sum(axis=-1) / 2)
        back = _back_of(digit)
        middle = chain[3] - 0.0095 * along
        offset = vertices - middle
        across = np.cross(along, back)
        inside = (offset @ along / 7.0e-3) ** 4 + (offset @ across / 5.2e-3) ** 4 < 1.0
        part[inside & (normals @ back > 0.45)] = NAIL
    sleeve = vertices[:, 2] < -SLEEVE_START * FOREARM_LENGTH
    return np.stack([np.clip(red, 0.05, 0.95), np.where(sleeve, SLEEVE, part)], axis=-1)


def _back_of(digit: str) -> np.ndarray:
    """(3) unit vector out of the nail."""
    chain = rest_chain(digit)
    along = unit(chain[3] - chain[2])
    inward = np.array([0.5, -0.85, 0.1]) if digit == "thumb" else np.array([1.0, 0.0, 0.0])
    return -unit(inward - (inward @ along) * along)
