"""Where the bones of a hand are for given joint angles.

In:  joint_pos (J) [rad] in ``JOINT_NAMES`` order.   Out: how each bone moved from rest; keypoints (21, 3) [m].
Not here: the other way round (fit), skin (skin).

``T_palm_bone`` maps where something fixed to the bone is at rest to where it is now, both in the palm frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.anatomy import (
    BONES,
    JOINT_NAMES,
    JOINTS,
    KEYPOINT_BONES,
    LIMITS,
    PARENTS,
    rest_keypoints,
)

_REST_KEYPOINTS = rest_keypoints()
_AXES = np.array([joint.axis for joint in JOINTS])
_ORIGINS = np.array([joint.origin for joint in JOINTS])
#: Turns the palm frame of a right hand's points into those of a left hand.
MIRROR = np.array([1.0, -1.0, 1.0])


#: In place of a joint: what is fixed to the palm.
_NO_JOINT = -1


def _chains() -> tuple[list[tuple[list[int], list[int]]], list[int]]:
    """Level by level, joints and the joint that carries each of them; and the last joint that moves each bone."""
    last, levels, depth = [_NO_JOINT] * len(BONES), [], {_NO_JOINT: -1}
    for index, joint in enumerate(JOINTS):
        carrier = last[joint.bone] if last[joint.bone] != _NO_JOINT else last[PARENTS[joint.bone]]
        last[joint.bone], depth[index] = index, depth[carrier] + 1
        if depth[index] == len(levels):
            levels.append(([], []))
        joints, carriers = levels[depth[index]]
        joints.append(index)
        carriers.append(carrier)
    return levels, last


_LEVELS, _LAST_JOINTS = _chains()


def joint_vector(angles: Mapping[str, float]) -> np.ndarray:
    """(J) [rad] from angles by name; what is not named is at rest.

    Raises:
        SchemaError: no such joint.
    """
    unknown = sorted(set(angles) - set(JOINT_NAMES))
    if unknown:
        raise SchemaError(f"The hand has no joint {unknown[0]!r}; it has {', '.join(JOINT_NAMES)}.")
    joint_pos = np.zeros(len(JOINT_NAMES))
    for name, angle in angles.items():
        joint_pos[JOINT_NAMES.index(name)] = angle
    return joint_pos


def clamped(joint_pos: np.ndarray) -> np.ndarray:
    """Angles (…, J) [rad] moved into their limits."""
    return np.clip(joint_pos, LIMITS[:, 0], LIMITS[:, 1])


def Ts_palm_bone(joint_pos: np.ndarray) -> SE3:
    """(…, 17) how each bone of ``BONES`` moved from rest, for angles (…, J) [rad]."""
    turns = _turns(joint_pos).wxyz_xyz
    moved = np.zeros((*joint_pos.shape[:-1], len(JOINTS) + 1, 7))
    moved[..., _NO_JOINT, 0] = 1.0
    for joints, carriers in _LEVELS:
        moved[..., joints, :] = (SE3(moved[..., carriers, :]) @ SE3(turns[..., joints, :])).wxyz_xyz
    return SE3(moved[..., _LAST_JOINTS, :])


def _turns(joint_pos: np.ndarray) -> SE3:
    """(…, J) turn of each joint about its own line."""
    half = joint_pos[..., None] / 2
    wxyz = np.concatenate([np.cos(half), np.sin(half) * _AXES], axis=-1)
    about = SE3.from_parts(wxyz, np.zeros((*joint_pos.shape, 3)))
    return SE3.from_parts(wxyz, _ORIGINS - about.rotate(_ORIGINS))


def keypoints(joint_pos: np.ndarray, scale: float = 1.0, side: str = "right") -> np.ndarray:
    """(…, 21, 3) [m] in the palm frame, in ``KEYPOINT_NAMES`` order, for angles (…, J) [rad]."""
    return carried_keypoints(Ts_palm_bone(joint_pos), scale, side)


def carried_keypoints(Ts_palm_bone: SE3, scale: float, side: str) -> np.ndarray:
    """The same, for bones (…, 17) that have moved so."""
    moved = Ts_palm_bone[..., KEYPOINT_BONES].apply(_REST_KEYPOINTS)
    return moved * scale * (MIRROR if side == "left" else 1.0)
