"""What a robot is to learn: an object, a scene, a reference path and a start, as data.

In:  trajectory, hand pose, scene, object.   Out: ``TaskSpec``.
Not here: making one from a recording or a file (sim), rewards and noise (sim), success (success).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from h2s2r_schemas.artifacts.geometry import ObjectModel, Scene
from h2s2r_schemas.artifacts.poses import KEYPOINT_NAMES, SIDES, RobotPose
from h2s2r_schemas.artifacts.trajectories import HandTrajectory, ObjectTrajectory
from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec
from h2s2r_schemas.codec.message import Message, MessageSpec, field, message
from h2s2r_schemas.codec.specs import MappingSpec, OptionalSpec, TextSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@message("h2s2r.TaskSpec", version=1)
class TaskSpec(Message):
    """One task. It holds for any robot: the start is given by the human's hand, and by a robot's pose where one is known."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name, e.g. ``"snackbox_push"``."""
    object: ObjectModel = field(MessageSpec(ObjectModel))
    """What is moved, symmetry included."""
    scene: Scene = field(MessageSpec(Scene))
    """What stands around it."""
    reference: ObjectTrajectory = field(MessageSpec(ObjectTrajectory))
    """The path of the object: starts where the object stands still, no lost frames, time starting at 0."""
    anchor_points: np.ndarray = field(ArraySpec(("K", 3), unit="m"))
    """(K, 3) [m] in the object frame; their mean distance from the goal's is what is rewarded."""
    side: str = field(TextSpec(SIDES))
    """Which hand the human used."""
    p_object_keypoints: np.ndarray = field(ArraySpec((len(KEYPOINT_NAMES), 3), unit="m"))
    """(21, 3) [m] human hand just before contact, in ``KEYPOINT_NAMES`` order, in the frame of the object at its start."""
    wxyz_xyz_object_palm: np.ndarray | None = field(OptionalSpec(PoseSpec()), default=None)
    """(7) palm of the robot of ``robot_pose`` in the object frame, just before contact; none where no robot was chosen."""
    robot_pose: RobotPose | None = field(OptionalSpec(MessageSpec(RobotPose)), default=None)
    """Configuration that reaches it with the object at the start of the reference; none where no robot was chosen."""
    hand: HandTrajectory | None = field(OptionalSpec(MessageSpec(HandTrajectory)), default=None)
    """The whole hand path on the reference's clock; only baselines and ablations need it."""
    sources: Mapping[str, str] = field(MappingSpec(TextSpec()), default_factory=dict)
    """Where each part came from: names and content hashes of the inputs."""

    def check(self) -> None:
        if self.reference.lost.any():
            raise SchemaError("The reference of a task has lost frames; fill or cut them first (make_task does).")
        if len(self.reference.time) < 2 or self.reference.time[0] != 0.0:
            raise SchemaError("The reference of a task has at least two frames and starts at time 0.")
        if self.reference.object_name != self.object.name:
            raise SchemaError(
                f"The reference moves {self.reference.object_name!r}; the object is {self.object.name!r}."
            )
        if len(self.anchor_points) < 3:
            raise SchemaError(f"{len(self.anchor_points)} anchor points; at least 3 are needed to see a turn.")
        if (self.robot_pose is None) != (self.wxyz_xyz_object_palm is None):
            raise SchemaError("robot_pose and wxyz_xyz_object_palm belong together: give both or neither.")

    @property
    def T_object_palm(self) -> SE3:
        """``wxyz_xyz_object_palm`` as a pose.

        Raises:
            SchemaError: no robot was chosen yet.
        """
        if self.wxyz_xyz_object_palm is None:
            raise SchemaError(f"Task {self.name!r} has no robot pose yet: retarget it to a robot first.")
        return SE3(self.wxyz_xyz_object_palm)
