"""KUKA LBR iiwa 14 R820 of capsules.

In:  nothing.   Out: a ``Description`` that ends in the link ``iiwa14_flange``.
Not here: what is mounted on it (allegro, leap, umi).
"""

from __future__ import annotations

import numpy as np
from description import Description, Joint, Link
from solids import Solid, box, capsule, cylinder, sphere

SOURCES = """
Arm. Joint places and axes: the published URDFs agree on d_bs 0.360, d_se 0.420, d_ew 0.400, d_wf 0.126 m and on the axes
z y z -y z y z at joint position zero, where the arm points straight up. The places of odd joints along their own axis
are free; these are those of mujoco_menagerie's kuka_iiwa_14 and pybullet_data's kuka_iiwa. Limits and speeds: KUKA's data
sheet as in lbr_fri_ros2_stack. Torques: KUKA's data sheet. Masses: lbr_fri_ros2_stack, together the 29.9 kg of the data
sheet. Shapes are ours: capsules around the sphere model of mujoco_menagerie, which follows the side steps of the real
links, so that no pair of links has to be excluded for the wrist to fold.
"""

#: Height [m] of each joint above the one before (first: above the base).
_STEPS = (0.1575, 0.2025, 0.2045, 0.2155, 0.1845, 0.2155, 0.081)
_FLANGE_STEP = 0.045
_AXES = ((0, 0, 1), (0, 1, 0), (0, 0, 1), (0, -1, 0), (0, 0, 1), (0, 1, 0), (0, 0, 1))
_LIMITS_DEG = (170.0, 120.0, 170.0, 120.0, 170.0, 120.0, 175.0)
_SPEEDS_DEG = (85.0, 85.0, 100.0, 75.0, 130.0, 135.0, 135.0)
_TORQUES = (320.0, 320.0, 176.0, 176.0, 110.0, 40.0, 40.0)
_MASSES = (7.050378, 5.289529, 5.688888, 3.461245, 4.122995, 1.563756, 2.457878, 0.265331)

_SOLIDS: tuple[tuple[Solid, ...], ...] = (
    (capsule((0, 0, 0.1), (0, 0, 0.115), 0.1), sphere((-0.09, 0, 0.075), 0.075)),
    (capsule((0, -0.004, 0.01), (0, -0.042, 0.115), 0.078),),
    (capsule((0, -0.012, 0), (0, 0.045, 0.005), 0.09), capsule((0, 0.045, 0.03), (0, 0, 0.17), 0.07)),
    (
        capsule((0, 0, 0.03), (0, 0.05, 0.125), 0.066),
        capsule((0, 0.05, 0.125), (0, 0.05, 0.2155), 0.066),
    ),
    (capsule((0, 0.012, 0), (0, -0.045, 0.005), 0.076), capsule((0, -0.045, 0.03), (0, 0, 0.15), 0.064)),
    (capsule((0, 0, 0.03), (0, -0.045, 0.1), 0.056), capsule((0, -0.062, 0.11), (0, -0.065, 0.1855), 0.038)),
    (capsule((0, -0.05, 0), (0, 0.018, 0), 0.066),),
    (capsule((0, 0, -0.015), (0, 0, 0), 0.045),),
)

#: What is seen besides the solids: the base plate, orange rings at the joints, the flange.
_SEEN: tuple[tuple[tuple[Solid, str], ...], ...] = (
    (
        (cylinder((0, 0, 0), (0, 0, 0.02), 0.125), "grey"),
        (cylinder((0, 0, 0.02), (0, 0, 0.15), 0.1), "white"),
        (box((-0.1, 0, 0.06), (0.13, 0.11, 0.11)), "grey"),
    ),
    ((cylinder((0, 0, -0.006), (0, 0, 0.006), 0.09), "orange"),),
    (
        (cylinder((0, -0.106, 0), (0, -0.096, 0), 0.05), "orange"),
        (cylinder((0, 0, 0.185), (0, 0, 0.2045), 0.07), "grey"),
    ),
    ((cylinder((0, 0, 0), (0, 0, 0.012), 0.073), "orange"),),
    (
        (cylinder((0, 0.08, 0), (0, 0.092, 0), 0.045), "orange"),
        (cylinder((0, 0, 0.165), (0, 0, 0.1845), 0.065), "grey"),
    ),
    ((cylinder((0, 0, 0), (0, 0, 0.012), 0.068), "orange"),),
    ((cylinder((0, 0.076, 0), (0, 0.087, 0), 0.04), "orange"),),
    ((cylinder((0, 0, -0.02), (0, 0, 0.03), 0.05), "white"), (cylinder((0, 0, 0.03), (0, 0, 0.045), 0.0315), "grey")),
)


def iiwa14(name: str, hand_sources: str) -> Description:
    """The arm, to which a hand is then added at ``iiwa14_flange``."""
    robot = Description(name, f"Made by authoring/make.py; do not edit.\n{SOURCES}{hand_sources}")
    for index, (mass, solids, seen) in enumerate(zip(_MASSES, _SOLIDS, _SEEN, strict=True)):
        shown = seen if index in (0, 7) else (*((solid, "white") for solid in solids), *seen)
        link = Link(f"iiwa14_link_{index}", mass, solids, seen=shown)
        if index == 0:
            robot.links.append(link)
            continue
        limit = float(np.deg2rad(_LIMITS_DEG[index - 1]))
        joint = Joint(
            f"iiwa14_joint_{index}",
            f"iiwa14_link_{index - 1}",
            link.name,
            xyz=(0, 0, _STEPS[index - 1]),
            kind="revolute",
            axis=_AXES[index - 1],
            limits=(-limit, limit),
            velocity=float(np.deg2rad(_SPEEDS_DEG[index - 1])),
            effort=_TORQUES[index - 1],
        )
        robot.add(joint, link)
    robot.add(
        Joint("iiwa14_flange_joint", "iiwa14_link_7", "iiwa14_flange", xyz=(0, 0, _FLANGE_STEP)), Link("iiwa14_flange")
    )
    return robot
