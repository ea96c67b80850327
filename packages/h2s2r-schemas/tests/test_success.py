"""Success, symmetry and anchor errors: one definition, checked by hand-made episodes and brute force.

In:  made-up episodes.   Out: whether they count as success.
Not here: rewards (sim).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.artifacts import SUCCESS, Symmetry, align_symmetry, anchor_error, is_success, object_error
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

ANCHORS = 0.1 * np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [-1.0, 0, 0]])
NONE = Symmetry()
ROUND = Symmetry(axis=[0.0, 0.0, 1.0])
BOX = Symmetry(rotations_wxyz=[[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]])


def random_poses(count, seed):
    rng = np.random.default_rng(seed)
    return SE3.from_parts(rng.normal(size=(count, 4)), rng.normal(size=(count, 3)))


def episode(position=0.0, degrees=0.0, seconds=3.0, bump=0.0, symmetry=NONE, end=2.0, axis=(1.0, 0.0, 0.0)):
    """A 2 s reference followed with a given error at its end and a bump in its middle; logged at 20 Hz."""
    time = np.arange(0.0, seconds + 1e-9, 0.05)
    goal = np.zeros((len(time), 6))
    goal[:, 0] = 0.25 * np.clip(time / end, 0, 1)
    Ts_world_goal = SE3.exp(goal)
    off = np.zeros((len(time), 6))
    off[:, 1] = np.where(time >= end - 1e-6, position, bump)
    off[:, 3:] = np.where(time >= end - 1e-6, np.deg2rad(degrees), 0.0)[:, None] * np.asarray(axis)
    rotation = SE3.exp(off)
    Ts_world_object = SE3.from_parts((Ts_world_goal @ rotation).wxyz, Ts_world_goal.translation + off[:, :3])
    return is_success(time, Ts_world_object, Ts_world_goal, end, 2.0, ANCHORS, symmetry)


def test_the_constants_are_the_ones_fixed_for_everybody():
    assert (SUCCESS.position, SUCCESS.settle_time, SUCCESS.anchor, SUCCESS.time_limit_factor) == (0.03, 0.5, 0.10, 2.0)
    assert np.rad2deg(SUCCESS.rotation) == pytest.approx(15.0)


@pytest.mark.requirement("H39")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, True),
        ({"position": 0.029}, True),
        ({"position": 0.031}, False),
        ({"degrees": 14.9}, True),
        ({"degrees": 15.1}, False),
        ({"bump": 0.09}, True),
        ({"bump": 0.11}, False),
        ({"seconds": 2.45}, False),  # cut off before half a second at the end was seen
        ({"seconds": 2.5}, True),
        ({"end": 4.0, "seconds": 5.0}, True),  # the goal clock may wait, up to twice the reference
        ({"end": 4.05, "seconds": 5.0}, False),
        ({"end": np.inf, "seconds": 5.0}, False),
        ({"degrees": 90.0, "axis": (0.0, 0.0, 1.0), "symmetry": ROUND}, True),
        ({"degrees": 90.0, "axis": (1.0, 0.0, 0.0), "symmetry": ROUND}, False),
        ({"degrees": 180.0, "axis": (0.0, 1.0, 0.0), "symmetry": BOX}, True),
        ({"degrees": 90.0, "axis": (0.0, 1.0, 0.0), "symmetry": BOX}, False),
    ],
)
def test_success_is_what_the_design_says(arguments, expected):
    assert episode(**arguments) is expected


def test_falling_right_after_the_end_is_no_success():
    time = np.arange(0.0, 3.0, 0.05)
    Ts_world_goal = SE3.identity((len(time),))
    fallen = np.zeros((len(time), 6))
    fallen[time > 2.3, 2] = -0.05
    assert not is_success(time, SE3.exp(fallen), Ts_world_goal, 2.0, 2.0, ANCHORS, NONE)
    late = np.zeros((len(time), 6))
    late[time > 2.55, 2] = -0.05
    assert is_success(time, SE3.exp(late), Ts_world_goal, 2.0, 2.0, ANCHORS, NONE)


@pytest.mark.requirement("H16")
def test_a_free_axis_gives_the_least_angle_of_a_brute_force_search():
    Ts_world_object, Ts_world_goal = random_poses(40, 1), random_poses(40, 2)
    turns = np.zeros((7200, 6))
    turns[:, 5] = np.linspace(0, 2 * np.pi, 7200)
    _, angles = (Ts_world_object[:, None] @ SE3.exp(turns)).distance(Ts_world_goal[:, None])
    _, ours = object_error(Ts_world_object, Ts_world_goal, ROUND)
    np.testing.assert_allclose(ours, angles.min(axis=1), atol=1e-3)


@pytest.mark.requirement("H16")
def test_a_finite_set_gives_the_least_angle_over_it():
    Ts_world_object, Ts_world_goal = random_poses(40, 3), random_poses(40, 4)
    T_object_twin = SE3.from_parts(BOX.rotations_wxyz, np.zeros((4, 3)))
    _, angles = (Ts_world_object[:, None] @ T_object_twin).distance(Ts_world_goal[:, None])
    np.testing.assert_allclose(object_error(Ts_world_object, Ts_world_goal, BOX)[1], angles.min(axis=1), atol=1e-7)


def test_a_half_turn_across_a_free_axis_is_an_error_of_a_half_turn():
    T_world_goal = SE3.identity()
    T_world_object = SE3.exp([0, 0, 0, np.pi, 0, 0])
    assert object_error(T_world_object, T_world_goal, ROUND)[1] == pytest.approx(np.pi)


@pytest.mark.requirement("H16")
def test_a_pure_turn_moves_the_anchor_points_unless_it_cannot_be_seen():
    T_world_goal = SE3.identity()
    T_world_object = SE3.exp([0, 0, 0, 0, 0, 0.5])
    assert anchor_error(T_world_object, T_world_goal, ANCHORS, NONE) > 0.02
    assert anchor_error(T_world_object, T_world_goal, ANCHORS, ROUND) == pytest.approx(0.0, abs=1e-9)
    assert align_symmetry(T_world_object, T_world_goal, ROUND).distance(T_world_goal)[1] == pytest.approx(0.0, abs=1e-7)


def test_torch_gives_what_numpy_gives():
    torch = pytest.importorskip("torch")
    Ts_world_object, Ts_world_goal = random_poses(20, 5), random_poses(20, 6)
    on_torch = [SE3(torch.tensor(Ts.wxyz_xyz)) for Ts in (Ts_world_object, Ts_world_goal)]
    for symmetry in (NONE, ROUND, BOX):
        ours = anchor_error(*on_torch, torch.tensor(ANCHORS), symmetry)
        expected = anchor_error(Ts_world_object, Ts_world_goal, ANCHORS, symmetry)
        np.testing.assert_allclose(ours.numpy(), expected, atol=1e-9)


def test_an_episode_without_samples_is_refused():
    with pytest.raises(SchemaError, match="An episode of 0 times"):
        is_success(np.zeros(0), SE3.identity((0,)), SE3.identity((0,)), 2.0, 2.0, ANCHORS, NONE)
