"""Palm and fingertip targets of human hands, and keypoints that are refused.

In:  made-up hands.   Out: poses worked out by hand, or the right ``SchemaError``.
Not here: whether a robot reaches them (test_retarget).
"""

from __future__ import annotations

import numpy as np
import pytest
from hands_for_tests import human_hand

from h2s2r_retarget.targets import check_keypoints, palm_targets
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

T_WORLD_WRIST = SE3.exp([0.5, -0.1, 0.3, 0.4, -0.8, 1.1])


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_palm_has_the_axes_that_every_embodiment_has(side):
    T_world_palm = palm_targets(human_hand(side=side, T_world_wrist=T_WORLD_WRIST), side, np.zeros(3))
    T_wrist_palm = T_WORLD_WRIST.inv() @ T_world_palm
    np.testing.assert_allclose(T_wrist_palm.translation, [0.0, 0.0, 0.088], atol=1e-12)
    np.testing.assert_allclose(T_wrist_palm.rotation_matrix(), np.eye(3), atol=1e-9)


def test_the_offset_is_in_the_palms_axes():
    T_world_palm = palm_targets(human_hand(T_world_wrist=T_WORLD_WRIST), "right", np.array([-0.03, 0.0, -0.03]))
    np.testing.assert_allclose((T_WORLD_WRIST.inv() @ T_world_palm).translation, [-0.03, 0, 0.058], atol=1e-12)


def test_a_path_is_a_batch():
    hands = np.stack([human_hand(curl) for curl in (0.0, 0.5, 1.0)])
    assert palm_targets(hands, "right", np.zeros(3)).batch == (3,)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("curl", [0.0, 0.3, 0.7, 1.0])
def test_a_hand_of_its_side_passes_at_any_curl(side, curl):
    hand = human_hand(curl, side, T_WORLD_WRIST)
    np.testing.assert_array_equal(check_keypoints(hand, side), hand)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda hand: hand * 1000.0, r"88 m in frame 0.*Are the keypoints in millimetres\? Divide by 1000"),
        (lambda hand: hand * 0.1, "0.0088 m in frame 0; a hand has 0.04 to 0.2 m.$"),
        (lambda hand: hand[:20], r"shape \(20, 3\); \(21, 3\)"),
        (lambda hand: np.where(np.arange(21)[:, None] == 8, np.nan, hand), "frame 0 hold NaN"),
        (lambda hand: hand * [1.0, 0.0, 1.0], "in one line: the palm has no orientation"),
        (lambda hand: hand * [1.0, -1.0, 1.0], "it is a left hand, or mirrored"),
    ],
)
@pytest.mark.requirement("H10")
def test_keypoints_that_are_no_such_hand_are_refused(change, match):
    with pytest.raises(SchemaError, match=match):
        check_keypoints(change(human_hand(0.6)), "right")
    with pytest.raises(SchemaError, match="'left' or 'right'; got 'up'"):
        check_keypoints(human_hand(), "up")
