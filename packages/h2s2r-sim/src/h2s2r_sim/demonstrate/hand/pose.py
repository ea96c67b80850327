"""A whole hand at one instant: where the palm is, and every joint.

In:  palm pose, joint angles, size, side.   Out: ``Hand``, which gives keypoints and skin in the world.
Not here: finding one from keypoints (fit).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.anatomy import BONES, DIGITS, FINGER_RADII, FINGERS, THUMB_RADII, rest_chain
from h2s2r_sim.demonstrate.hand.skeleton import MIRROR, Ts_palm_bone, carried_keypoints
from h2s2r_sim.demonstrate.hand.skin import Skin


@dataclass(frozen=True)
class Hand:
    """A hand somewhere."""

    T_world_palm: SE3
    """Of the palm frame: wrist as origin, x out of the palm, z to the fingers; y to the index side of a right hand, and
    away from it of a left one."""
    joint_pos: np.ndarray
    """(J) [rad] in ``JOINT_NAMES`` order."""
    scale: float = 1.0
    """Size, 1 being the adult of ``anatomy``."""
    side: str = "right"
    """``left`` or ``right``."""

    @cached_property
    def Ts_palm_bone(self) -> SE3:
        """(17) how each bone moved from rest."""
        return Ts_palm_bone(self.joint_pos)

    def keypoints(self) -> np.ndarray:
        """(21, 3) [m] in the world."""
        return self.T_world_palm.apply(carried_keypoints(self.Ts_palm_bone, self.scale, self.side))

    def skin(self, skin: Skin) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) [m] and normals (V, 3) in the world."""
        vertices, normals = skin.posed(self.joint_pos, self.scale, self.side)
        turn = self.T_world_palm.rotation_matrix().T.astype(np.float32)
        return vertices @ turn + self.T_world_palm.translation.astype(np.float32), normals @ turn

    def flesh(self, *digits: str) -> tuple[np.ndarray, np.ndarray]:
        """Balls along these digits, or for ``palm`` along the knuckles: centres (N, 3) [m] in the world, radii (N) [m]."""
        bone, centres, radii = _flesh(digits)
        moved = self.Ts_palm_bone[bone].apply(centres) * self.scale
        return self.T_world_palm.apply(moved * (MIRROR if self.side == "left" else 1.0)), radii * self.scale

    def moved(self, T_world_palm: SE3) -> Hand:
        """The same hand elsewhere."""
        return replace(self, T_world_palm=T_world_palm)


#: Balls per bone.
_PER_BONE = 4


def _digit_flesh(digit: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chain = rest_chain(digit)
    radii = THUMB_RADII if digit == "thumb" else FINGER_RADII[FINGERS.index(digit)]
    chain[3] -= radii[3] * (chain[3] - chain[2]) / np.linalg.norm(chain[3] - chain[2])
    share = np.linspace(0.0, 1.0, _PER_BONE)[None, :, None]
    centres = chain[:3, None] * (1 - share) + chain[1:, None] * share
    sizes = radii[:3, None] * (1 - share[..., 0]) + radii[1:, None] * share[..., 0]
    first = 2 + 3 * DIGITS.index(digit)
    return np.repeat(np.arange(first, first + 3), _PER_BONE), centres.reshape(-1, 3), sizes.reshape(-1)


def _palm_flesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    knuckles = np.array([rest_chain(finger)[0] for finger in FINGERS])
    centres = np.concatenate([share * knuckles + np.array([0.0025, 0.0, 0.0]) for share in (0.4, 0.7, 1.0)])
    return np.full(len(centres), BONES.index("palm")), centres, np.full(len(centres), 0.0125)


_FLESH = {"palm": _palm_flesh(), **{digit: _digit_flesh(digit) for digit in DIGITS}}


@cache
def _flesh(digits: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """Bones (N), centres (N, 3) [m] at rest and radii (N) [m] of the balls of these digits."""
    return tuple(np.concatenate(each) for each in zip(*(_FLESH[digit] for digit in digits), strict=True))
