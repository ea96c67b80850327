"""The reward is that of the method: object-centric, monotone, in [0, 1], one set of numbers for all tasks."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from h2s2r_schemas.artifacts import FAILURE_KINDS, SUCCESS
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.make import make_env
from h2s2r_sim.mdp import rewards, terminations
from h2s2r_sim.mdp.terminations import TerminationCfg
from h2s2r_sim.task import task_names


@pytest.mark.requirement("H17")
def test_reward_falls_with_distance_and_stays_in_0_1() -> None:
    distances = np.sort(
        np.concatenate([np.random.default_rng(0).uniform(0.0, 1.0, 1000), [0.0, 1e-300, 1e-9, 1e3, 1e300]])
    )
    values = rewards.tracking(distances)
    assert ((values >= 0.0) & (values <= 1.0)).all()
    assert (np.diff(values) <= 0.0).all()


@pytest.mark.requirement("H17")
def test_reward_is_1_at_the_goal_and_finite_for_anything() -> None:
    values = rewards.tracking(np.array([0.0, 0.1, np.nan, np.inf, -np.inf]), alpha=10.0)
    assert values.tolist() == [1.0, pytest.approx(np.exp(-1.0)), 0.0, 0.0, 0.0]


@pytest.mark.requirement("H08")
@pytest.mark.requirement("H18")
def test_reward_asks_for_no_robot() -> None:
    """Neither joints nor fingers can enter what is not asked for."""
    assert list(inspect.signature(rewards.tracking).parameters) == ["anchor_error", "alpha"]


@pytest.mark.requirement("H19")
def test_one_reward_configuration_for_all_tasks() -> None:
    """An environment is made from a task without naming it: its reward is the default, whatever the task."""
    seen = {
        (env.cfg.reward, env.cfg.termination, env.cfg.goal)
        for env in (make_env(name, num_envs=1) for name in task_names())
    }
    assert seen == {(EnvCfg().reward, EnvCfg().termination, EnvCfg().goal)}


def test_action_change_and_hand_tracking() -> None:
    action = np.array([[1.0, -1.0], [0.0, 0.0]])
    assert rewards.action_change(action, np.zeros((2, 2))).tolist() == [1.0, 0.0]
    near, far = np.zeros((1, 3, 3)), np.ones((1, 3, 3))
    assert rewards.hand_tracking(near, near)[0] == 1.0 > rewards.hand_tracking(near, far)[0] > 0.0


def test_no_termination_cuts_a_success_short_unless_asked_to() -> None:
    with pytest.raises(SchemaError, match="anchor_error 0 m and slack_decay"):
        TerminationCfg(anchor_error=0)
    cfg = TerminationCfg()
    limit = terminations.reference_limit(cfg, np.zeros((50, 4, 3)), 1 / 15)
    time = np.linspace(0.0, 20.0, 50)
    assert (terminations.anchor_limit(cfg, limit, np.zeros(50), time) >= SUCCESS.anchor).all()
    assert terminations.anchor_limit(cfg, limit[:1], np.array([0.12]), np.array([0.0]))[0] > 0.12
    assert terminations.anchor_limit(cfg, limit[:1], np.array([0.12]), np.array([5.0]))[0] == SUCCESS.anchor


def test_what_moves_fast_may_be_as_far_behind_as_it_gets_in_the_lag() -> None:
    with pytest.raises(SchemaError, match="lag -1 s"):
        TerminationCfg(lag=-1)
    # Stands for 2 s, then moves by 0.06 m/s for 2 s, stands again, and comes back at once.
    height = np.interp(0.1 * np.arange(81), [0.0, 2.0, 4.0, 7.0, 7.1, 8.0], [0.0, 0.0, 0.12, 0.12, 0.0, 0.0])
    anchors = np.zeros((81, 4, 3))
    anchors[..., 2] = height[:, None]
    limit = terminations.reference_limit(TerminationCfg(anchor_error=0.05, lag=1.5), anchors, 0.1)
    assert limit[[0, 20, 28]] == pytest.approx(0.05)
    assert limit[[35, 40, 45]] == pytest.approx([0.09, 0.09, 0.06])
    assert limit[[60, 71, 80]] == pytest.approx([0.05, SUCCESS.anchor, SUCCESS.anchor])
    # A learner whose limit has grown to what success allows has the same one everywhere.
    assert terminations.reference_limit(TerminationCfg(lag=1.5), anchors, 0.1) == pytest.approx(SUCCESS.anchor)


@pytest.mark.requirement("H55")
def test_every_failure_has_one_kind() -> None:
    yes, no = np.array([True]), np.array([False])

    def kind(unstable=no, gone=no, was_lifted=no, is_low=no, was_moved=yes, hand_lost=no) -> str:
        return FAILURE_KINDS[
            int(terminations.failure_kind(unstable, gone, was_lifted, is_low, was_moved, hand_lost)[0])
        ]

    assert kind() == "stuck"
    assert kind(was_moved=no) == kind(hand_lost=yes) == "missed"
    assert kind(was_lifted=yes, is_low=yes) == "dropped"
    assert kind(gone=yes, was_lifted=yes, is_low=yes) == "out_of_workspace"
    assert kind(unstable=yes, gone=yes) == "unstable"


def test_leaving_the_workspace() -> None:
    p_world_object = np.array([[0.5, 0.0, 0.03], [0.5, 0.0, -0.2], [3.0, 0.0, 0.03]])
    assert terminations.out_of_workspace(TerminationCfg(), p_world_object, 0.0).tolist() == [False, True, True]
