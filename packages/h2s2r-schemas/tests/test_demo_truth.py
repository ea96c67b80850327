"""The truth of a recording: what is refused, and where it lies.

In:  the example of ``DemoTruth``.   Out: refusals.
Not here: rendered recordings (sim).
"""

from __future__ import annotations

import pytest

from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import truth_path
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.recordings import record_tiny

TRUTH = examples()["DemoTruth"]


def test_it_lies_beside_the_frames_and_a_reader_does_not_mind(tmp_path):
    demo = record_tiny(tmp_path / "a")
    save(TRUTH, truth_path(demo.folder))
    assert load(tmp_path / "a" / "truth.h2s") == TRUTH
    assert len(record_tiny(tmp_path / "a", overwrite=True)) == 3


def test_object_and_hand_go_by_the_frames():
    late = TRUTH.hand_trajectory.replace(time=TRUTH.hand_trajectory.time + 0.05)
    with pytest.raises(SchemaError, match="have the same times"):
        TRUTH.replace(hand_trajectory=late)


@pytest.mark.parametrize(("contact", "motion"), [(2, 1), (0, 3)])
def test_contact_comes_before_motion_and_both_are_frames(contact, motion):
    with pytest.raises(SchemaError, match="contact comes first, and both lie within the 3 frames"):
        TRUTH.replace(contact_frame=contact, first_motion_frame=motion)
