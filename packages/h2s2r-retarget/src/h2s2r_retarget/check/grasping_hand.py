"""A human hand about to grasp, to compare a robot hand's reach with.

In:  nothing.   Out: keypoints (21, 3) [m] in the palm frame, middle knuckle at the origin.
Not here: hands of other shapes (they come from people).

Bone lengths are adult means: knuckles 26, 21, 19 mm apart, index 40, 24, 22, middle 45, 28, 23, ring 41, 26, 23,
little 33, 20, 20, thumb 45, 32, 27 mm, wrist to middle knuckle 88 mm.
"""

from __future__ import annotations

import numpy as np

_FINGERS = (
    ((0.0, 0.026, 0.0), (0.040, 0.024, 0.022)),
    ((0.0, 0.0, 0.0), (0.045, 0.028, 0.023)),
    ((0.0, -0.021, -0.004), (0.041, 0.026, 0.023)),
    ((0.0, -0.040, -0.012), (0.033, 0.020, 0.020)),
)
_THUMB = ((0.005, 0.022, -0.070), (0.045, 0.032, 0.027))
#: [rad] bend of each finger joint.
_BEND = 0.5
#: Directions of the thumb's bones: out of the palm, to the index side, along the fingers.
_THUMB_DIRECTIONS = ((0.80, 0.15, 0.58), (0.70, -0.05, 0.72), (0.60, -0.15, 0.79))


def grasping_hand() -> np.ndarray:
    """Keypoints (21, 3) [m] of a right hand in ``KEYPOINT_NAMES`` order."""
    points = [np.array([0.0, 0.0, -0.088]), np.array(_THUMB[0])]
    for direction, length in zip(_THUMB_DIRECTIONS, _THUMB[1], strict=True):
        points.append(points[-1] + length * np.array(direction) / np.linalg.norm(direction))
    for knuckle, lengths in _FINGERS:
        points.append(np.array(knuckle))
        for number, length in enumerate(lengths, 1):
            bend = number * _BEND
            points.append(points[-1] + length * np.array([np.sin(bend), 0.0, np.cos(bend)]))
    return np.array(points)
