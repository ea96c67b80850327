"""A parallel gripper like that of UMI, of capsules, on the iiwa's flange.

In:  nothing.   Out: ``Description`` iiwa14_umi.
Not here: the camera that UMI carries.
"""

from __future__ import annotations

import numpy as np
from description import Description, Joint, Link
from iiwa14 import iiwa14
from solids import box, capsule

SOURCES = """
Gripper. Two slides of 0 to 0.05 m along one axis and 0.080 kg per finger: mujoco_menagerie's umi_gripper (its open end is our
0.05, so that positions measure opening). The second finger mimics the first. Shapes, the 1.2 kg of the body, speed 0.2 m/s
and force 40 N per finger are ours, of the class of the electric grippers used with UMI.
The palm frame is chosen for retargeting: between a human thumb tip and the mean of index and middle tip in a grasp, the line
runs along z of the human palm frame (mean over 115 poses of a 21-keypoint hand: -0.06 0.05 0.81, length 59 mm), with its
middle at (0.066, 0.014, 0.026) m from the middle knuckle. So the gripper approaches along the palm's x, its "thumb" finger
stands at -z and the other at +z, and it serves right and left hands alike.
"""

_OPEN = 0.05
_SPEED, _FORCE = 0.2, 40.0
_PAD_RADIUS = 0.008
_TIP_HEIGHT = 0.165
_PALM_HEIGHT = 0.07


def iiwa14_umi() -> Description:
    """The whole robot. ``gripper_base`` has the flange's axes: approach along z, slides along x."""
    robot = iiwa14("iiwa14_umi", SOURCES)
    body = (
        capsule((-0.045, 0, 0.034), (0.045, 0, 0.034), 0.033),
        capsule((-0.06, 0, 0.058), (0.06, 0, 0.058), 0.012),
    )
    seen = (
        (box((0, 0, 0.034), (0.15, 0.06, 0.066)), "dark"),
        (box((0, 0, 0.064), (0.165, 0.03, 0.01)), "grey"),
    )
    robot.add(Joint("gripper_base_joint", "iiwa14_flange", "gripper_base"), Link("gripper_base", 1.2, body, seen=seen))
    robot.add(
        Joint("palm_joint", "gripper_base", "palm", xyz=(0, 0, _PALM_HEIGHT), rpy=(0, -np.pi / 2, 0)), Link("palm")
    )
    _add_finger(robot, "thumb", 1.0, mimics=None)
    _add_finger(robot, "index", -1.0, mimics="gripper_thumb")
    return robot


def _add_finger(robot: Description, finger: str, side: float, mimics: str | None) -> None:
    """A finger on the +x (1) or -x (-1) side; at position zero the pads touch in the plane x = 0."""
    pad = side * _PAD_RADIUS
    solids = (
        capsule((side * 0.022, 0, 0.082), (side * 0.018, 0, 0.115), 0.011),
        capsule((pad, -0.007, 0.11), (pad, -0.007, 0.17), _PAD_RADIUS),
        capsule((pad, 0.007, 0.11), (pad, 0.007, 0.17), _PAD_RADIUS),
    )
    seen = ((solids[0], "dark"), (solids[1], "orange"), (solids[2], "orange"))
    joint = Joint(
        f"gripper_{finger}",
        "gripper_base",
        f"{finger}_finger",
        kind="prismatic",
        axis=(side, 0, 0),
        limits=(0.0, _OPEN),
        velocity=_SPEED,
        effort=_FORCE,
        mimics=mimics,
    )
    robot.add(joint, Link(joint.child, 0.080, solids, seen=seen))
    tip = f"fingertip_{finger}"
    robot.add(Joint(f"{tip}_joint", joint.child, tip, xyz=(pad, 0, _TIP_HEIGHT)), Link(tip))
