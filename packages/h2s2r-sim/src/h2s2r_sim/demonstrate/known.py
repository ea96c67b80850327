"""The task that a recording shows, by its truth: what perception would find if it made no errors.

In:  a recording with ``truth.h2s``.   Out: ``TaskSpec``.
Not here: finding path and hand in the pictures (perception), making a task of them (task).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from h2s2r_schemas.artifacts import HandPose, TaskSpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import DemoTruth, truth_path
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.task.make import make_task


def task_from_truth(folder: Path) -> TaskSpec:
    """The task of a recording; the hand is that of the last frame before contact.

    Args:
        folder: a recording with ``truth.h2s``; ``BUNDLED`` is one.

    Raises:
        SchemaError: no truth in it, or a hand that touches the object from the start; or as ``make_task``.
    """
    if not truth_path(folder).is_file():
        raise SchemaError(
            f"{folder} has no {truth_path(folder).name}: only rendered recordings do. Use perception for it."
        )
    truth = load(truth_path(folder), DemoTruth)
    frame = truth.contact_frame - 1
    if frame < 0:
        raise SchemaError(
            f"In {folder} the hand touches the object from the first frame on: nothing says how it comes."
        )
    path = truth.hand_trajectory
    hand = HandPose(
        side=path.side,
        p_world_keypoints=path.p_world_keypoints[frame],
        confidence=np.ones(path.p_world_keypoints.shape[1]),
        time=float(path.time[frame]),
    )
    return make_task(
        truth.object_trajectory, hand, truth.scene, truth.object, name=truth.scene.name, hand_trajectory=path
    )
