"""Paths over time: of an object, of a human hand, of a robot.

In:  per-frame poses, and how sure the tracker is.   Out: ``ObjectTrajectory``, ``HandTrajectory``, ``RobotTrajectory``.
Not here: one instant (poses), resampling and smoothing (perception, sim).

A lost frame holds NaN, and only a lost frame does: nothing is invented, and nothing can be used by mistake.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts.poses import KEYPOINT_NAMES, SIDES
from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec, all_finite
from h2s2r_schemas.codec.message import Message, field, message
from h2s2r_schemas.codec.specs import TextSpec, TextsSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


def _check_lost(values: np.ndarray, lost: np.ndarray, name: str) -> None:
    """Entries (T, …) are finite exactly where the frame is not lost."""
    if not lost.any() and all_finite(values):
        return
    finite = np.isfinite(values.reshape(len(values), -1))
    wrong = np.flatnonzero(np.where(lost, finite.any(axis=1), ~finite.all(axis=1)))
    if wrong.size:
        at = int(wrong[0])
        state = "lost but holds numbers; it must hold NaN" if lost[at] else "not lost but holds NaN or infinity"
        raise SchemaError(f"{name}: frame {at} is {state}. A lost frame holds NaN, every other frame finite values.")


@message("h2s2r.ObjectTrajectory", version=1)
class ObjectTrajectory(Message):
    """Pose of one object over time: what the human demonstrated, and the goal of the robot."""

    object_name: str = field(TextSpec(empty=False, max_length=128))
    """``ObjectModel.name`` of the object."""
    time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True))
    """(T) [s] since the start of the recording, strictly growing; frames need not be evenly spaced."""
    wxyz_xyz_world_object: np.ndarray = field(PoseSpec(("T",), finite=False))
    """(T, 7) object pose in the world; NaN in lost frames."""
    confidence: np.ndarray = field(ArraySpec(("T",), minimum=0.0, maximum=1.0))
    """(T) how sure the tracker is, 0 to 1; 0 in lost frames."""
    lost: np.ndarray = field(ArraySpec(("T",), dtype="bool"))
    """(T) whether the object was not found in this frame."""

    def check(self) -> None:
        if not len(self.time):
            raise SchemaError("An ObjectTrajectory has at least one frame; this one has none.")
        _check_lost(
            self.wxyz_xyz_world_object,
            self.lost,
            "ObjectTrajectory.wxyz_xyz_world_object",
        )

    @property
    def Ts_world_object(self) -> SE3:
        """(T) ``wxyz_xyz_world_object`` as poses."""
        return SE3(self.wxyz_xyz_world_object)

    @property
    def duration(self) -> float:
        """[s] from the first frame to the last."""
        return float(self.time[-1] - self.time[0])


@message("h2s2r.HandTrajectory", version=1)
class HandTrajectory(Message):
    """Keypoints of one human hand over time."""

    side: str = field(TextSpec(SIDES))
    """Which hand."""
    time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True))
    """(T) [s] since the start of the recording, strictly growing."""
    p_world_keypoints: np.ndarray = field(ArraySpec(("T", len(KEYPOINT_NAMES), 3), unit="m", finite=False))
    """(T, 21, 3) [m] in ``KEYPOINT_NAMES`` order, in the world; NaN in lost frames."""
    confidence: np.ndarray = field(ArraySpec(("T", len(KEYPOINT_NAMES)), minimum=0.0, maximum=1.0))
    """(T, 21) per keypoint, 0 to 1; low where it is hidden."""
    lost: np.ndarray = field(ArraySpec(("T",), dtype="bool"))
    """(T) whether no hand was found in this frame."""

    def check(self) -> None:
        if not len(self.time):
            raise SchemaError("A HandTrajectory has at least one frame; this one has none.")
        _check_lost(self.p_world_keypoints, self.lost, "HandTrajectory.p_world_keypoints")


@message("h2s2r.RobotTrajectory", version=1)
class RobotTrajectory(Message):
    """Joint positions of a robot over time."""

    robot_name: str = field(TextSpec(empty=False, max_length=128))
    """``RobotSpec.name`` of the robot."""
    robot_hash: str = field(TextSpec(max_length=64))
    """``RobotSpec.hash()`` of the robot it was made for."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) names that give ``joint_pos`` its order."""
    time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True))
    """(T) [s], strictly growing."""
    joint_pos: np.ndarray = field(ArraySpec(("T", "J"), unit="rad or m"))
    """(T, J) [rad; m for a sliding joint]."""
    ok: np.ndarray = field(ArraySpec(("T",), dtype="bool"))
    """(T) whether the target of this frame was reached; where not, ``joint_pos`` is the nearest configuration."""

    def check(self) -> None:
        if not len(self.time):
            raise SchemaError("A RobotTrajectory has at least one frame; this one has none.")
