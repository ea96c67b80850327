"""The benchmark's targets, judge and floor: a benchmark that flatters is worse than none.

In:  small problems with known answers.   Out: figures that match them.
Not here: the figures themselves (``h2s2r bench retarget``).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_retarget.benchmark import arm, hand, ours
from h2s2r_retarget.benchmark.floor import tip_floor
from h2s2r_retarget.benchmark.human import human_keypoints
from h2s2r_retarget.benchmark.paths import FRAMES, hand_path
from h2s2r_retarget.benchmark.peers.attempts import RESTARTS, first_success
from h2s2r_retarget.benchmark.problems import TipProblems, outside_limits, plain_urdf, pose_problems, tip_problems
from h2s2r_retarget.benchmark.timing import import_figures, time_singles
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_retarget.kinematics import Chain
from h2s2r_retarget.targets import check_keypoints
from h2s2r_schemas.artifacts import KEYPOINT_NAMES

#: One finger of one joint: a tip 0.1 m from an axis that turns by a quarter to both sides.
POINTER = """<robot name="pointer"><link name="palm"/><link name="finger"/><link name="tip"/>
<joint name="turn" type="revolute"><parent link="palm"/><child link="finger"/><axis xyz="0 0 1"/>
<limit lower="-1.5707963267948966" upper="1.5707963267948966" effort="1" velocity="1"/></joint>
<joint name="end" type="fixed"><parent link="finger"/><child link="tip"/><origin xyz="0.1 0 0"/></joint></robot>"""


@pytest.fixture(scope="module")
def robot():
    return load_embodiment("iiwa14_allegro")


def drawn(chain: Chain, num: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(chain.lower, chain.upper, (num, len(chain.joint_names)))


def test_the_judge_accepts_what_made_the_targets_and_nothing_near_it(robot):
    problems = pose_problems(robot, 50, seed=3)
    joint_pos = drawn(problems.chain, 50, seed=3)
    assert problems.solved(joint_pos).all()
    assert not problems.solved(joint_pos + 0.02).any()
    outside = joint_pos + 2.0 * np.pi * (np.arange(7) == 6)
    assert np.allclose(problems.chain.matrices(outside), problems.chain.matrices(joint_pos))
    assert not problems.solved(outside).any()
    assert (outside_limits(problems.chain, outside).sum(-1) == 1).all()


def test_targets_are_the_same_for_the_same_seed_and_others_for_another(robot):
    first, again, other = (tip_problems(robot, 5, 5, seed).points for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert np.abs(first - other).min() > 0


def test_reachable_fingertips_are_reachable_and_the_plain_urdf_is_the_same_hand(robot):
    problems = tip_problems(robot, 20, 0, seed=5)
    joint_pos = drawn(problems.chain, 20, seed=5)
    assert problems.distances(joint_pos).max() < 1e-12
    whole = np.concatenate([np.tile(robot.home[: robot.num_arm_joints], (20, 1)), joint_pos], axis=-1)
    Ts_world_frame = robot.chain.forward(whole)
    p_palm_tips = Ts_world_frame[:, :1].inv().apply(Ts_world_frame.translation[:, 1:])
    assert np.abs(p_palm_tips - problems.points).max() < 1e-12
    assert "<visual" not in problems.urdf
    assert "iiwa14" not in "".join(plain_urdf(robot.urdf, robot.palm_frame, robot.fingertip_frames).split()[2:])


def test_human_hands_are_hands():
    hands = check_keypoints(human_keypoints(200, np.random.default_rng(0)), "right")
    tip, dip = KEYPOINT_NAMES.index("index_tip"), KEYPOINT_NAMES.index("index_dip")
    lengths = np.linalg.norm(hands[:, tip] - hands[:, dip], axis=-1)
    assert 0.010 < lengths.min() < lengths.max() < 0.035


def test_paths_of_hands_do_not_jump():
    path = check_keypoints(hand_path(np.random.default_rng(0)), "right")
    assert path.shape == (FRAMES, 21, 3)
    assert np.linalg.norm(np.diff(path, axis=0), axis=-1).max() < 0.03


@pytest.mark.requirement("H12")
def test_the_floor_is_the_distance_no_configuration_beats():
    pytest.importorskip("scipy")
    points = np.array([[[0.0, 0.1, 0.0]], [[0.15, 0.0, 0.0]], [[-0.1, 0.0, 0.0]], [[0.0, 0.0, 0.1]]])
    problems = TipProblems(POINTER, ("tip",), ("turn",), points, num_reachable=1)
    floor = tip_floor(problems)[:, 0]
    assert np.abs(floor - [0.0, 0.05, 0.1 * np.sqrt(2.0), 0.1 * np.sqrt(2.0)]).max() < 1e-9


@pytest.mark.requirement("H12")
def test_fingertips_end_at_the_floor_that_scipy_finds(robot):
    pytest.importorskip("scipy")
    problems = tip_problems(robot, 10, 3, seed=7)
    figures = hand._excess(problems, {"numpy": ours.tip_batch(problems, "numpy")()}, tip_floor(problems))
    assert figures["tip_excess_um_max"] < 1.0
    assert figures["tip_floor_above_us_um_max"] < 1.0
    middle = {"middle": np.tile(problems.chain.middle, (13, 1))}
    assert hand._excess(problems, middle, tip_floor(problems))["tip_excess_um"] > 1e3


def test_a_missing_peer_is_named_and_its_figures_left_out(robot, monkeypatch):
    def missing(_):
        raise ImportError

    monkeypatch.setattr(arm, "_SINGLE_PEERS", {"nobody": missing, "pytorch_kinematics": missing})
    monkeypatch.setattr(ours, "has_fast", lambda: False)
    names: set[str] = set()
    figures = arm.arm_figures(pose_problems(robot, 8, seed=0), 1, names)
    assert names == {"nobody", "pytorch_kinematics"}
    assert figures["arm_success"] == 1.0
    assert figures["arm_limit_violations"] == 0
    assert not any("peer" in key or "nobody" in key for key in figures)


def test_an_equally_successful_peer_counts_and_one_that_fails_more_does_not(robot, monkeypatch):
    problems = pose_problems(robot, 8, seed=0)
    true = drawn(problems.chain, 8, seed=0)
    peers = {"cheat": lambda _: lambda index: true[index], "idle": lambda p: lambda _: p.home}
    monkeypatch.setattr(arm, "_SINGLE_PEERS", peers)
    monkeypatch.setattr(arm.by_pytorch_kinematics, "SETTINGS", ())
    monkeypatch.setattr(ours, "has_fast", lambda: False)
    figures = arm.arm_figures(problems, 1, set())
    assert figures["arm_success_cheat"] == 1.0
    assert figures["arm_success_idle"] == 0.0
    assert figures["arm_batch_best_any_peer"] == "cheat one by one"


def test_attempts_stop_at_the_first_success_and_give_up_after_the_last():
    starts: list[float] = []

    def attempt(succeeds_at: int):
        def once(start):
            starts.append(float(start[0]))
            return start, len(starts) == succeeds_at

        return once

    home, lower, upper = np.zeros(1), -np.ones(1), np.ones(1)
    assert first_success(attempt(3), home, lower, upper, 0)[0] == starts[-1]
    assert len(starts) == 3
    assert starts[0] == 0.0
    starts.clear()
    first_success(attempt(0), home, lower, upper, 0)
    assert len(set(starts)) == 1 + RESTARTS


def test_every_problem_is_timed_and_solved_by_everyone():
    timed = time_singles({"a": lambda i: np.array([i]), "b": lambda i: np.array([-i])}, 4, rounds=2)
    assert timed["b"].joint_pos[:, 0].tolist() == [0, -1, -2, -3]
    assert timed["a"].seconds.shape == (4,)
    assert (timed["a"].seconds >= 0).all()


def test_import_time_is_of_fresh_processes():
    figures = import_figures(rounds=1)
    assert figures["import_ms_numpy"] > 1.0
    assert 0.1 < figures["import_ratio"] < figures["import_ratio_whole"] * 3.0
