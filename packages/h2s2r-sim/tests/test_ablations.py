"""Each ablation is one switch: it changes what it names, and nothing else.

In:  bundled tasks, names of ablations.   Out: configurations and environments that differ where they say.
Not here: what they do to learning (h2s2r-rl), where other starts are (test_resets), goals (test_mdp_goal, test_endings).
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import ABLATIONS, EnvCfg, ablated
from h2s2r_sim.env.human import human_path
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.mdp.rewards import RewardCfg, hand_tracking, tracking
from h2s2r_sim.perturbation import NONE
from h2s2r_sim.task import load_task, make_task

#: Which part of the configuration each ablation changes.
PART = {
    "fixed_target": "goal", "interpolated_target": "goal", "downsampled_target": "goal", "default_start": "start",
    "overhead_start": "start", "far_start": "start", "hand_reward": "reward", "no_randomisation": "perturbation",
}  # fmt: skip


@pytest.fixture(scope="module")
def with_hand() -> TaskSpec:
    """A push with the whole hand path: the hand rises 10 cm in two seconds while the box moves."""
    push = load_task("snackbox_push")
    keypoints = push.reference.Ts_world_object[0].apply(push.p_object_keypoints)
    time = np.arange(0.0, push.reference.duration + 0.05, 0.1)
    rise = np.minimum(0.05 * time, 0.1)[:, None, None] * np.array([0.0, 0.0, 1.0])
    lost = (time > 0.95) & (time < 1.25)
    path = np.where(lost[:, None, None], np.nan, keypoints + rise)
    hand = HandTrajectory(
        side="right", time=time, p_world_keypoints=path, confidence=np.where(lost[:, None], 0.0, np.ones(21)), lost=lost
    )
    return make_task(
        push.reference, HandPose(side="right", p_world_keypoints=keypoints, confidence=np.ones(21)), push.scene, push.object,
        name="with_hand", hand_trajectory=hand,
    )  # fmt: skip


@pytest.mark.requirement("H41")
@pytest.mark.requirement("H42")
@pytest.mark.requirement("H43")
@pytest.mark.parametrize("name", ABLATIONS)
def test_one_switch_changes_one_part_and_runs(name: str) -> None:
    base = EnvCfg(start=StartCfg(pool=8))
    changed = ablated(base, name)
    assert [each.name for each in fields(base) if getattr(base, each.name) != getattr(changed, each.name)] == [
        PART[name]
    ]
    env = make_env("snackbox_push", num_envs=2, cfg=changed)
    env.reset(0)
    for _ in range(3):
        obs, reward, *_ = env.step(np.zeros((2, env.num_actions)))
    assert all(np.isfinite(values).all() for values in obs.values()) and np.isfinite(reward).all()


def test_an_unknown_ablation_is_named() -> None:
    with pytest.raises(SchemaError, match="fixed_target, interpolated_target"):
        ablated(EnvCfg(), "no_arm")


@pytest.mark.requirement("H43")
def test_the_hand_reward_pays_for_fingertips_near_the_humans(with_hand: TaskSpec) -> None:
    base = EnvCfg(perturbation=NONE, start=StartCfg(pool=1), reward=RewardCfg(action_change=0.0))
    shares = {}
    for share in (0.0, 0.25, 1.0):
        env = make_env(with_hand, num_envs=1, cfg=replace(base, reward=replace(base.reward, hand_tracking=share)))
        env.reset(0)
        for _ in range(20):
            _, reward, *_ = env.step(np.zeros((1, env.num_actions)))
        shares[share] = float(reward[0])
        now, index = env.now, int(env.episodes.goal_index[0])
    human = human_path(with_hand, env.embodiment, env.path)[index]
    of_object, of_hand = float(tracking(now.error.anchor)[0]), float(hand_tracking(now.frames[1], human)[0])
    assert shares[0.0] == pytest.approx(of_object, abs=1e-12)
    assert shares[1.0] == pytest.approx(of_hand, abs=1e-12)
    assert shares[0.25] == pytest.approx(0.75 * of_object + 0.25 * of_hand, abs=1e-12)
    assert 0.0 < of_hand < 1.0


def test_the_humans_path_is_the_one_seen_with_gaps_filled(with_hand: TaskSpec) -> None:
    embodiment = load_embodiment("iiwa14_allegro")
    env = make_env(with_hand, embodiment, 1)
    path = human_path(with_hand, embodiment, env.path)
    assert path.shape == (env.path.last + 1, 4, 3)
    assert np.isfinite(path).all()
    time = np.minimum(env.control_dt * np.arange(env.path.last + 1), env.path.duration)
    assert path[:, 0, 2] - path[0, 0, 2] == pytest.approx(np.minimum(0.05 * time, 0.1), abs=2e-3)


def test_without_a_hand_path_the_hand_goes_with_the_object() -> None:
    push, embodiment = load_task("snackbox_push"), load_embodiment("iiwa14_allegro")
    env = make_env(push, embodiment, 1)
    path = human_path(push, embodiment, env.path)
    Ts_world_object = push.reference.Ts_world_object
    first, last = Ts_world_object[0].inv().apply(path[0]), Ts_world_object[-1].inv().apply(path[-1])
    assert first == pytest.approx(last, abs=1e-9)


@pytest.mark.parametrize(
    "wrong", [{"alpha": 0.0}, {"hand_tracking": 1.5}, {"action_change": -1.0}, {"hand_alpha": -2.0}]
)
def test_rewards_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SchemaError, match="lies in"):
        RewardCfg(**wrong)
