"""LEAP Hand (right) of capsules, on the iiwa's flange.

In:  nothing.   Out: ``Description`` iiwa14_leap.
Not here: the left hand (h2s2r_retarget mirrors the right one when it is loaded).
"""

from __future__ import annotations

import numpy as np
from description import Description, Joint, Link
from iiwa14 import iiwa14
from solids import Solid, box, capsule, cylinder

SOURCES = """
Hand. Joint places, axes, limits, speed 8.48 rad/s and torque 0.95 N·m: dex-urdf's leap_hand, with which
mujoco_menagerie agrees to the millimetre, except that it gives the second and third thumb joint other limits
(-0.349..2.094 and -0.47..2.443 instead of -0.47..2.443 and -1.20..1.90). Masses: mujoco_menagerie, 0.746 kg together.
leap_base is the frame palm_lower of these models: fingers along x, palm facing -z. Joints are named after what they do;
the numbers of the LEAP drivers are, in our order, 1 0 2 3, 5 4 6 7, 9 8 10 11, 12 13 14 15. Shapes, inertias and the
mount (as the Allegro Hand's, its bracket taken to weigh the same) are ours.
"""

_SPEED, _TORQUE = 8.48, 0.95
_HALF_TURN = np.pi / 2
_FINGER_JOINTS = ("mcp_flex", "mcp_side", "pip", "dip")
_FINGER_LIMITS = ((-0.314, 2.23), (-1.047, 1.047), (-0.506, 1.885), (-0.366, 2.042))
_FINGER_MASSES = (0.044, 0.032, 0.037, 0.016)
_THUMB_JOINTS = ("cmc", "axial", "mcp", "ip")
_THUMB_LIMITS = ((-0.349, 2.094), (-0.47, 2.443), (-1.20, 1.90), (-1.34, 1.88))
_THUMB_MASSES = (0.032, 0.003, 0.038, 0.049)
_TIP_RADIUS = 0.011

#: Per finger link: a bracket and the motor on the back of the finger.
_FINGER_SOLIDS = (
    (
        capsule((0, 0.004, 0.0147), (-0.006, 0.02, 0.0147), 0.0105),
        capsule((-0.026, 0.032, 0.015), (-0.026, 0.05, 0.015), 0.0125),
    ),
    (capsule((-0.001, 0, -0.011), (0.013, 0, -0.011), 0.0125),),
    (capsule((0.001, -0.006, 0.015), (0.007, -0.035, 0.015), 0.0125),),
    (capsule((0, -0.007, 0.0148), (0, -0.037, 0.015), _TIP_RADIUS),),
)
_THUMB_SOLIDS = (
    (capsule((-0.014, 0, -0.011), (0, 0, -0.011), 0.0125),),
    (capsule((0, -0.009, -0.007), (0, 0.009, -0.007), 0.008),),
    (capsule((-0.002, 0.002, -0.014), (-0.003, 0.034, -0.014), 0.0125),),
    (
        capsule((0.003, -0.002, -0.0145), (0.002, -0.03, -0.0145), 0.0125),
        capsule((0, -0.03, -0.015), (0, -0.049, -0.015), _TIP_RADIUS),
    ),
)


def iiwa14_leap() -> Description:
    """The whole robot."""
    robot = iiwa14("iiwa14_leap", SOURCES)
    bracket = (capsule((0.02, 0, 0.02), (-0.05, 0, 0.02), 0.018), capsule((0, 0, 0.01), (0.015, 0, 0.01), 0.032))
    seen = ((cylinder((0, 0, 0), (0, 0, 0.012), 0.035), "grey"), (box((-0.01, 0, 0.018), (0.1, 0.05, 0.02)), "grey"))
    robot.add(Joint("bracket_joint", "iiwa14_flange", "bracket"), Link("bracket", 0.4375, bracket, seen=seen))
    # The palm frame stands in the middle of the middle finger's first axis; leap_base is placed so that it comes to
    # (-0.14, 0, 0.0325) m in the flange, as the Allegro Hand's does.
    palm_in_base = np.array([-0.0071, -0.0374, -0.0187])
    x, y, z = np.array([-0.14, 0, 0.0325]) - np.array([-palm_in_base[0], palm_in_base[1], -palm_in_base[2]])
    motors = tuple(capsule((-0.009, y, -0.017), (-0.009, y, -0.005), 0.0125) for y in (0.008, -0.037, -0.082))
    palm = (
        *motors,
        capsule((-0.036, -0.078, -0.0115), (-0.036, 0.008, -0.0115), 0.018),
        capsule((-0.058, -0.072, -0.0115), (-0.058, 0.004, -0.0115), 0.02),
        capsule((-0.08, -0.06, -0.0115), (-0.08, -0.044, -0.0115), 0.02),
    )
    robot.add(
        Joint("leap_base_joint", "iiwa14_flange", "leap_base", xyz=(x, y, z), rpy=(0, np.pi, 0)),
        Link("leap_base", 0.237, palm, colour="dark"),
    )
    robot.add(Joint("palm_joint", "leap_base", "palm", xyz=palm_in_base, rpy=(0, _HALF_TURN, 0)), Link("palm"))
    for finger, xyz in (
        ("index", (-0.0070, 0.0230, -0.0187)),
        ("middle", (-0.0071, -0.0224, -0.0187)),
        ("ring", (-0.00709, -0.0678, -0.0187)),
    ):
        _add_finger(robot, finger, xyz)
    _add_thumb(robot)
    return robot


def _add_finger(robot: Description, finger: str, xyz: tuple[float, float, float]) -> None:
    places = (
        (xyz, (_HALF_TURN, _HALF_TURN, 0)),
        ((-0.0122, 0.0381, 0.0145), (-_HALF_TURN, 0, _HALF_TURN)),
        ((0.015, 0.0143, -0.013), (_HALF_TURN, -_HALF_TURN, 0)),
        ((0, -0.0361, 0.0002), (0, 0, 0)),
    )
    last = _add_chain(robot, finger, places, _FINGER_JOINTS, _FINGER_LIMITS, _FINGER_MASSES, _FINGER_SOLIDS)
    _add_tip(robot, finger, last, (0, -0.048 + _TIP_RADIUS, 0.015))


def _add_thumb(robot: Description) -> None:
    places = (
        ((-0.0693, -0.0012, -0.0216), (0, _HALF_TURN, 0)),
        ((0, 0.0143, -0.013), (_HALF_TURN, -_HALF_TURN, 0)),
        ((0, 0.0145, -0.017), (-_HALF_TURN, 0, 0)),
        ((0, 0.0466, 0.0002), (0, 0, np.pi)),
    )
    last = _add_chain(robot, "thumb", places, _THUMB_JOINTS, _THUMB_LIMITS, _THUMB_MASSES, _THUMB_SOLIDS)
    _add_tip(robot, "thumb", last, (0, -0.060 + _TIP_RADIUS, -0.015))


def _add_chain(robot: Description, finger: str, places, names, limits, masses, solids) -> str:
    parent = "leap_base"
    for index, (xyz, rpy) in enumerate(places):
        joint = Joint(
            f"{finger}_{names[index]}",
            parent,
            f"{finger}_link_{index}",
            xyz,
            rpy,
            "revolute",
            (0, 0, -1),
            limits[index],
            _SPEED,
            _TORQUE,
        )
        robot.add(joint, Link(joint.child, masses[index], solids[index], seen=_seen(solids[index], index)))
        parent = joint.child
    return parent


def _seen(solids: tuple[Solid, ...], index: int) -> tuple[tuple[Solid, str], ...]:
    if index == 3:
        return (*((solid, "dark") for solid in solids[:-1]), (solids[-1], "rubber"))
    return tuple((solid, "dark") for solid in solids)


def _add_tip(robot: Description, finger: str, parent: str, xyz: tuple[float, float, float]) -> None:
    """The centre of the round tip, one radius behind the published tip end (the "tip head")."""
    tip = f"fingertip_{finger}"
    robot.add(Joint(f"{tip}_joint", parent, tip, xyz=xyz), Link(tip))
