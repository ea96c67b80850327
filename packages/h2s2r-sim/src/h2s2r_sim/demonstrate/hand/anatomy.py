"""Bones, joints and thicknesses of an adult right hand.

In:  nothing.   Out: rest points, bone directions, radii, joints with axes and limits.
Not here: moving it (skeleton), its surface (field).

Everything is in the palm frame: x out of the palm, y towards the index side, z from wrist to fingers, wrist at the origin.
Bones are those of ``task.human_hand``. From wrist to the flesh end of the middle finger it measures 195 mm; the mean of 4,082
men is 193 mm (ANSUR II: Gordon et al., NATICK/TR-15/007, 2014). Lengths of the phalanges follow Buryanov and Kotiuk (Int. J.
Morphol. 28(3), 2010): a finger as a whole is within two standard deviations of their mean. Radii were chosen by eye.
Ranges of motion are those of the American Academy of Orthopaedic Surgeons (Joint Motion, 1965), rounded to 5°.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FINGERS = ("index", "middle", "ring", "little")
DIGITS = ("thumb", *FINGERS)
#: What moves as one piece, in the order of every (17, …) array of the hand.
BONES = (
    "forearm",
    "palm",
    *(f"thumb_{part}" for part in ("metacarpal", "proximal", "distal")),
    *(f"{finger}_{part}" for finger in FINGERS for part in ("proximal", "middle", "distal")),
)
#: (17) position in ``BONES`` of the bone that each hangs on; the palm on itself.
PARENTS = np.array([1, 1, *(p for start in (2, 5, 8, 11, 14) for p in (1, start, start + 1))])

#: Knuckles (4, 3) [m].
KNUCKLES = np.array([[0.0, 25.0, 90.0], [-3.0, 3.0, 93.0], [-1.0, -17.0, 87.0], [4.0, -35.0, 77.0]]) * 1e-3
#: Lengths (4, 3) [m] from knuckle to the end of the flesh.
FINGER_BONES = np.array([[42.0, 25.0, 25.0], [46.0, 29.0, 26.5], [42.5, 27.0, 26.0], [33.5, 20.0, 23.0]]) * 1e-3
#: [m] that a fingertip keypoint lies inside the flesh.
TIP_DEPTH = 0.005
#: Spread (4) [rad] towards the index side at rest: wide enough that the skin of neighbours does not merge.
REST_SPREAD = np.deg2rad([9.0, 1.0, -7.0, -16.0])
#: Turn (4) [rad] of the axes that fingers bend about, around the bones: fingers converge when they close.
AXIS_TURN = np.deg2rad([4.0, 0.0, -4.0, -9.0])
#: Radii (4, 4) [m] at knuckle, middle joint, end joint and tip.
FINGER_RADII = (
    np.array([[10.6, 9.4, 8.2, 7.0], [10.8, 9.6, 8.4, 7.2], [10.2, 9.1, 7.9, 6.8], [9.0, 7.9, 7.0, 6.0]]) * 1e-3
)

THUMB_ROOT = np.array([9.0, 20.0, 20.0]) * 1e-3
#: Lengths (3) [m] of metacarpal, proximal and distal bone, the last to the end of the flesh.
THUMB_BONES = np.array([46.0, 33.0, 31.0]) * 1e-3
#: Directions (3, 3) of the thumb's bones at rest, beside the palm.
THUMB_REST = np.array([[0.36, 0.70, 0.60], [0.28, 0.56, 0.78], [0.24, 0.48, 0.84]])
#: Where the thumb bends to: towards the little finger, somewhat out of the palm.
THUMB_BEND = np.array([0.5, -0.85, 0.1])
#: Radii (4) [m] at root, knuckle, end joint and tip.
THUMB_RADII = np.array([14.5, 12.0, 10.4, 8.6]) * 1e-3

#: [m] of forearm that is shown.
FOREARM_LENGTH = 0.26


@dataclass(frozen=True)
class Joint:
    """A hinge: it turns one bone, and what hangs on it, about a fixed line of the rest pose."""

    name: str
    """As in ``JOINT_NAMES``."""
    bone: int
    """Position in ``BONES`` of what it turns."""
    origin: np.ndarray
    """(3) [m] a point on the line."""
    axis: np.ndarray
    """(3) unit vector along it; a positive angle bends, opposes, or spreads towards the index side."""
    limits: tuple[float, float]
    """[rad] smallest and largest angle; 0 is the rest pose."""


def unit(vector: np.ndarray) -> np.ndarray:
    """Vectors (…, 3) made one long."""
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def finger_direction(finger: int) -> np.ndarray:
    """(3) unit vector from knuckle to tip at rest."""
    return np.array([0.0, np.sin(REST_SPREAD[finger]), np.cos(REST_SPREAD[finger])])


def rest_chain(digit: str) -> np.ndarray:
    """(4, 3) [m] points of a digit at rest: its three joints, then the end of its flesh."""
    if digit == "thumb":
        steps = unit(THUMB_REST) * THUMB_BONES[:, None]
        return np.concatenate([THUMB_ROOT[None], THUMB_ROOT + np.cumsum(steps, axis=0)])
    finger = FINGERS.index(digit)
    along = np.concatenate([[0.0], np.cumsum(FINGER_BONES[finger])])
    return KNUCKLES[finger] + along[:, None] * finger_direction(finger)


def rest_keypoints() -> np.ndarray:
    """(21, 3) [m] at rest, in ``KEYPOINT_NAMES`` order."""
    points = [np.zeros((1, 3))]
    for digit in DIGITS:
        chain = rest_chain(digit)
        chain[3] -= TIP_DEPTH * unit(chain[3] - chain[2])
        points.append(chain)
    return np.concatenate(points)


#: (21) position in ``BONES`` of what each keypoint is fixed to.
KEYPOINT_BONES = np.array([1, *(b for start in (2, 5, 8, 11, 14) for b in (start, start + 1, start + 2, start + 2))])


def _finger_joints(finger: int) -> list[Joint]:
    name, chain, along = FINGERS[finger], rest_chain(FINGERS[finger]), finger_direction(finger)
    out = np.array([1.0, 0.0, 0.0])
    bend = np.cross(along, out)
    bend = np.cos(AXIS_TURN[finger]) * bend + np.sin(AXIS_TURN[finger]) * out
    bone = BONES.index(f"{name}_proximal")
    limits = {"spread": (-25, 25), "knuckle": (-30, 90), "middle": (-5, 105), "end": (-5, 80)}
    return [
        Joint(f"{name}_spread", bone, chain[0], -out, _radians(limits["spread"])),
        Joint(f"{name}_knuckle", bone, chain[0], bend, _radians(limits["knuckle"])),
        Joint(f"{name}_middle", bone + 1, chain[1], bend, _radians(limits["middle"])),
        Joint(f"{name}_end", bone + 2, chain[2], bend, _radians(limits["end"])),
    ]


def _thumb_joints() -> list[Joint]:
    chain, directions = rest_chain("thumb"), unit(THUMB_REST)
    bends = unit(np.cross(directions, THUMB_BEND))
    bone = BONES.index("thumb_metacarpal")
    return [
        Joint("thumb_opposition", bone, chain[0], np.array([0.0, 0.0, -1.0]), _radians((-20, 95))),
        Joint("thumb_root", bone, chain[0], bends[0], _radians((-25, 30))),
        Joint("thumb_twist", bone, chain[0], directions[0], _radians((-30, 30))),
        Joint("thumb_knuckle", bone + 1, chain[1], bends[1], _radians((-10, 60))),
        Joint("thumb_end", bone + 2, chain[2], bends[2], _radians((-15, 80))),
    ]


def _wrist_joints() -> list[Joint]:
    # These turn the forearm under the hand: the hand is what a task places.
    return [
        Joint("wrist_bend", 0, np.zeros(3), np.array([0.0, -1.0, 0.0]), _radians((-70, 80))),
        Joint("wrist_tilt", 0, np.zeros(3), np.array([1.0, 0.0, 0.0]), _radians((-35, 20))),
    ]


def _radians(degrees: tuple[int, int]) -> tuple[float, float]:
    return float(np.deg2rad(degrees[0])), float(np.deg2rad(degrees[1]))


#: Every joint; of those that turn the same bone, an earlier one carries a later one.
JOINTS = (*_wrist_joints(), *_thumb_joints(), *(joint for finger in range(4) for joint in _finger_joints(finger)))
JOINT_NAMES = tuple(joint.name for joint in JOINTS)
#: (J, 2) [rad]
LIMITS = np.array([joint.limits for joint in JOINTS])
