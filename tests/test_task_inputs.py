"""Of what a recording shows, a task needs two things: the object's path, and one pose of the hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from h2s2r_schemas.artifacts import HandPose, TaskSpec
from h2s2r_schemas.codec import decode, encode, load
from h2s2r_schemas.demo import DemoTruth, truth_path
from h2s2r_sim.demonstrate import BUNDLED
from h2s2r_sim.task import make_task


@pytest.mark.requirement("H04")
def test_the_objects_path_and_one_hand_pose_make_a_whole_task() -> None:
    truth = load(truth_path(BUNDLED), DemoTruth)
    hand = truth.hand_trajectory
    at = truth.contact_frame - 1
    only = HandPose(hand.side, hand.p_world_keypoints[at], np.ones(21), float(hand.time[at]))
    task = make_task(truth.object_trajectory, only, truth.scene, truth.object, name="two things")
    assert task.hand is None
    again = decode(encode(task), TaskSpec)
    assert set(again.sources) == {"ObjectTrajectory", "HandPose", "Scene", "ObjectModel"}
    # Whatever else a task can hold, it can do without: of the recording, no other field is required.
    required = {
        field.name
        for field in dataclasses.fields(TaskSpec)  # type: ignore[arg-type]
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    assert required == {"name", "object", "scene", "reference", "anchor_points", "side", "p_object_keypoints"}
