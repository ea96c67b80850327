"""The two steps, for every robot that comes with the package, by name only.

In:  made-up human hands.   Out: palms and fingertips where they were wanted, or a refusal.
Not here: how exact the solver is (test_solver), peers (benchmark).
"""

from __future__ import annotations

import numpy as np
import pytest
from hands_for_tests import human_hand

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_retarget.result import MAX_PENETRATION, CollisionError, PalmUnreachableError
from h2s2r_retarget.retarget import retarget, retarget_hand
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.solve import Solver, SolverCfg
from h2s2r_retarget.solve.restarts import spread_starts
from h2s2r_retarget.trajectory import MAX_HAND_STEP, retarget_hand_path, retarget_path
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, Scene, SceneBody, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

ROBOTS = [(name, side) for name in embodiment_names() for side in ("right", "left")]
#: Palm down, fingers forward, in front of the robot.
T_WORLD_WRIST = SE3.from_rotation_matrix(np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]), np.array([0.5, 0.0, 0.3]))


def hand(side: str, curl: float = 0.4, move=(0.0,) * 6, scale: float = 1.0) -> np.ndarray:
    return human_hand(curl, side, SE3.exp(np.array(move)) @ T_WORLD_WRIST, scale)


def path(side: str, frames: int = 60) -> np.ndarray:
    """A hand that sweeps 30 cm over the table, turns and closes."""
    moves = [
        [0.15 * np.sin(3 * s), 0.2 * np.cos(4 * s) - 0.2, 0.1 * s, 0, 0, 0.6 * s] for s in np.linspace(0, 1, frames)
    ]
    curls = np.linspace(0.2, 0.7, frames)
    return np.stack([hand(side, curl, move) for curl, move in zip(curls, moves, strict=True)])


@pytest.mark.requirement("H11")
@pytest.mark.requirement("H46")
@pytest.mark.requirement("H47")
@pytest.mark.parametrize(("robot", "side"), ROBOTS)
def test_the_palm_goes_where_the_human_palm_was(robot, side):
    found = retarget(hand(side), robot, side)
    embodiment = found.embodiment
    T_world_palm = embodiment.chain.forward(found.joint_pos, embodiment.palm_frame)
    Ts_world_wanted, _ = Retargeter(embodiment).targets(hand(side), side)
    distance, angle = T_world_palm.distance(Ts_world_wanted)
    assert distance < 1e-4
    assert angle < 1e-3
    assert found.palm_position_error == pytest.approx(distance, abs=1e-9)
    assert (found.joint_pos >= embodiment.position_lower).all()
    assert (found.joint_pos <= embodiment.position_upper).all()


@pytest.mark.requirement("H12")
@pytest.mark.parametrize(("robot", "side"), ROBOTS)
def test_fingertips_it_can_reach_are_reached(robot, side):
    """Targets from the robot's own hand, so every one can be reached: a human whose fingers are the robot's."""
    retargeter = Retargeter(load_embodiment(robot, side))
    embodiment = retargeter.embodiment
    rng = np.random.default_rng(1)
    low, high = (limit[embodiment.num_arm_joints :] for limit in (embodiment.position_lower, embodiment.position_upper))
    truth = rng.uniform(low, high, size=(50, len(low)))
    frames = retargeter.hand_chain.forward(truth)
    p_palm_tips = (frames[:, :1].inv() @ frames[:, 1:]).translation
    assert np.asarray(retargeter.solve_fingertips(p_palm_tips).position_error).max() < 1e-5


@pytest.mark.parametrize(("robot", "side"), ROBOTS)
def test_what_is_reported_is_what_the_configuration_does(robot, side):
    found = retarget(hand(side, scale=1.2), robot, side)
    embodiment = found.embodiment
    Ts_world_frames = embodiment.chain.forward(found.joint_pos)
    np.testing.assert_allclose(Ts_world_frames.translation[1:], found.p_world_fingertips, atol=1e-9)
    wanted = embodiment.fingertip_targets(hand(side, scale=1.2))
    error = np.linalg.norm(found.p_world_fingertips - wanted, axis=-1)
    np.testing.assert_allclose(found.fingertip_error, error, atol=1e-9)
    assert (found.fingertip_floor <= found.fingertip_error + 1e-12).all()
    pose = found.robot_pose()
    assert pose.robot_hash == embodiment.spec().hash()
    assert pose.fingertip_names == embodiment.fingertip_frames


def test_a_palm_out_of_reach_is_refused_with_its_distance():
    far = hand("right", move=(1.0, 0, 0, 0, 0, 0))
    with pytest.raises(PalmUnreachableError, match=r"iiwa14_allegro misses the palm by \d+ mm") as refusal:
        retarget(far)
    assert 0.2 < refusal.value.position_error < 1.2


@pytest.mark.parametrize("robot", embodiment_names())
def test_a_hand_of_the_other_side_is_refused(robot):
    embodiment = load_embodiment(robot)
    if embodiment.side == "none":
        assert retarget(hand("left"), embodiment, "left").ok
    else:
        with pytest.raises(SchemaError, match=r"A left human hand for .* whose hand is a right one"):
            retarget(hand("left"), embodiment, "left")


def test_a_left_hand_is_the_mirror_image_of_a_right_one():
    right = retarget(hand("right"), "iiwa14_allegro", "right")
    left = retarget(hand("left"), "iiwa14_allegro", "left")
    np.testing.assert_allclose(left.fingertip_error, right.fingertip_error, atol=1e-6)
    np.testing.assert_allclose(left.p_world_fingertips * [1, -1, 1], right.p_world_fingertips, atol=1e-6)


@pytest.mark.parametrize(("robot", "side"), ROBOTS)
def test_a_path_is_followed_without_a_jump(robot, side):
    found = retarget(path(side), robot, side)
    assert found.ok.all()
    assert np.abs(np.diff(found.joint_pos, axis=0)).max() < np.deg2rad(15)
    assert found.palm_position_error.max() < 1e-3


def test_a_path_goes_on_from_where_the_robot_stands():
    """An arm of seven joints can begin a path in several ways; the one that it stands in is kept."""
    retargeter, keypoints = Retargeter(load_embodiment("iiwa14_allegro")), path("right", 20)
    best, chain = retarget_path(retargeter, keypoints), retargeter.arm_chain
    assert chain is not None
    guesses = spread_starts(chain.lower, chain.upper, 64, seed=0)
    wxyz_xyz = np.broadcast_to(best.Ts_world_palm.wxyz_xyz[0], (64, 1, 7))
    solver = Solver(chain, poses=(retargeter.embodiment.palm_frame,), cfg=SolverCfg(restarts=0))
    found = solver.solve(SE3(wxyz_xyz), guess=guesses)
    inside = np.minimum(found.joint_pos - chain.lower, chain.upper - found.joint_pos).min(-1) > 0.15
    others = np.abs(found.joint_pos - best.joint_pos[0, :7]).max(-1) > 0.5
    start = best.joint_pos[0].copy()
    start[:7] = found.joint_pos[inside & others & found.reached[:, 0]][0]
    there = retarget_path(retargeter, keypoints, start=start)
    np.testing.assert_allclose(there.joint_pos[0], start, atol=1e-2)
    assert there.ok.all() and there.palm_position_error.max() < 1e-3
    with pytest.raises(SchemaError, match="start has shape"):
        retarget_path(retargeter, keypoints, start=start[:7])


def test_frames_out_of_reach_are_flagged_and_the_others_kept():
    keypoints = path("right", 40)
    keypoints[15:20] += [0.8, 0.0, 0.0]
    found = retarget(keypoints)
    assert not found.ok[15:20].any()
    assert found.ok[:15].all()
    trajectory = found.robot_trajectory(np.arange(40) / 30)
    np.testing.assert_array_equal(trajectory.ok, found.ok)


def test_nouns_go_in_and_come_out():
    embodiment = load_embodiment("iiwa14_allegro")
    flat = HandPose(side="right", p_world_keypoints=hand("right", 0.1), confidence=np.ones(21))
    pose = retarget_hand(flat, embodiment)
    assert pose.palm_position_error < 1e-4
    keypoints = path("right", 12)
    keypoints[4] = np.nan
    lost = np.arange(12) == 4
    seen = recorded(keypoints)
    trajectory = retarget_hand_path(Retargeter(embodiment), seen)
    np.testing.assert_array_equal(trajectory.time, seen.time[~lost])
    all_lost = seen.replace(p_world_keypoints=np.full_like(keypoints, np.nan), lost=np.ones(12, bool))
    with pytest.raises(SchemaError, match="lost in every frame"):
        retarget_hand_path(Retargeter(embodiment), all_lost)


def recorded(keypoints: np.ndarray) -> HandTrajectory:
    """A hand recorded 30 times a second, lost where its keypoints are NaN."""
    frames = len(keypoints)
    return HandTrajectory(
        side="right",
        time=np.arange(frames) / 30,
        p_world_keypoints=keypoints,
        confidence=np.ones((frames, 21)),
        lost=np.isnan(keypoints).any(axis=(1, 2)),
    )


@pytest.mark.requirement("H51")
def test_jumps_are_dropped_and_time_is_stretched_on_demand():
    keypoints = path("right", 80)
    keypoints[20] += [0.0, 0.0, 0.1]
    retargeter = Retargeter(load_embodiment("iiwa14_allegro"))
    whole = retarget_hand_path(retargeter, recorded(keypoints))
    assert len(whole.time) == 80
    dropped = retarget_hand_path(retargeter, recorded(keypoints), drop_jumps=True)
    np.testing.assert_array_equal(dropped.time, np.delete(whole.time, 20))
    assert dropped.ok.all()
    slow = retarget_hand_path(retargeter, recorded(keypoints), stretch=True)
    np.testing.assert_array_equal(slow.joint_pos, whole.joint_pos)
    speed = np.abs(np.diff(slow.joint_pos, axis=0)) / np.diff(slow.time)[:, None]
    limit = retargeter.embodiment.velocity_limit
    assert (speed <= limit * (1 + 1e-9)).all()
    assert (np.abs(np.diff(whole.joint_pos, axis=0)) * 30 > limit).any()


def test_fingers_are_slow_and_end_in_the_best_solution():
    """Frames after a jump of the fingers: the joints move at the pace allowed, and arrive."""
    open_hand, fist = hand("right", 0.1), hand("right", 0.8)
    keypoints = np.stack([open_hand, *[fist] * 20])
    found = retarget(keypoints)
    fingers = np.abs(np.diff(found.joint_pos[:, 7:], axis=0))
    assert fingers.max() == pytest.approx(MAX_HAND_STEP)
    excess = found.fingertip_error - found.fingertip_floor
    assert excess[1].max() > 0.01
    assert excess[-1].max() < 1e-6


def test_the_same_hand_gives_the_same_bytes():
    first, second = (retarget(path("right", 20)).joint_pos.tobytes() for _ in range(2))
    assert first == second


def table(height: float) -> Scene:
    """A table whose top is at this height [m]."""
    body = SceneBody(
        name="table",
        shapes=(Shape(kind="box", size=np.array([1.0, 1.5, 0.04])),),
        wxyz_xyz_world_body=np.array([1.0, 0, 0, 0, 0.6, 0, height - 0.02]),
    )
    return Scene(name="lab", wxyz_xyz_world_table=np.array([1.0, 0, 0, 0, 0.6, 0, height]), bodies=(body,))


@pytest.mark.requirement("H12")
def test_a_pinch_may_touch_but_not_overlap():
    """A human's fingertips meet; those of the robot are thicker."""
    keypoints = hand("right", 0.5)
    keypoints[4] = keypoints[8]
    human = HandPose(side="right", p_world_keypoints=keypoints, confidence=np.ones(21))
    embodiment = load_embodiment("iiwa14_allegro")
    with pytest.raises(CollisionError, match=r"thumb.* inside |inside .*thumb"):
        retarget_hand(human, embodiment)
    found = retarget(keypoints, embodiment, avoid_collisions=True)
    assert found.penetration < MAX_PENETRATION
    thumb, index = found.p_world_fingertips[[3, 0]]
    assert np.linalg.norm(thumb - index) < 0.03
    assert retarget_hand(human, embodiment, avoid_collisions=True).joint_pos.tolist() == found.joint_pos.tolist()


@pytest.mark.requirement("H12")
@pytest.mark.parametrize("robot", embodiment_names())
def test_a_hand_in_the_table_is_refused_and_lifted_out_on_demand(robot):
    embodiment = load_embodiment(robot)
    human = HandPose(side="right", p_world_keypoints=hand("right"), confidence=np.ones(21))
    lowest = retarget(hand("right"), embodiment).p_world_fingertips[:, 2].min()
    high, low = table(lowest + 0.01), table(lowest - 0.3)
    assert "table" not in retarget(hand("right"), embodiment, scene=low).colliding
    with pytest.raises(
        CollisionError, match=r"mm inside .*; 1 mm is allowed\. Ask for avoid_collisions=True"
    ) as refusal:
        retarget_hand(human, embodiment, scene=high)
    assert refusal.value.penetration > 0.005
    found = retarget(hand("right"), embodiment, scene=high, avoid_collisions=True)
    assert found.penetration < MAX_PENETRATION
    assert found.p_world_fingertips[:, 2].min() > lowest
    assert found.palm_position_error < 0.06
