"""Where a human hand wants a robot's palm and fingertips to be.

In:  21 human keypoints (…, 21, 3) [m] in the world, their side, an ``Embodiment``.
Out: ``Ts_world_palm`` wanted, and fingertip targets (…, F, 3) [m].
Not here: joint positions that reach them (retarget), finding the keypoints (perception).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

_WRIST, _INDEX, _MIDDLE, _RING = (KEYPOINT_NAMES.index(f) for f in ("wrist", "index_mcp", "middle_mcp", "ring_mcp"))
_TIPS = [KEYPOINT_NAMES.index(f"{finger}_tip") for finger in ("index", "middle", "ring", "little")]

#: [m] from the wrist to the middle knuckle; an adult has about 0.09, so this
#: admits children and leaves out other units.
PALM_LENGTH = (0.04, 0.20)
#: Sine of the smallest angle between the palm's two directions; below, noise decides its orientation.
_MIN_SINE = 0.05
#: [m] how far the fingertips may lie behind the palm before the hand must be of the other side: fingers hardly overextend.
_MAX_BEHIND = 0.03


def palm_targets(p_world_keypoints: np.ndarray, side: str, palm_offset: np.ndarray) -> SE3:
    """Poses wanted for the palm, one per hand: its origin at the middle knuckle plus ``palm_offset``.

    The axes are those of every embodiment's palm: z from the wrist to the middle knuckle; x out of the palm; y = z × x,
    towards the index side of a right hand (so towards the ring side of a left one).

    Args:
        p_world_keypoints: (…, 21, 3) [m].
        side: ``right`` or ``left``: whose hand it is.
        palm_offset: (3) [m] in the palm's axes.
    """
    z = _unit(p_world_keypoints[..., _MIDDLE, :] - p_world_keypoints[..., _WRIST, :])
    across = p_world_keypoints[..., _INDEX, :] - p_world_keypoints[..., _RING, :]
    across = across if side == "right" else -across
    x = _unit(np.cross(across, z))
    rotation = np.stack((x, np.cross(z, x), z), axis=-1)
    return SE3.from_rotation_matrix(rotation, p_world_keypoints[..., _MIDDLE, :] + rotation @ palm_offset)


def check_keypoints(p_world_keypoints: object, side: str) -> np.ndarray:
    """Keypoints (…, 21, 3) as float64, if they can be a hand of this side.

    Raises:
        SchemaError: wrong shape, NaN, another unit than metres, palm points in one line, or a hand of the other side.
    """
    keypoints = np.asarray(p_world_keypoints, dtype=np.float64)
    if keypoints.ndim < 2 or keypoints.shape[-2:] != (len(KEYPOINT_NAMES), 3):
        raise SchemaError(
            f"Keypoints have shape {keypoints.shape}; (21, 3) or (T, 21, 3) is needed, in KEYPOINT_NAMES order."
        )
    if side not in ("left", "right"):
        raise SchemaError(f"A hand is 'left' or 'right'; got {side!r}.")
    hands = keypoints.reshape(-1, *keypoints.shape[-2:])
    finite = np.isfinite(hands).all(axis=(1, 2))
    if not finite.all():
        raise SchemaError(f"Keypoints of frame {int(np.argmin(finite))} hold NaN or infinity; leave lost frames out.")
    lengths = np.linalg.norm(hands[:, _MIDDLE] - hands[:, _WRIST], axis=-1)
    low, high = PALM_LENGTH
    wrong = (lengths < low) | (lengths > high)
    if wrong.any():
        at = int(np.argmax(wrong))
        unit = " Are the keypoints in millimetres? Divide by 1000." if low <= lengths[at] / 1000 <= high else ""
        raise SchemaError(
            f"From the wrist to the middle knuckle it is {lengths[at]:.4g} m in frame {at}; a hand has {low} to {high} m.{unit}"
        )
    across = hands[:, _INDEX] - hands[:, _RING]
    along = hands[:, _MIDDLE] - hands[:, _WRIST]
    sine = np.linalg.norm(np.cross(across, along), axis=-1) / np.maximum(
        np.linalg.norm(across, axis=-1) * lengths, np.finfo(float).tiny
    )
    if (sine < _MIN_SINE).any():
        at = int(np.argmin(sine))
        raise SchemaError(
            f"Wrist, index, middle and ring knuckle of frame {at} lie in one line: the palm has no orientation. "
            "Take another frame."
        )
    _check_side(hands, side)
    return keypoints


def _check_side(hands: np.ndarray, side: str) -> None:
    """Fingers bend towards the palm; bending away in every frame means that the hand is the other one."""
    Ts_world_palm = palm_targets(hands, side, np.zeros(3))
    p_palm_tips = Ts_world_palm[:, None].inv().apply(hands[:, _TIPS])
    behind = -np.median(p_palm_tips[..., 0])
    if behind > _MAX_BEHIND:
        other = "left" if side == "right" else "right"
        raise SchemaError(
            f"The fingers of this {side} hand bend {behind * 1000:.0f} mm to its back: it is a {other} hand, or mirrored. "
            f"Say side={other!r} and take a {other} robot hand, or mirror the recording."
        )


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
