"""Bones, joints and thicknesses of an adult right hand, and how they differ from person to person.

In:  nothing.   Out: rest positions, lengths, radii, ranges of motion, and the standard deviations of a person's proportions.
Not here: moving it (skeleton), finding a person's proportions (fit).

The hand frame has its origin in the wrist, x to the thumb's side, y to the fingers, z out of the palm.
Lengths of metacarpals and phalanges are the means of Buryanov and Kotiuk (Int. J. Morphol. 28(3), 2010; radiographs of 66
adults); a fingertip is the end of its last bone. The carpus, 30 mm, makes the hand 187 mm long, the mean of men and women
of ANSUR II (Gordon et al., NATICK/TR-15/007, 2014); the bones' fan makes it 80 mm broad. Radii are half of usual finger
breadths. All of it is only where the estimate of a person starts.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import KEYPOINT_NAMES

DIGITS = ("thumb", "index", "middle", "ring", "little")
#: Metacarpal bases of the fingers (4, 3) [m] and their directions from y towards the thumb (4) [deg].
_BASES = np.array([[11.0, 27.0, 0.0], [0.0, 30.0, 0.0], [-9.0, 28.0, 0.0], [-17.0, 25.0, 2.0]]) * 1e-3
_FAN_DEG = np.array([11.0, 2.0, -10.0, -20.0])
_METACARPALS = np.array([68.1, 64.6, 58.0, 53.7]) * 1e-3
_KNUCKLES = _BASES + _METACARPALS[:, None] * np.stack(
    (np.sin(np.deg2rad(_FAN_DEG)), np.cos(np.deg2rad(_FAN_DEG)), np.array([0.0, -0.02, 0.0, 0.06])), axis=-1
)
_THUMB_ROOT = np.array([22.0, 18.0, 12.0]) * 1e-3
#: (5, 3) [m] where each digit's first joint is in the palm.
ROOTS = np.concatenate((_THUMB_ROOT[None], _KNUCKLES))
#: (5, 3) [m] lengths of the three bones of each digit; the thumb's first is its metacarpal.
BONES = (
    np.array([[46.2, 31.6, 21.7], [39.8, 22.4, 15.8], [44.6, 26.3, 17.4], [41.4, 25.7, 17.3], [32.7, 18.1, 16.0]])
    * 1e-3
)
#: Points of the palm (9, 3) [m]: wrist, first joints of the digits, metacarpal bases of index, ring and little finger.
PALM = np.concatenate((np.zeros((1, 3)), ROOTS, _BASES[[0, 2, 3]]))

_Y_THUMB = np.array([0.68, 0.62, 0.39]) / np.linalg.norm([0.68, 0.62, 0.39])
_BEND = np.array([-0.85, 0.10, 0.50])
_Z_THUMB = (_BEND - (_BEND @ _Y_THUMB) * _Y_THUMB) / np.linalg.norm(_BEND - (_BEND @ _Y_THUMB) * _Y_THUMB)
_REST_SPREAD_DEG = np.array([7.0, 1.0, -5.0, -13.0])
#: Turn of each finger's bending axis about its first bone: they converge when they close [deg].
_TWIST_DEG = np.array([-4.0, 0.0, 4.0, 9.0])


def _about_z(degrees: float) -> np.ndarray:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


#: (5, 3, 3) frame of each digit at rest: y along it, z where it bends to.
REST = np.stack(
    [np.stack((np.cross(_Y_THUMB, _Z_THUMB), _Y_THUMB, _Z_THUMB), axis=-1), *(_about_z(-a) for a in _REST_SPREAD_DEG)]
)
#: (5) [rad] constant turn about each digit's first bone; the thumb's is a joint.
TWIST = np.deg2rad(np.concatenate(([0.0], _TWIST_DEG)))

#: Joints (21): five of the thumb, four of each finger. A positive angle bends; ``spread`` is towards the thumb, and the
#: thumb's away from the fingers.
JOINT_NAMES = (
    *(f"thumb_{part}" for part in ("spread", "twist", "root", "knuckle", "end")),
    *(f"{finger}_{part}" for finger in DIGITS[1:] for part in ("spread", "knuckle", "middle", "end")),
)
_FINGER_USUAL, _FINGER_SIGMA = (0.0, 28.0, 32.0, 18.0), (9.0, 30.0, 32.0, 20.0)
#: (21) [rad] usual angles and their standard deviations: wide, from everyday grasps.
USUAL = np.deg2rad(np.array([0.0, 0.0, 8.0, 14.0, 14.0, *_FINGER_USUAL * 4]))
USUAL_SIGMA = np.deg2rad(np.array([22.0, 20.0, 25.0, 18.0, 24.0, *_FINGER_SIGMA * 4]))
_FINGER_LIMITS = ((-22.0, 22.0), (-30.0, 92.0), (-6.0, 110.0), (-8.0, 80.0))
#: (21, 2) [rad] ranges of motion: American Academy of Orthopaedic Surgeons (Joint Motion, 1965), a little widened.
LIMITS = np.deg2rad(
    np.array([(-45.0, 45.0), (-50.0, 50.0), (-40.0, 65.0), (-15.0, 65.0), (-20.0, 85.0), *_FINGER_LIMITS * 4])
)

#: A person's proportions, as logarithms of factors (9) and their standard deviations: overall size, palm length and width,
#: length of each digit, thickness. Those of single bones in the same radiographs are 7 to 12 %, size included.
SHAPE_NAMES = ("size", "palm_length", "palm_width", *(f"{digit}_length" for digit in DIGITS), "thickness")
SHAPE_SIGMA = np.array([0.08, 0.05, 0.05, 0.06, 0.06, 0.06, 0.06, 0.06, 0.08])

#: (21) radii [m] at the keypoints; 0 where flesh does not follow them.
RADII = (
    np.array(
        [13.5, 14.0, 11.5, 10.0, 8.2]
        + [10.6, 9.2, 7.9, 6.6]
        + [10.8, 9.4, 8.1, 6.8]
        + [10.2, 8.8, 7.6, 6.4]
        + [9.2, 7.8, 6.8, 5.8]
    )
    * 1e-3
)
_PALM_RADIUS = 0.0125
#: Points of the hand: the 21 keypoints, then metacarpal bases of index, ring and little finger.
POINT_RADII = np.concatenate((RADII, [_PALM_RADIUS] * 3))
_K = KEYPOINT_NAMES.index
_MCP = [_K(f"{finger}_mcp") for finger in DIGITS[1:]]
#: (C, 2) points between which flesh is a capsule, each end as thick as its point.
CAPSULES = np.array(
    [(first + k, first + k + 1) for first in range(1, 21, 4) for k in range(3)]
    + [(21, _MCP[0]), (0, _MCP[1]), (22, _MCP[2]), (23, _MCP[3])]
    + [(_MCP[0], _MCP[1]), (_MCP[1], _MCP[2]), (_MCP[2], _MCP[3]), (21, 23), (_K("thumb_cmc"), _MCP[0])]
    + [(_K("thumb_mcp"), _MCP[0])]
)
