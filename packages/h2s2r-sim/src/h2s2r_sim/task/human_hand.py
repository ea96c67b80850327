"""An average adult hand, posed by a few numbers: where a person's keypoints are for a given grasp.

In:  palm directions, one fingertip, joint angles.   Out: (21, 3) keypoints [m] in ``KEYPOINT_NAMES`` order.
Not here: hands seen in recordings (perception), the skinned hand that is rendered (demonstrate).

The palm frame is that of the conventions: x out of the palm, y towards the index side, z from wrist to fingers. Bone
lengths are those of our rendered hand, within the spread of published adult means: middle finger 46, 29 and 26.5 mm,
wrist to middle knuckle 93 mm. A fingertip keypoint lies 5 mm inside the flesh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import SIDES
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

FINGERS = ("index", "middle", "ring", "little")

#: Knuckles (4, 3) [m] in the palm frame with the wrist as origin, index to little.
_KNUCKLES = np.array([[0.0, 25.0, 90.0], [-3.0, 3.0, 93.0], [-1.0, -17.0, 87.0], [4.0, -35.0, 77.0]]) * 1e-3
#: Lengths (4, 3) [m] of the bones from knuckle to fingertip keypoint.
_BONES = np.array([[42.0, 25.0, 20.0], [46.0, 29.0, 21.5], [42.5, 27.0, 21.0], [33.5, 20.0, 18.0]]) * 1e-3
#: Spread (4) [rad] of the fingers at rest, towards the index side.
_SPREAD = np.deg2rad([9.0, 1.0, -7.0, -16.0])
#: Bend of the end joint per bend of the middle joint: tendons couple them.
_END_JOINT = 0.55

_THUMB_ROOT = np.array([9.0, 20.0, 20.0]) * 1e-3
_THUMB_BONES = np.array([46.0, 33.0, 26.0]) * 1e-3
#: Directions (3, 3) of the thumb's bones at rest, beside the palm.
_THUMB_REST = np.array([[0.36, 0.70, 0.60], [0.28, 0.56, 0.78], [0.24, 0.48, 0.84]])
#: The direction the thumb bends to: towards the little finger, somewhat out of the palm.
_THUMB_BEND = np.array([0.5, -0.85, 0.1])

#: Radius [m] of a finger around its keypoints, knuckle to tip 10 to 7 mm; used to keep poses clear of things.
FINGER_RADIUS = 0.009


@dataclass(frozen=True)
class HandShape:
    """Joint angles [deg] of a hand; positive bends close it."""

    curl: Mapping[str, tuple[float, float]]
    """Per finger in ``FINGERS``: bend at the knuckle and at the middle joint."""
    thumb_opposition: float = 30.0
    """Turn of the whole thumb from beside the palm to in front of it."""
    thumb_bend: tuple[float, float] = (10.0, 10.0)
    """Bend of the thumb's two outer joints."""
    spread: float = 1.0
    """How far the fingers are spread, as a multiple of rest."""


def palm_keypoints(shape: HandShape, side: str) -> np.ndarray:
    """Keypoints (21, 3) [m] in the palm frame, wrist at the origin.

    Raises:
        SchemaError: a finger without angles, or a side that is neither left nor right.
    """
    if set(shape.curl) != set(FINGERS) or side not in SIDES:
        raise SchemaError(
            f"A hand needs a side of {SIDES} and a curl for each of {FINGERS}; got {side!r}, {shape.curl}."
        )
    points = [np.zeros(3), *_thumb(shape)]
    for index, finger in enumerate(FINGERS):
        knuckle, middle = np.deg2rad(shape.curl[finger])
        bends = np.cumsum([knuckle, middle, _END_JOINT * middle])
        steps = np.stack([np.sin(bends), np.zeros(3), np.cos(bends)], axis=-1) * _BONES[index][:, None]
        spread = SE3.exp(np.array([0.0, 0.0, 0.0, -_SPREAD[index] * shape.spread, 0.0, 0.0]))
        chain = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
        points += list(_KNUCKLES[index] + spread.rotate(chain))
    keypoints = np.array(points)
    return keypoints * ((1.0, -1.0, 1.0) if side == "left" else (1.0, 1.0, 1.0))


def _thumb(shape: HandShape) -> np.ndarray:
    """The thumb's four keypoints (4, 3) [m], right hand."""
    opposition = SE3.exp(np.array([0.0, 0.0, 0.0, 0.0, 0.0, -np.deg2rad(shape.thumb_opposition)]))
    bends = np.cumsum(np.deg2rad([0.0, *shape.thumb_bend]))
    steps = []
    for direction, bend, length in zip(_THUMB_REST, bends, _THUMB_BONES, strict=True):
        axis = np.cross(direction, _THUMB_BEND)
        turn = SE3.exp(np.concatenate([np.zeros(3), axis / np.linalg.norm(axis) * bend]))
        steps.append(turn.rotate(direction / np.linalg.norm(direction)) * length)
    chain = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    return _THUMB_ROOT + opposition.rotate(chain)


def place_hand(
    shape: HandShape, side: str, fingers_toward: np.ndarray, palm_toward: np.ndarray, middle_tip: np.ndarray
) -> np.ndarray:
    """Keypoints (21, 3) [m] of a hand whose middle fingertip is at a given point.

    Args:
        shape: joint angles.
        side: ``left`` or ``right``.
        fingers_toward: (3) direction from wrist to knuckles.
        palm_toward: (3) direction out of the palm; its part along ``fingers_toward`` is dropped.
        middle_tip: (3) [m] the fingertip keypoint; all three in the frame of the result.

    Raises:
        SchemaError: as ``palm_keypoints``; directions that are parallel or zero.
    """
    fingers, palm = np.asarray(fingers_toward, float), np.asarray(palm_toward, float)
    across = np.cross(fingers, palm)
    if np.linalg.norm(across) < 1e-6:
        raise SchemaError(f"fingers_toward {fingers.tolist()} and palm_toward {palm.tolist()} must not be parallel.")
    z, y = fingers / np.linalg.norm(fingers), across / np.linalg.norm(across)
    rotation = np.stack([np.cross(y, z), y, z], axis=-1)
    keypoints = palm_keypoints(shape, side) @ rotation.T
    return keypoints + (np.asarray(middle_tip, float) - keypoints[12])
