"""One instant: the human hand just before contact, and the robot configuration that matches it.

In:  keypoints, joint positions.   Out: ``HandPose``, ``RobotPose``.
Not here: paths over time (trajectories).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec
from h2s2r_schemas.codec.message import Message, field, message
from h2s2r_schemas.codec.specs import FloatSpec, TextSpec, TextsSpec
from h2s2r_schemas.se3 import SE3

SIDES = ("left", "right")

#: The 21 keypoints in the order of MediaPipe, OpenPose and the usual hand data sets.
KEYPOINT_NAMES = ("wrist",) + tuple(
    f"{finger}_{joint}"
    for finger, joints in (
        ("thumb", ("cmc", "mcp", "ip", "tip")),
        ("index", ("mcp", "pip", "dip", "tip")),
        ("middle", ("mcp", "pip", "dip", "tip")),
        ("ring", ("mcp", "pip", "dip", "tip")),
        ("little", ("mcp", "pip", "dip", "tip")),
    )
    for joint in joints
)


@message("h2s2r.HandPose", version=1)
class HandPose(Message):
    """A human hand at one instant."""

    side: str = field(TextSpec(SIDES))
    """Which hand."""
    p_world_keypoints: np.ndarray = field(ArraySpec((len(KEYPOINT_NAMES), 3), unit="m"))
    """(21, 3) [m] in ``KEYPOINT_NAMES`` order, in the world."""
    confidence: np.ndarray = field(ArraySpec((len(KEYPOINT_NAMES),), minimum=0.0, maximum=1.0))
    """(21) per keypoint, 0 to 1; low where it is hidden."""
    time: float = field(FloatSpec(unit="s"), default=0.0)
    """[s] since the start of the recording."""


@message("h2s2r.RobotPose", version=1)
class RobotPose(Message):
    """A robot configuration that imitates a human hand, and how well it does."""

    robot_name: str = field(TextSpec(empty=False, max_length=128))
    """``RobotSpec.name`` of the robot."""
    robot_hash: str = field(TextSpec(max_length=64))
    """``RobotSpec.hash()`` of the robot it was made for."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) names that give the joint arrays their order."""
    joint_pos: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m for a sliding joint]."""
    at_limit: np.ndarray = field(ArraySpec(("J",), dtype="bool"))
    """(J) whether the joint stands at one of its limits."""
    wxyz_xyz_world_palm: np.ndarray = field(PoseSpec())
    """(7) palm pose reached, in the world."""
    palm_position_error: float = field(FloatSpec(0.0, unit="m"))
    """[m] from the palm target."""
    palm_rotation_error: float = field(FloatSpec(0.0, unit="rad"))
    """[rad] from the palm target."""
    fingertip_names: tuple[str, ...] = field(TextsSpec("F"))
    """(F) names of the robot's fingertips."""
    p_world_fingertips: np.ndarray = field(ArraySpec(("F", 3), unit="m"))
    """(F, 3) [m] fingertips reached, in the world."""
    fingertip_error: np.ndarray = field(ArraySpec(("F",), unit="m", minimum=0.0))
    """(F) [m] from each fingertip target."""
    fingertip_floor: np.ndarray = field(ArraySpec(("F",), unit="m", minimum=0.0))
    """(F) [m] smallest error this hand can reach from this palm pose: what exceeds it is the solver's, not the hand's."""

    @property
    def T_world_palm(self) -> SE3:
        """``wxyz_xyz_world_palm`` as a pose."""
        return SE3(self.wxyz_xyz_world_palm)
