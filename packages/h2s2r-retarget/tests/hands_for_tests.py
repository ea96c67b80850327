"""A human hand for tests: 21 keypoints from a few angles.

In:  a curl, a side, a pose.   Out: keypoints (21, 3) [m].
Not here: a hand that looks like one (h2s2r-sim renders one).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.se3 import SE3

# Adult bone lengths [m]: knuckle places across and along the palm, then phalanges.
_FINGERS = {
    "index": ((0.026, 0.088), (0.040, 0.024, 0.022)),
    "middle": ((0.0, 0.088), (0.045, 0.028, 0.023)),
    "ring": ((-0.021, 0.084), (0.041, 0.026, 0.023)),
    "little": ((-0.040, 0.076), (0.033, 0.020, 0.020)),
}
_THUMB = ((0.025, 0.020), (0.045, 0.032, 0.027))


def human_hand(
    curl: float = 0.5, side: str = "right", T_world_wrist: SE3 | None = None, scale: float = 1.0
) -> np.ndarray:
    """Keypoints of a hand whose fingers are bent by ``curl`` (0 flat, 1 a fist).

    In the wrist's frame, x points out of the palm, y to the index side of a right hand, z to the fingers.
    """
    points = [np.zeros(3), *_finger(_THUMB, 0.3 + 0.4 * curl, spread=0.7)]
    for places in _FINGERS.values():
        points += _finger(places, 1.2 * curl)
    keypoints = scale * np.array(points)
    if side == "left":
        keypoints = keypoints * [1.0, -1.0, 1.0]
    return keypoints if T_world_wrist is None else T_world_wrist.apply(keypoints)


def _finger(places, bend, spread=0.0):
    (across, along), lengths = places
    points, angle = [np.array([0.0, across, along])], 0.0
    for length in lengths:
        angle += bend
        straight = np.array([np.sin(angle), 0.0, np.cos(angle)])
        turned = np.array([straight[0], np.sin(spread) * straight[2], np.cos(spread) * straight[2]])
        points.append(points[-1] + length * turned)
    return points
