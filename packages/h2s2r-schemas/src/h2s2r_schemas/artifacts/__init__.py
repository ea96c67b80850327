"""Nouns at rest: every typed, versioned message that is saved to a file.

In:  numbers with units, frames and names.   Out: checked, immutable messages.
Not here: messages on the wire (wire), how they become bytes and files (codec), recordings as folders (demo).
"""

from h2s2r_schemas.artifacts.calibration import Calibration, CameraIntrinsics
from h2s2r_schemas.artifacts.geometry import (
    SHAPE_KINDS,
    ObjectModel,
    Scene,
    SceneBody,
    Shape,
    Symmetry,
)
from h2s2r_schemas.artifacts.logs import FAILURE_KINDS, LogContext, MotionLog, Rollout
from h2s2r_schemas.artifacts.policies import Layer, ObsTerm, PolicySpec, ResidualSpec
from h2s2r_schemas.artifacts.poses import KEYPOINT_NAMES, SIDES, HandPose, RobotPose
from h2s2r_schemas.artifacts.success import (
    SUCCESS,
    SuccessCriteria,
    align_symmetry,
    anchor_error,
    is_success,
    object_error,
)
from h2s2r_schemas.artifacts.tasks import TaskSpec
from h2s2r_schemas.artifacts.trajectories import (
    HandTrajectory,
    ObjectTrajectory,
    RobotTrajectory,
)

__all__ = [
    "FAILURE_KINDS",
    "KEYPOINT_NAMES",
    "SHAPE_KINDS",
    "SIDES",
    "SUCCESS",
    "Calibration",
    "CameraIntrinsics",
    "HandPose",
    "HandTrajectory",
    "Layer",
    "LogContext",
    "MotionLog",
    "ObjectModel",
    "ObjectTrajectory",
    "ObsTerm",
    "PolicySpec",
    "ResidualSpec",
    "RobotPose",
    "RobotTrajectory",
    "Rollout",
    "Scene",
    "SceneBody",
    "Shape",
    "SuccessCriteria",
    "Symmetry",
    "TaskSpec",
    "align_symmetry",
    "anchor_error",
    "is_success",
    "object_error",
]
