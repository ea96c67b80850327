"""Human-like hands for the benchmark: 21 keypoints of a simple kinematic hand in random grasps.

In:  how many, a random generator.   Out: keypoints (N, 21, 3) [m] in palm axes, origin at the middle knuckle.
Not here: real hands (recordings), the palm frame of measured keypoints (targets).

Palm axes of a right hand: x out of the palm, y towards the index finger, z towards the fingers. Lengths are of an average
adult hand; every hand is scaled by 0.8 to 1.2, and every keypoint moved by noise of 2 mm.
"""

from __future__ import annotations

import numpy as np

#: [m] knuckles of index, middle, ring, little finger beside the middle one.
_KNUCKLE_Y = (0.026, 0.0, -0.021, -0.040)
#: [m] phalanges of the same, from the knuckle out.
_PHALANGES = ((0.040, 0.024, 0.022), (0.045, 0.028, 0.023), (0.041, 0.026, 0.023), (0.032, 0.020, 0.020))
_THUMB_BASE, _THUMB_PHALANGES = np.array([0.012, 0.022, -0.068]), (0.045, 0.032, 0.027)
_WRIST = np.array([0.0, 0.0, -0.088])
#: [rad] flexion of the three joints of a finger, and of the two of the thumb, at full curl.
_FULL_CURL, _FULL_THUMB_CURL = np.deg2rad([85.0, 100.0, 60.0]), np.deg2rad([50.0, 70.0])
_FULL_SPREAD = np.deg2rad(12.0)
_SCALE, _NOISE = (0.8, 1.2), 0.002


#: Numbers that make a shape: curl and spread of four fingers, opposition and curl of the thumb, and scale.
_NUM_SHAPE = 11


def human_keypoints(num: int, rng: np.random.Generator) -> np.ndarray:
    """``num`` hands (num, 21, 3) [m]: each finger curled and spread on its own, the thumb opposed by chance."""
    hands = shaped_hands(random_shapes(num, rng))
    return hands + rng.normal(0.0, _NOISE, hands.shape)


def random_shapes(num: int, rng: np.random.Generator) -> np.ndarray:
    """``num`` random shapes (num, 11), each number in 0 to 1."""
    return rng.uniform(0.0, 1.0, (num, _NUM_SHAPE))


def shaped_hands(shapes: np.ndarray) -> np.ndarray:
    """Keypoints (N, 21, 3) [m] of hands with shapes (N, 11), without noise."""
    curl, spread = shapes[:, :4], shapes[:, 4:8] * 2.0 - 1.0
    hands = np.zeros((len(shapes), 21, 3))
    hands[:, 0] = _WRIST
    hands[:, 1:5] = _thumb(shapes[:, 8], shapes[:, 9])
    for finger, (y, lengths) in enumerate(zip(_KNUCKLE_Y, _PHALANGES, strict=True)):
        start = 5 + 4 * finger
        hands[:, start : start + 4] = _finger(np.array([0.0, y, 0.0]), lengths, curl[:, finger], spread[:, finger])
    low, high = _SCALE
    return hands * (low + (high - low) * shapes[:, 10, None, None])


def _finger(knuckle: np.ndarray, lengths: tuple[float, ...], curl: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Knuckle to tip (N, 4, 3) of a finger that flexes from z towards x and spreads about x."""
    flexion = np.cumsum(curl[:, None] * _FULL_CURL, axis=-1)
    sideways = spread[:, None] * _FULL_SPREAD
    across = np.cos(flexion)
    directions = np.stack([np.sin(flexion), across * np.sin(sideways), across * np.cos(sideways)], -1)
    return _joined(knuckle, lengths, directions)


def _thumb(opposition: np.ndarray, curl: np.ndarray) -> np.ndarray:
    """Base to tip (N, 4, 3): from beside the hand (opposition 0) to across the palm (1), then curled towards it."""
    one = np.ones_like(opposition)
    first = _unit(np.stack([0.25 + 0.65 * opposition, 0.75 - 0.75 * opposition, 0.6 * one], -1))
    # It curls towards the little finger and, opposed, up the fingers.
    towards = np.stack([0.1 - 0.3 * opposition, -0.8 * one, 0.3 + 0.3 * opposition], -1)
    side = _unit(towards - first * np.sum(towards * first, -1, keepdims=True))
    bend = np.cumsum(curl[:, None] * _FULL_THUMB_CURL, axis=-1)[..., None]
    bent = np.cos(bend) * first[:, None] + np.sin(bend) * side[:, None]
    return _joined(_THUMB_BASE, _THUMB_PHALANGES, np.concatenate([first[:, None], bent], axis=1))


def _joined(start: np.ndarray, lengths: tuple[float, ...], directions: np.ndarray) -> np.ndarray:
    """Joints (N, 4, 3) of bones of given lengths [m] and directions (N, 3, 3), from ``start`` (3) on."""
    ends = np.cumsum(np.array(lengths)[:, None] * directions, axis=1)
    return start + np.concatenate([np.zeros((len(ends), 1, 3)), ends], axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
