"""What retargeting found, and why it may refuse.

In:  joint positions and errors.   Out: ``Retargeted``, as arrays or as messages; the errors of this package.
Not here: finding them (retarget, trajectory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import RobotPose, RobotTrajectory
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3

#: [m] and [rad] within which a palm target counts as reached (requirement H11: 5 mm, 5°).
PALM_POSITION, PALM_ROTATION = 0.005, float(np.deg2rad(5.0))
#: [m] that a pose handed on as pre-manipulation pose may be inside anything (requirement H12: 1 mm).
MAX_PENETRATION = 0.001


class PalmUnreachableError(H2S2RError):
    """The arm cannot bring the palm where the human's was.

    Attributes:
        position_error: [m] what is left to go at the nearest configuration found.
        rotation_error: [rad] what is left to turn there.
    """

    def __init__(self, robot: str, position_error: float, rotation_error: float) -> None:
        super().__init__(
            f"{robot} misses the palm by {position_error * 1000:.0f} mm and {np.rad2deg(rotation_error):.0f}°; "
            f"{PALM_POSITION * 1000:.0f} mm and {np.rad2deg(PALM_ROTATION):.0f}° are allowed. "
            "Move the demonstration nearer to the robot's base, or give the robot another place."
        )
        self.position_error, self.rotation_error = position_error, rotation_error


class CollisionError(H2S2RError):
    """The configuration is inside itself or the scene.

    Attributes:
        penetration: [m] how deep.
    """

    def __init__(self, robot: str, pair: tuple[str, str], penetration: float, avoided: bool) -> None:
        remedy = (
            "The demonstration cannot be imitated here without touching: move it, or the scene."
            if avoided
            else "Ask for avoid_collisions=True (fit: --avoid-collisions), which trades accuracy for distance."
        )
        super().__init__(
            f"{robot}: {pair[0]} is {penetration * 1000:.1f} mm inside {pair[1]}; {MAX_PENETRATION * 1000:.0f} mm is allowed. "
            + remedy
        )
        self.penetration = penetration


@dataclass(frozen=True)
class Retargeted:
    """Robot configurations for a batch (…) of hands, and how close they come."""

    embodiment: Embodiment
    """Whose joints and fingertips these are."""
    joint_pos: np.ndarray
    """(…, J) [rad; m for a slide] in the order of ``embodiment.joint_names``, inside the limits."""
    Ts_world_palm: SE3
    """(…) palm reached."""
    palm_position_error: np.ndarray
    """(…) [m]."""
    palm_rotation_error: np.ndarray
    """(…) [rad]."""
    p_world_fingertips: np.ndarray
    """(…, F, 3) [m] fingertips reached."""
    fingertip_error: np.ndarray
    """(…, F) [m]."""
    fingertip_floor: np.ndarray
    """(…, F) [m] smallest error that this hand can reach from this palm."""
    at_limit: np.ndarray
    """(…, J) whether the joint stands at a limit."""
    penetration: np.ndarray
    """(…) [m] how deep the robot is in itself, a pinch included, or in the scene at worst; 0 for not at all."""
    colliding: np.ndarray
    """(…, 2) names of the two that penetrate most; empty where none do."""
    ok: np.ndarray
    """(…) whether the palm is where it was wanted; of a path also whether no joint jumped since the frame before."""

    def robot_pose(self) -> RobotPose:
        """The one configuration as a message.

        Raises:
            SchemaError: this is a batch.
        """
        if self.joint_pos.ndim != 1:
            raise SchemaError(f"A RobotPose is one configuration; these are {self.joint_pos.shape[:-1]}.")
        spec = self.embodiment.spec()
        return RobotPose(
            robot_name=spec.name,
            robot_hash=spec.hash(),
            joint_names=spec.joint_names,
            joint_pos=self.joint_pos,
            at_limit=self.at_limit,
            wxyz_xyz_world_palm=self.Ts_world_palm.wxyz_xyz,
            palm_position_error=float(self.palm_position_error),
            palm_rotation_error=float(self.palm_rotation_error),
            fingertip_names=spec.fingertip_frames,
            p_world_fingertips=self.p_world_fingertips,
            fingertip_error=self.fingertip_error,
            fingertip_floor=self.fingertip_floor,
        )

    def robot_trajectory(self, time: np.ndarray) -> RobotTrajectory:
        """A path (T) as a message.

        Args:
            time: (T) [s].

        Raises:
            SchemaError: this is no path of that many frames.
        """
        spec = self.embodiment.spec()
        return RobotTrajectory(
            robot_name=spec.name,
            robot_hash=spec.hash(),
            joint_names=spec.joint_names,
            time=time,
            joint_pos=self.joint_pos,
            ok=self.ok,
        )
