"""Wonik Allegro Hand (version 4, right) of capsules, on the iiwa's flange.

In:  nothing.   Out: ``Description`` iiwa14_allegro.
Not here: the left hand (h2s2r_retarget mirrors the right one when it is loaded).
"""

from __future__ import annotations

import numpy as np
from description import Description, Joint, Link
from iiwa14 import iiwa14
from solids import box, capsule, cylinder

SOURCES = """
Hand. Joint places, axes and limits: example-robot-data, dex-urdf and mujoco_menagerie agree on them for versions 3 and 4.
Its base frame is the palm frame of our conventions. Masses: example-robot-data. Speed: 6.28 rad/s as in cuRobo's model
(URDFs say 3.14, 6.28 or 7; none is a data sheet). Torque: where the vendor's version 4 driver clamps each joint
(PWM 375, 675, 450, 285; thumb 525, 405, 270, 270 at 1200 PWM per N·m). Mount: the bracket of HUMAN2SIM2ROBOT, hand
sideways on the flange so that the palm faces along the flange axis: (-0.14, 0, 0.0325) m, pitch -90°, 0.4375 kg.
Shapes are ours, from the boxes of mujoco_menagerie. Published inertias break the triangle inequality: ours are computed.
"""

_SPEED = 6.283
_HALF_TURN = np.pi / 2
_FINGER_TORQUES = (375 / 1200, 675 / 1200, 450 / 1200, 285 / 1200)
_THUMB_TORQUES = (525 / 1200, 405 / 1200, 270 / 1200, 270 / 1200)
_FINGER_LIMITS = ((-0.47, 0.47), (-0.196, 1.61), (-0.174, 1.709), (-0.227, 1.618))
_THUMB_LIMITS = ((0.263, 1.396), (-0.105, 1.163), (-0.189, 1.644), (-0.162, 1.719))
_FINGER_MASSES = (0.0119, 0.065, 0.0355, 0.0096 + 0.0168)
_THUMB_MASSES = (0.0176, 0.0119, 0.038, 0.0388 + 0.0168)

_FINGER_SOLIDS = (
    capsule((0, 0, 0.005), (0, 0, 0.011), 0.012),
    capsule((0, 0, 0.006), (0, 0, 0.047), 0.0125),
    capsule((0, 0, 0.005), (0, 0, 0.0325), 0.0125),
    capsule((0, 0, 0.004), (0, 0, 0.0267), 0.012),
)
_THUMB_SOLIDS = (
    capsule((-0.012, 0.004, 0.006), (-0.027, 0.005, 0.028), 0.013),
    capsule((0, 0, 0.001), (0, 0, 0.012), 0.013),
    capsule((0, 0, 0.006), (0, 0, 0.045), 0.0125),
    capsule((0, 0, 0.004), (0, 0, 0.0423), 0.012),
)


def iiwa14_allegro() -> Description:
    """The whole robot."""
    robot = iiwa14("iiwa14_allegro", SOURCES)
    bracket = (capsule((0.02, 0, 0.022), (-0.05, 0, 0.022), 0.02), capsule((0, 0, 0.01), (0.015, 0, 0.01), 0.032))
    seen = (
        (cylinder((0, 0, 0), (0, 0, 0.012), 0.035), "dark"),
        (box((-0.01, 0, 0.022), (0.09, 0.05, 0.024)), "dark"),
    )
    robot.add(
        Joint("bracket_joint", "iiwa14_flange", "bracket"),
        Link("bracket", 0.4375, bracket, seen=seen),
    )
    palm_solids = tuple(
        capsule((-0.0093, y, -0.0746), (-0.0093, y, -0.0204), 0.0204) for y in np.arange(-2, 3) * 0.01805
    )
    palm_seen = (
        (box((-0.0093, 0, -0.0475), (0.0388, 0.113, 0.095)), "dark"),
        (box((0.0105, 0, -0.045), (0.0025, 0.09, 0.07)), "grey"),
    )
    robot.add(
        Joint("palm_joint", "iiwa14_flange", "palm", xyz=(-0.14, 0, 0.0325), rpy=(0, -_HALF_TURN, 0)),
        Link("palm", 0.4154, palm_solids, seen=palm_seen),
    )
    splay = 0.0873
    _add_finger(robot, "index", (0, 0.0435, -0.001542), (-splay, 0, 0))
    _add_finger(robot, "middle", (0, 0, 0.0007), (0, 0, 0))
    _add_finger(robot, "ring", (0, -0.0435, -0.001542), (splay, 0, 0))
    _add_thumb(robot)
    return robot


def _add_finger(robot: Description, finger: str, xyz: tuple, rpy: tuple) -> None:
    places = ((xyz, rpy), ((0, 0, 0.0164), (0, 0, 0)), ((0, 0, 0.054), (0, 0, 0)), ((0, 0, 0.0384), (0, 0, 0)))
    axes = ((0, 0, 1), (0, 1, 0), (0, 1, 0), (0, 1, 0))
    _add_chain(robot, finger, places, axes, _FINGER_LIMITS, _FINGER_TORQUES, _FINGER_MASSES, _FINGER_SOLIDS)
    _add_tip(robot, finger, 0.0267)


def _add_thumb(robot: Description) -> None:
    places = (
        ((-0.0182, 0.019333, -0.045987), (0, -1.6581, -_HALF_TURN)),
        ((-0.027, 0.005, 0.0399), (0, 0, 0)),
        ((0, 0, 0.0177), (0, 0, 0)),
        ((0, 0, 0.0514), (0, 0, 0)),
    )
    axes = ((-1, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 0))
    _add_chain(robot, "thumb", places, axes, _THUMB_LIMITS, _THUMB_TORQUES, _THUMB_MASSES, _THUMB_SOLIDS)
    _add_tip(robot, "thumb", 0.0423)


def _add_chain(robot: Description, finger: str, places, axes, limits, torques, masses, solids) -> None:
    parent = "palm"
    for index, (xyz, rpy) in enumerate(places):
        seen = ((solids[index], "rubber"),) if index == 3 else ((solids[index], "dark"),)
        joint = Joint(
            f"{finger}_joint_{index}",
            parent,
            f"{finger}_link_{index}",
            xyz,
            rpy,
            "revolute",
            axes[index],
            limits[index],
            _SPEED,
            torques[index],
        )
        robot.add(joint, Link(joint.child, masses[index], (solids[index],), seen=seen))
        parent = joint.child


def _add_tip(robot: Description, finger: str, z: float) -> None:
    """The centre of the round tip (radius 12 mm), which lies 12 mm behind the end of the published model."""
    tip = f"fingertip_{finger}"
    robot.add(Joint(f"{tip}_joint", f"{finger}_link_3", tip, xyz=(0, 0, z)), Link(tip))
