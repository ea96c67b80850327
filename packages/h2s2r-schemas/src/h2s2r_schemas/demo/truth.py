"""``truth.h2s``: what really happened in a recording, where somebody knows it.

In:  the paths of object and hand, frame by frame, and what they are.   Out: ``DemoTruth``, a file beside the frames.
Not here: the pictures, masks among them (folder), how an estimate compares with it (perception).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from h2s2r_schemas.artifacts.geometry import ObjectModel, Scene
from h2s2r_schemas.artifacts.trajectories import HandTrajectory, ObjectTrajectory
from h2s2r_schemas.codec.message import Message, MessageSpec, field, message
from h2s2r_schemas.codec.specs import IntSpec
from h2s2r_schemas.codec.whole import PathLike
from h2s2r_schemas.demo.layout import TRUTH
from h2s2r_schemas.errors import SchemaError


@message("h2s2r.DemoTruth", version=1)
class DemoTruth(Message):
    """The truth about a recording; entry t of every path belongs to frame t of its pictures."""

    object: ObjectModel = field(MessageSpec(ObjectModel))
    """What is moved."""
    scene: Scene = field(MessageSpec(Scene))
    """What stands around it, in the same world."""
    object_trajectory: ObjectTrajectory = field(MessageSpec(ObjectTrajectory))
    """Where the object is when each colour picture is taken."""
    hand_trajectory: HandTrajectory = field(MessageSpec(HandTrajectory))
    """Where the hand's keypoints are then, hidden ones too."""
    contact_frame: int = field(IntSpec(0, 2**31 - 1))
    """The first frame in which the hand touches the object."""
    first_motion_frame: int = field(IntSpec(0, 2**31 - 1))
    """The first frame in which the object is no longer where it was at the start."""

    def check(self) -> None:
        if not np.array_equal(self.object_trajectory.time, self.hand_trajectory.time):
            raise SchemaError("Object and hand of a DemoTruth have the same times: those of the frames.")
        frames = len(self.object_trajectory.time)
        if not self.contact_frame <= self.first_motion_frame < frames:
            raise SchemaError(
                f"The contact is in frame {self.contact_frame}, the first motion in frame {self.first_motion_frame}; contact "
                f"comes first, and both lie within the {frames} frames."
            )


def truth_path(folder: PathLike) -> Path:
    """Where the truth of the recording in ``folder`` is, if there is any; read it with ``codec.load``."""
    return Path(folder) / TRUTH
