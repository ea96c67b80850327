"""What the policy sees: the terms, for one robot as for many, on NumPy and torch; importing it loads no engine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp import observations
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalCfg, GoalPath
from h2s2r_sim.mdp.observations import ACTOR_TERMS, TERMS, Seen, layout, memory_length, observe, terms_of
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.task import load_task

N = 6


@pytest.fixture(scope="module")
def seen() -> Seen:
    task, embodiment = load_task("plate_push"), load_embodiment("iiwa14_allegro")
    tracked, body = TrackedObject.of(task), Body.of(embodiment)
    path = GoalPath(GoalCfg(), task.reference, 1 / 15, tracked)
    rng = np.random.default_rng(0)
    joint_pos = embodiment.home + 0.1 * rng.normal(size=(N, 23))
    index = np.arange(N) * 9
    at = SE3(path.target.wxyz_xyz_world_object[index])
    placed = tracked.placed(at @ SE3.exp(0.05 * rng.normal(size=(N, 6))), at)
    return Seen(
        body=body,
        path=path,
        joint_pos=joint_pos,
        frames=body.frames(joint_pos),
        joint_vel=rng.normal(size=(N, 23)),
        joint_pos_target=joint_pos + 0.01,
        placed=placed,
        p_world_anchors_past=placed.p_world_anchors[:, None] + 0.01 * np.arange(4)[:, None, None],
        object_age=np.full(N, 0.07),
        goal_index=index,
        last_action=rng.uniform(-1, 1, (N, 11)),
    )


def as_torch(record, torch):
    """The same record with tensors in the place of arrays."""
    if isinstance(record, np.ndarray):
        return torch.from_numpy(record.copy())
    if isinstance(record, tuple):
        return tuple(as_torch(each, torch) for each in record)
    return record


def test_each_term_is_finite_and_has_the_size_of_its_layout(seen: Seen) -> None:
    everything = tuple((name, {}) for name in TERMS)
    terms = layout(seen, everything)
    assert observe(seen, everything).shape == (N, sum(term.size for term in terms))
    assert np.isfinite(observe(seen, everything)).all()
    assert terms_of(layout(seen, ACTOR_TERMS)) == ACTOR_TERMS


def test_the_policy_is_shown_only_what_a_cell_has() -> None:
    assert {name for name, _ in ACTOR_TERMS} <= set(TERMS) - {"joint_vel"}


def test_what_the_terms_say(seen: Seen) -> None:
    robot = seen.body.robot
    assert np.allclose(
        observations.joint_pos(seen) * (robot.position_upper - robot.position_lower) / 2
        + (robot.position_upper + robot.position_lower) / 2,
        seen.joint_pos,
    )
    assert np.allclose(observations.joint_lead(seen), 0.01)
    tips = observations.fingertips(seen).reshape(N, -1, 3) + seen.placed.wxyz_xyz_world_object[:, None, 4:]
    assert np.allclose(tips, seen.body.whole.forward(seen.joint_pos).translation[:, 1:])
    left = observations.goal_anchors(seen, (0, 5)).reshape(N, 2, -1, 3)
    later = seen.path.target.p_world_anchors[np.minimum(seen.goal_index + 5, seen.path.last)]
    assert np.allclose(left[:, 1], later - seen.placed.p_world_anchors)
    assert np.allclose(observations.object_motion(seen, (1, 3)).reshape(N, 2, -1)[:, 1], 0.03)
    assert observations.phase(seen)[0, 0] == 0.0
    assert memory_length(ACTOR_TERMS) == 4


def test_at_the_end_the_goal_ahead_stands_still(seen: Seen) -> None:
    ended = replace(seen, goal_index=np.full(N, seen.path.last))
    now, later = np.split(observations.goal_anchors(ended, (0, 15)), 2, axis=-1)
    assert np.array_equal(now, later)


def test_a_turn_nobody_can_see_changes_nothing(seen: Seen) -> None:
    """The plate turns freely about its axis: what is seen of it must not depend on that turn."""
    task = load_task("plate_push")
    tracked, goal = TrackedObject.of(task), SE3(seen.path.target.wxyz_xyz_world_object[seen.goal_index])
    spin = SE3.exp(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.3]))
    turned = replace(seen, placed=tracked.placed(SE3(seen.placed.wxyz_xyz_world_object) @ spin, goal))
    for term in (observations.object_pose, observations.goal_anchors, observations.fingertips):
        assert np.allclose(term(turned), term(seen), atol=1e-9)


def test_one_robot_sees_what_a_row_of_many_sees(seen: Seen) -> None:
    rows = {key: value[2:3] for key, value in vars(seen).items() if isinstance(value, np.ndarray)}
    one = replace(
        seen, **rows, frames=(seen.frames[0][2:3], seen.frames[1][2:3]), placed=seen.placed.take(np.array([2]))
    )
    assert np.allclose(observe(one, ACTOR_TERMS)[0], observe(seen, ACTOR_TERMS)[2], atol=1e-12)


def test_torch_sees_the_same(seen: Seen) -> None:
    torch = pytest.importorskip("torch")
    placed = replace(seen.placed, **{key: as_torch(value, torch) for key, value in vars(seen.placed).items()})
    tensors = replace(
        seen,
        **{key: as_torch(value, torch) for key, value in vars(seen).items() if key not in ("body", "path", "placed")},
        placed=placed,
    )
    found = observe(tensors, ACTOR_TERMS)
    assert isinstance(found, torch.Tensor)
    assert np.allclose(found.numpy(), observe(seen, ACTOR_TERMS), atol=1e-12)


def test_an_unknown_term_is_named(seen: Seen) -> None:
    with pytest.raises(SchemaError, match="there are: joint_pos"):
        observe(seen, (("camera_image", {}),))


def test_importing_mdp_loads_no_engine() -> None:
    code = (
        "import sys, h2s2r_sim.mdp.observations, h2s2r_sim.mdp.actions, h2s2r_sim.mdp.rewards, h2s2r_sim.mdp.goal, "
        "h2s2r_sim.mdp.terminations, h2s2r_sim.mdp.events; assert not {'mujoco', 'torch', 'warp'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
