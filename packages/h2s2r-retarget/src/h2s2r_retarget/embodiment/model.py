"""A robot as retargeting, simulation and policies see it: all of it data.

In:  nothing.   Out: ``Embodiment``.
Not here: reading it from a folder (load), distances between its links (collision).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from h2s2r_retarget.embodiment.links import LinkBody, read_links
from h2s2r_retarget.kinematics import Chain, UrdfModel, read_urdf
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.robots import RobotSpec


@dataclass(frozen=True, eq=False)
class Embodiment:
    """A robot arm and hand (or gripper, or a hand alone): J joints, the first of them the arm's, and F fingertips."""

    name: str
    """Short name, e.g. ``"iiwa14_allegro"``."""
    description: str
    """One sentence for people."""
    side: str
    """Which human hand it imitates: ``right``, ``left``, or ``none`` if it serves both."""
    urdf: str
    """The URDF text, mirrored if need be, with the limits of robot.toml written into it."""
    palm_frame: str
    """Link of the palm: x out of the palm, z towards the fingers; y = z × x, towards the index side of a right hand."""
    palm_offset: np.ndarray
    """(3) [m] in the palm frame: its origin belongs at the human middle knuckle plus this."""
    fingertip_frames: tuple[str, ...]
    """(F) links at the fingertips' centres of contact."""
    fingertip_weights: np.ndarray
    """(F, 21) how much each human keypoint counts in each fingertip's target; rows sum to 1."""
    joint_names: tuple[str, ...]
    """(J) commanded joints, arm first."""
    num_arm_joints: int
    """How many of the first joints are the arm's."""
    position_lower: np.ndarray
    """(J) [rad; m for a slide], narrowed by joints that mimic."""
    position_upper: np.ndarray
    """(J) [rad; m]"""
    velocity_limit: np.ndarray
    """(J) [rad/s; m/s]"""
    acceleration_limit: np.ndarray
    """(J) [rad/s²; m/s²]"""
    jerk_limit: np.ndarray
    """(J) [rad/s³; m/s³]"""
    torque_limit: np.ndarray
    """(J) [N·m; N]"""
    home: np.ndarray
    """(J) [rad; m] resting configuration."""
    kp: np.ndarray
    """(J) [N·m/rad; N/m] stiffness of the position controller."""
    kd: np.ndarray
    """(J) [N·m·s/rad; N·s/m] damping of the position controller."""
    synergy_names: tuple[str, ...]
    """(S) names of the synergies."""
    synergies: np.ndarray
    """(S, H) [rad; m] movement of the hand's H joints at synergy coordinate 1; coordinates run from -1 to 1."""
    collision_exclusions: tuple[tuple[str, str], ...]
    """Pairs of links that may overlap."""
    collision_never: tuple[tuple[str, str], ...]
    """Pairs of links that no posture brings together: simulation need not look at them in every step."""
    collision_capsules: tuple[tuple[str, tuple[float, ...], tuple[float, ...], float], ...]
    """Capsules of robot.toml: link, start and end (3) [m] in the link, radius [m]; they replace the URDF's shapes."""

    @property
    def arm_joint_names(self) -> tuple[str, ...]:
        """The arm's joints."""
        return self.joint_names[: self.num_arm_joints]

    @property
    def hand_joint_names(self) -> tuple[str, ...]:
        """(H) the hand's joints."""
        return self.joint_names[self.num_arm_joints :]

    @cached_property
    def model(self) -> UrdfModel:
        """Links and joints of the URDF."""
        return read_urdf(self.urdf)

    @cached_property
    def links(self) -> dict[str, LinkBody]:
        """Mass, inertia and shapes of every link."""
        return read_links(self.urdf)

    @property
    def hand_root(self) -> str:
        """The link that the whole hand hangs from: the last that the arm moves; the root of a hand without an arm."""
        depth = {name: len(self.model.path(self.model.joint(name).child)) for name in self.arm_joint_names}
        return self.model.joint(max(depth, key=lambda name: depth[name])).child if depth else self.model.root

    @cached_property
    def chain(self) -> Chain:
        """Palm and fingertips, moved by ``joint_names``."""
        return self.chain_of((self.palm_frame, *self.fingertip_frames))

    def chain_of(self, frames: Sequence[str]) -> Chain:
        """Any links, moved by ``joint_names``."""
        return Chain(self.model, frames, joint_names=self.joint_names)

    def fingertip_targets(self, keypoints: Array) -> Array:
        """Where human keypoints (…, 21, 3) [m] want the fingertips: (…, F, 3) [m], in the same frame."""
        return arrays.like(self.fingertip_weights, keypoints) @ keypoints

    def spec(self) -> RobotSpec:
        """What others need to know of it."""
        return RobotSpec(
            name=self.name,
            side=self.side,
            joint_names=self.joint_names,
            num_arm_joints=self.num_arm_joints,
            position_lower=self.position_lower,
            position_upper=self.position_upper,
            velocity_limit=self.velocity_limit,
            acceleration_limit=self.acceleration_limit,
            jerk_limit=self.jerk_limit,
            torque_limit=self.torque_limit,
            home=self.home,
            base_frame=self.model.root,
            palm_frame=self.palm_frame,
            fingertip_frames=self.fingertip_frames,
        )
