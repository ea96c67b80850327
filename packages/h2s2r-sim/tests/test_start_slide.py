"""Starts slid along the reference: where the object is on the way, the hand beside it as the human's was, touching nothing.

In:  bundled tasks that slide and then tip, and one that lifts.   Out: starts in the middle, which never count as whole episodes.
Not here: starts at the beginning (test_resets).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.env.start.slide import sliding
from h2s2r_sim.perturbation import NONE

CFG = EnvCfg(perturbation=NONE, start=StartCfg(pool=60, slid=0.5))


def env_of(task: str, cfg: EnvCfg = CFG) -> Environment:
    env = make_env(task, "iiwa14_allegro", 64, cfg)
    env.reset(3)
    return env


@pytest.fixture(scope="module")
def env() -> Environment:
    return env_of("snackbox_push_pivot")


def test_it_slides_until_it_is_tipped(env: Environment) -> None:
    offset = sliding(env.path)
    assert (offset[:, 2:5] == 0.0).all() and np.linalg.norm(offset[:, :2], axis=-1).max() == pytest.approx(
        0.18, abs=5e-3
    )
    reference = SE3(env.path.reference.wxyz_xyz_world_object)
    _, turned = reference[: len(offset) + 5].distance(reference[:1])
    assert turned[: len(offset) + 1].max() < np.deg2rad(2.0) <= turned[len(offset) + 4]


def test_half_of_the_starts_are_on_the_way_with_the_hand_as_at_the_beginning(env: Environment) -> None:
    running, now = env.episodes, env.now
    index = running.goal_index
    assert 0.25 < (index > 0).mean() < 0.6 and (running.step_count == index).all()
    np.testing.assert_allclose(now.error.anchor, 0.0, atol=4e-3)  # what the reference rises by and leans
    palms = SE3(now.state.wxyz_xyz_world_object).inv() @ SE3.from_matrix(now.frames[0])
    metres, radians = palms.distance(palms[index == 0][:1])
    assert metres.max() < 3e-3 and radians.max() < np.deg2rad(3.0)
    joints = env.episodes.sensors.joint_pos
    of_robot, of_object = env.engine.overlap(joints, now.state.wxyz_xyz_world_object, np.ones(len(joints)))
    assert (of_robot <= 0.0).all() and (of_object <= CFG.start.max_overlap).all()


def test_they_end_with_the_reference_and_are_no_whole_episodes(env: Environment) -> None:
    began, ended = env.episodes.goal_index.copy(), np.zeros(env.num_envs, dtype=bool)
    for _ in range(env.path.last + 2):
        _, _, terminated, truncated, extras = env.step(np.zeros((env.num_envs, env.num_actions)))
        first = (terminated | truncated) & ~ended
        assert (extras["partial"][first] == (began[first] > 0)).all()
        ended |= first
    assert ended.all()


@pytest.mark.parametrize("task", ["plate_lift_rack", "snackbox_push"])
def test_what_never_slides_and_what_does_nothing_else_is_not_moved(task: str) -> None:
    env = env_of(task)
    assert not len(sliding(env.path)) and (env.episodes.goal_index == 0).all()


def test_a_policy_is_judged_from_the_beginning() -> None:
    assert for_evaluation(CFG).start.slid == 0.0
    assert (env_of("snackbox_push_pivot", for_evaluation(CFG)).episodes.goal_index == 0).all()
    with pytest.raises(SchemaError, match="slid 2"):
        StartCfg(slid=2)
