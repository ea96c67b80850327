"""Replays of the human's hand: the same path for both where the object has not moved, and a moved one for one of them."""

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.baselines import (
    REPLAYS,
    ObjectAwareReplay,
    Replay,
    joint_path,
    replay_env,
    replay_policy,
    scripted_hand,
)
from h2s2r_rl.evaluate import evaluate
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.mdp.goal import GoalCfg, GoalPath
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.perturbation import NONE
from h2s2r_sim.task import load_task

PUSH = load_task("snackbox_push")
ALLEGRO = load_embodiment("iiwa14_allegro")
QUIET = EnvCfg(start=StartCfg(pool=1), perturbation=NONE, num_threads=1)


@pytest.fixture(scope="module")
def path():
    goal = GoalPath(GoalCfg(), PUSH.reference, 1.0 / 15.0, TrackedObject.of(PUSH))
    return joint_path(PUSH, ALLEGRO, goal)


def seen(T_world_object):
    """What the observation of an object at these poses (N) is."""
    rotation = T_world_object.rotation_matrix()
    return np.concatenate([T_world_object.translation, rotation[..., 0], rotation[..., 1]], -1)


def test_the_path_begins_where_the_hand_begins_and_the_robot_reaches_it(path):
    assert len(path.joint_pos) == np.ceil(15 * PUSH.reference.duration - 1e-6) + 1
    assert path.ok.mean() > 0.95
    hand = scripted_hand(PUSH)
    before = PUSH.reference.Ts_world_object[0].apply(PUSH.p_object_keypoints)
    # The scripted person's hand has its own proportions, so only its middle fingertip is exactly there.
    assert np.linalg.norm(hand.p_world_keypoints[0] - before, axis=-1).max() < 0.03


def test_the_hand_goes_with_the_object():
    hand = scripted_hand(PUSH)
    last = PUSH.reference.Ts_world_object[-1].inv().apply(hand.p_world_keypoints[-1])
    middle = len(hand.time) // 2
    then = PUSH.reference.Ts_world_object[middle].inv().apply(hand.p_world_keypoints[middle])
    np.testing.assert_allclose(last, then, atol=2e-3)


@pytest.mark.requirement("H36")
@pytest.mark.requirement("H37")
def test_both_replays_are_equal_where_the_object_has_not_moved(path):
    blind, aware = Replay(path, ALLEGRO), ObjectAwareReplay(path, ALLEGRO, PUSH)
    obs = seen(SE3(np.repeat(PUSH.reference.wxyz_xyz_world_object[:1], 2, 0)))
    for _ in range(len(path.joint_pos) + 3):
        np.testing.assert_allclose(aware.act(obs), blind.act(obs), atol=2e-3)


@pytest.mark.requirement("H37")
def test_a_moved_object_is_followed_by_one_of_them(path):
    turn = np.array([np.cos(0.1), 0.0, 0.0, np.sin(0.1), 0.03, -0.02, 0.0])
    T_world_start = PUSH.reference.Ts_world_object[0]
    # Turned about itself, then shifted.
    about = SE3.from_parts(turn[:4], np.zeros(3))
    moved = SE3.from_parts((about @ T_world_start).wxyz, T_world_start.translation + turn[4:])
    aware = ObjectAwareReplay(path, ALLEGRO, PUSH)
    aware.act(seen(SE3(moved.wxyz_xyz[None])))
    wanted = moved @ T_world_start.inv() @ path.Ts_world_palm
    arm = aware._moved[0]
    found = ALLEGRO.chain.forward(arm, ALLEGRO.palm_frame)
    distance, angle = found.distance(wanted)
    assert float(np.max(distance)) < 0.005 and float(np.max(angle)) < np.deg2rad(5.0)
    # And the blind one does not care.
    blind = Replay(path, ALLEGRO)
    np.testing.assert_array_equal(
        blind.act(seen(SE3(moved.wxyz_xyz[None]))), Replay(path, ALLEGRO).act(seen(T_world_start[None]))
    )


@pytest.mark.requirement("H36")
def test_without_noise_a_replayed_push_succeeds():
    policy = replay_policy("replay", PUSH, ALLEGRO, QUIET)
    assert evaluate(policy, PUSH, ALLEGRO, replay_env("replay", QUIET), episodes=1, seed=9).success == 1.0


@pytest.mark.parametrize("name", REPLAYS)
def test_the_arm_need_not_swing_over_to_where_its_path_begins(name):
    task = load_task("snackbox_pivot")
    policy = replay_policy(name, task, ALLEGRO, QUIET)
    env = make_env(task, ALLEGRO, 1, replay_env(name, QUIET))
    obs = env.reset(0)
    # The box is brought to the wall, 8 cm away, as it was shown.
    for _ in range(38):
        obs, _, terminated, _, extras = env.step(policy.act(obs["actor"]))
        assert not terminated.any()
    assert extras["anchor_error"][0] < 0.01


def test_episodes_begin_at_their_own_time(path):
    policy = Replay(path, ALLEGRO)
    obs = np.zeros((2, 9))
    first = policy.act(obs)
    policy.act(obs)
    policy.reset(np.array([1]))
    again = policy.act(obs)
    np.testing.assert_array_equal(again[1], first[1])
    assert not np.array_equal(again[0], first[0])


def test_only_the_blind_one_starts_blindly():
    assert replay_env("replay", QUIET).start.kind == "unmoved"
    assert replay_env("object_aware_replay", QUIET).start.kind == "premanip"
    with pytest.raises(SchemaError, match="object_aware_replay"):
        replay_env("telepathy", QUIET)
    with pytest.raises(SchemaError, match="object_aware_replay"):
        replay_policy("telepathy", PUSH, ALLEGRO, QUIET)


def test_a_task_without_a_hand_path_is_refused():
    with pytest.raises(SchemaError, match="has no hand path"):
        replay_policy("replay", PUSH.replace(name="mine"), ALLEGRO, QUIET)
