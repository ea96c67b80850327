"""Episodes start at the pre-manipulation pose, beside a displaced object, touching nothing; and the judge of that can see.

In:  bundled tasks, robots by name, noise.   Out: valid starts; clear errors where there are none.
Not here: 10,000 resets of every pair (benchmark.resets), the pre-manipulation pose itself (test_task_with_robots).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_retarget.result import PalmUnreachableError
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.benchmark.resets import Inspector, measure, valid_share
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import EngineState
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg, StartError
from h2s2r_sim.env.start.premanip import find_start, robot_pose
from h2s2r_sim.perturbation import NONE, PAPER, STANDARD, Perturbation
from h2s2r_sim.task import load_task, task_names

PUSH = load_task("snackbox_push")
ALLEGRO = load_embodiment("iiwa14_allegro")
#: The published method's displacements, at the size of the model.
FAR_START = Perturbation(start_position=0.10, start_yaw=PAPER.start_yaw, start_joints=PAPER.start_joints)


def env_of(count: int = 8, pool: int = 60, kind: str = "premanip", noise: Perturbation = STANDARD) -> Environment:
    return make_env(PUSH, ALLEGRO, count, EnvCfg(perturbation=noise, start=StartCfg(kind=kind, pool=pool)))


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(PUSH, ALLEGRO, STANDARD)


@pytest.fixture(scope="module")
def state() -> EngineState:
    env = env_of()
    env.reset(0)
    return env.now.state


@pytest.mark.requirement("H13")
def test_some_resets_of_every_task_and_robot_are_valid() -> None:
    figures = measure(resets=20, seed=7)
    assert len(figures) == 1 + len(task_names()) * len(embodiment_names())
    assert figures["reset_valid"] == 1.0


@pytest.mark.requirement("H13")
@pytest.mark.parametrize("name", ["snackbox_pivot", "plate_pivot_lift_rack"])
def test_starts_displaced_into_walls_are_drawn_again(name: str) -> None:
    """Ten centimetres would put some of these objects into the wall or the block behind them."""
    task = load_task(name)
    assert valid_share(task, ALLEGRO, FAR_START, 200, 0) == 1.0


@pytest.mark.requirement("H13")
def test_an_object_of_another_size_stands_where_it_stood_and_touches_nothing() -> None:
    env = make_env(load_task("plate_lift_rack"), ALLEGRO, 60, EnvCfg(perturbation=Perturbation(size=0.3)))
    env.reset(0)
    size = env.episodes.physics.object_size
    assert size.min() < 0.75 and size.max() > 1.25
    assert not env.engine.penetration().any()
    env.step(np.zeros((60, env.num_actions)))
    before, after = env.now.state.wxyz_xyz_world_object.copy(), None
    for _ in range(4):
        env.step(np.zeros((60, env.num_actions)))
        after = env.now.state.wxyz_xyz_world_object
    assert np.abs(after - before).max() < 1e-3


def test_resets_within_an_episode_are_valid_too(inspector: Inspector) -> None:
    env = env_of(16)
    env.reset(3)
    # Away from the object: every episode ends as missed.
    action = np.zeros((16, env.num_actions))
    action[:, 2] = 1.0
    seen = 0
    for _ in range(80):
        *_, terminated, truncated, _ = env.step(action)
        ended = np.flatnonzero(terminated | truncated)
        wrong = inspector.wrong(env.now.state)
        assert [wrong[index] for index in ended] == [""] * len(ended)
        seen += len(ended)
    assert seen >= 16


@pytest.mark.parametrize(
    ("field", "column", "by", "says"),
    [
        ("wxyz_xyz_world_object", 6, -0.002, "object elsewhere"),
        ("wxyz_xyz_world_object", 6, 0.002, "object elsewhere"),
        ("wxyz_xyz_world_object", 4, 0.2, "object elsewhere, palm elsewhere"),
        ("wxyz_xyz_world_object", 4, np.nan, "not finite"),
        ("joint_pos", 0, 0.3, "palm elsewhere"),
        ("joint_pos", 1, 4.0, "beyond a joint limit"),
        ("joint_pos", -1, 0.2, "hand elsewhere"),
        ("joint_vel", 3, 0.01, "moving"),
    ],
)
def test_the_judge_sees_what_is_wrong(
    inspector: Inspector, state: EngineState, field: str, column: int, by: float, says: str
) -> None:
    values = getattr(state, field).copy()
    values[2, column] += by
    wrong = inspector.wrong(replace(state, **{field: values}))
    assert wrong[:2] == ["", ""] and wrong[3:] == [""] * 5
    assert says in wrong[2]


def test_the_judge_sees_contact(state: EngineState) -> None:
    """A judge told that anything may be anywhere still sees a box in the hand and a box in the table."""
    lenient = Inspector(PUSH, ALLEGRO, Perturbation(start_position=1.0, start_yaw=3.0, start_joints=1.0))
    values = state.wxyz_xyz_world_object.copy()
    values[1, 4:6] = ALLEGRO.chain.forward(state.joint_pos[1]).translation[1, :2]
    touching = lenient.wrong(replace(state, wxyz_xyz_world_object=values))[1]
    assert "robot/" in touching and "object/" in touching
    values = state.wxyz_xyz_world_object.copy()
    values[1, 6] -= 0.01
    inside = lenient._touching(replace(state, wxyz_xyz_world_object=values), 1)
    assert "mm in object/collision/0" in inside and "scene/table" in inside


@pytest.mark.requirement("H42")
@pytest.mark.parametrize("kind", ["default", "overhead", "far"])
def test_other_starts_are_where_they_say_and_touch_nothing(kind: str) -> None:
    env, beside = env_of(8, 8, kind, noise=NONE), env_of(8, 8, noise=NONE)
    env.reset(0)
    beside.reset(0)
    assert not env.engine.penetration().any()
    palm, premanip = env.now.frames[0][0, :3, 3], beside.now.frames[0][0, :3, 3]
    p_world_object = env.now.state.wxyz_xyz_world_object[0, 4:]
    if kind == "default":
        assert np.allclose(env.now.state.joint_pos, ALLEGRO.home)
    elif kind == "overhead":
        fingertips = env.now.frames[1][0].mean(0)
        assert fingertips[:2] == pytest.approx(p_world_object[:2], abs=2e-3)
        assert fingertips[2] == pytest.approx(p_world_object[2] + 0.03 + 0.15, abs=2e-3)
        # The palm frame's x axis points out of the palm: down, or back to the robot where the fingers point down.
        assert env.now.frames[0][0, 2, 0] < -0.4
    else:
        assert np.linalg.norm(palm - premanip) == pytest.approx(0.15, abs=3e-3)
        assert np.linalg.norm(palm - p_world_object) > np.linalg.norm(premanip - p_world_object) + 0.08
    assert np.linalg.norm(palm - premanip) > 0.05


@pytest.mark.requirement("H42")
def test_overhead_and_far_follow_the_displaced_object_and_default_does_not() -> None:
    offsets = {}
    for kind in ("default", "overhead", "far", "premanip"):
        env = env_of(8, 20, kind, Perturbation(start_position=0.05))
        env.reset(0)
        offsets[kind] = (env.now.frames[0][:, :3, 3] - env.now.state.wxyz_xyz_world_object[:, 4:]).std(0)[:2].max()
    assert offsets.pop("default") > 0.02
    assert max(offsets.values()) < 3e-3


@pytest.mark.requirement("H11")
def test_a_start_that_cannot_be_reached_names_the_distance() -> None:
    away = SE3.from_parts(np.eye(4)[0], np.array([0.6, 0.0, 0.0]))
    moved = PUSH.replace(
        reference=PUSH.reference.replace(wxyz_xyz_world_object=(away @ PUSH.reference.Ts_world_object).wxyz_xyz),
    )
    with pytest.raises(PalmUnreachableError, match=r"misses the palm by \d+ mm"):
        make_env(moved, ALLEGRO, 2).reset(0)
    with pytest.raises(SchemaError, match=r"cannot bring its hand to .* stays \d+ mm away"):
        make_env(moved, ALLEGRO, 2, EnvCfg(start=StartCfg(kind="overhead"))).reset(0)


def test_starts_that_are_hardly_ever_free_are_refused_with_the_reasons() -> None:
    poses = PUSH.reference.wxyz_xyz_world_object.copy()
    poses[:, 6] -= 0.01
    sunk = PUSH.replace(reference=PUSH.reference.replace(wxyz_xyz_world_object=poses))
    with pytest.raises(StartError, match=r"Only 0 of \d+ starts .* the object is more than 1\.0 mm inside the table"):
        make_env(sunk, ALLEGRO, 2).reset(0)
    with pytest.raises(SchemaError, match="premanip, unmoved, default, overhead, far"):
        StartCfg(kind="besides")


def test_an_unmoved_start_does_not_follow_the_object() -> None:
    start = find_start(PUSH, ALLEGRO, "unmoved", 0.0)
    assert start.T_object_palm is None
    assert np.array_equal(start.joint_pos, robot_pose(PUSH, ALLEGRO).joint_pos)
