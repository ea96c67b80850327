"""What a robot is, to everyone who commands or simulates it: joints by name, limits, frames.

In:  a robot description.   Out: ``RobotSpec``, and arrays put in its joint order.
Not here: geometry and kinematics (retarget), gains and drivers (sim, hw).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.encoding import encode
from h2s2r_schemas.codec.message import Message, field, message
from h2s2r_schemas.codec.specs import IntSpec, TextSpec, TextsSpec
from h2s2r_schemas.errors import SchemaError


@message("h2s2r.RobotSpec", version=1)
class RobotSpec(Message):
    """Joints in their order, their limits, and the frames that others name."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name, e.g. ``"iiwa14_allegro"``."""
    side: str = field(TextSpec(("left", "right", "none")))
    """Which hand it imitates; ``none`` for a gripper that serves both."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) commanded joints, arm first; gives every (…, J) array its order."""
    num_arm_joints: int = field(IntSpec())
    """How many of the first joints are the arm's; the others are the hand's."""
    position_lower: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m for a sliding joint] smallest position."""
    position_upper: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m] largest position."""
    velocity_limit: np.ndarray = field(ArraySpec(("J",), unit="rad/s or m/s", minimum=0.0))
    """(J) [rad/s; m/s] largest speed."""
    acceleration_limit: np.ndarray = field(ArraySpec(("J",), unit="rad/s² or m/s²", minimum=0.0))
    """(J) [rad/s²; m/s²] largest acceleration."""
    jerk_limit: np.ndarray = field(ArraySpec(("J",), unit="rad/s³ or m/s³", minimum=0.0))
    """(J) [rad/s³; m/s³] largest jerk."""
    torque_limit: np.ndarray = field(ArraySpec(("J",), unit="N·m or N", minimum=0.0))
    """(J) [N·m; N] largest torque."""
    home: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m] resting configuration."""
    base_frame: str = field(TextSpec(empty=False, max_length=128))
    """Link that is the world's origin."""
    palm_frame: str = field(TextSpec(empty=False, max_length=128))
    """Link of the palm: x out of the palm, z towards the fingers; y = z × x, to the index side of a right hand."""
    fingertip_frames: tuple[str, ...] = field(TextsSpec("F"))
    """(F) links of the fingertips."""

    def check(self) -> None:
        if not 0 <= self.num_arm_joints <= len(self.joint_names):
            raise SchemaError(f"{self.num_arm_joints} arm joints of {len(self.joint_names)}.")
        below = (self.position_lower > self.home) | (self.home > self.position_upper)
        if below.any():
            at = int(np.argmax(below))
            raise SchemaError(
                f"Home of {self.joint_names[at]} is {self.home[at]}; its limits are "
                f"[{self.position_lower[at]}, {self.position_upper[at]}]."
            )

    @property
    def arm_joint_names(self) -> tuple[str, ...]:
        """Names of the arm's joints."""
        return self.joint_names[: self.num_arm_joints]

    @property
    def hand_joint_names(self) -> tuple[str, ...]:
        """Names of the hand's joints."""
        return self.joint_names[self.num_arm_joints :]

    def hash(self) -> str:
        """Short hash of everything in here: two sides that agree on it agree on joint order and limits."""
        return hashlib.sha256(encode(self)).hexdigest()[:16]

    def order(self, values: np.ndarray, joint_names: Sequence[str]) -> np.ndarray:
        """``values`` (…, len(joint_names)) put into this robot's joint order (…, J).

        Raises:
            SchemaError: a joint is missing, unknown or named twice.
        """
        missing = [name for name in self.joint_names if name not in joint_names]
        unknown = [name for name in joint_names if name not in self.joint_names]
        if missing or unknown or len(set(joint_names)) != len(joint_names):
            raise SchemaError(
                f"These are not the joints of {self.name}: missing {missing}, unknown {unknown}, given {list(joint_names)}."
            )
        if values.shape[-1:] != (len(joint_names),):
            raise SchemaError(f"Values of shape {values.shape} for {len(joint_names)} joints.")
        index = [list(joint_names).index(name) for name in self.joint_names]
        return values[..., index]
