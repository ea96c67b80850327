"""Actions move the palm and the hand as they say, within what the robot may do; the same lines on NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.mdp.actions import ACTION_MAPS, ActionCfg, ActionMap, ActionState
from h2s2r_sim.mdp.body import Body

DT = 1.0 / 15.0
#: A configuration away from limits and singularities.
ARM = np.array([0.2, 0.6, 0.1, -1.3, 0.2, 0.9, 0.3])


def started(name: str, cfg: ActionCfg, count: int = 1) -> tuple[ActionMap, ActionState]:
    embodiment = load_embodiment(name)
    actions = ActionMap(cfg, Body.of(embodiment), DT)
    joint_pos = np.repeat(np.concatenate([ARM, embodiment.home[7:]])[None], count, 0)
    return actions, actions.start(joint_pos)


@pytest.mark.requirement("H46")
@pytest.mark.requirement("H47")
@pytest.mark.parametrize("name", embodiment_names())
def test_a_twist_moves_the_palm_by_that_much(name: str) -> None:
    # Without the speed limit of the joints, and without the pull to rest, what is asked is what is done.
    actions, state = started(name, ActionCfg(rest_pull=0.0, damping=1e-3))
    before, _ = actions.body.frames(state.joint_pos_target)
    action = np.zeros((1, actions.num_actions))
    action[0, :6] = (0.3, -0.2, 0.25, 0.3, 0.2, -0.3)
    after, _ = actions.body.frames(actions.apply(state, action, state.joint_pos_target).joint_pos_target)
    assert np.allclose(after[0, :3, 3] - before[0, :3, 3], 0.02 * action[0, :3], atol=5e-4)
    turn = after[0, :3, :3] @ before[0, :3, :3].T
    rotvec = 0.5 * np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    assert np.allclose(rotvec, 0.06 * action[0, 3:6], atol=1e-3)


@pytest.mark.parametrize("name", embodiment_names())
@pytest.mark.parametrize("kind", ACTION_MAPS)
def test_targets_keep_all_limits(name: str, kind: str) -> None:
    actions, state = started(name, ActionCfg(name=kind), count=64)
    robot, rng = actions.body.robot, np.random.default_rng(0)
    measured = state.joint_pos_target
    for _ in range(60):
        last = state.joint_pos_target
        state = actions.apply(state, rng.uniform(-3.0, 3.0, (64, actions.num_actions)), measured)
        target = state.joint_pos_target
        assert (target >= robot.position_lower).all()
        assert (target <= robot.position_upper).all()
        assert (np.abs(target - last) <= robot.velocity_limit * DT + 1e-12).all()
        assert (np.abs(target - measured)[:, :7] <= 0.25 + robot.velocity_limit[:7] * DT + 1e-9).all()
        assert (np.abs(state.synergy) <= actions.cfg.synergy_limit).all()
        # Half of the robots follow, half are blocked.
        measured = np.concatenate([target[:32], measured[32:]])


def test_the_hand_follows_its_synergies() -> None:
    actions, state = started("iiwa14_allegro", ActionCfg())
    rest, action = state.rest.copy(), np.zeros((1, actions.num_actions))
    action[0, 6] = 1.0
    for _ in range(30):
        state = actions.apply(state, action, state.joint_pos_target)
    robot = actions.body.robot
    furthest = rest[0, 7:] + actions.cfg.synergy_limit * actions.body.synergies[0]
    wanted = np.clip(furthest, robot.position_lower[7:], robot.position_upper[7:])
    assert np.allclose(state.joint_pos_target[0, 7:], wanted, atol=1e-3)
    for _ in range(30):
        action[0, 6] = -1.0 if state.synergy[0, 0] > 0.01 else 0.0
        state = actions.apply(state, action, state.joint_pos_target)
    assert np.allclose(
        state.joint_pos_target[0, 7:], rest[0, 7:] + state.synergy[0] @ actions.body.synergies, atol=1e-2
    )


def test_the_arm_drifts_to_its_rest_posture_without_moving_the_palm() -> None:
    actions, state = started("iiwa14_allegro", ActionCfg(rest_pull=0.1))
    body, elbow = actions.body, state.joint_pos_target.copy()
    # Move along the null space first, then let go.
    jacobian = body.palm_jacobian(elbow[:, :7])[0]
    free = np.linalg.svd(jacobian)[2][-1]
    away = elbow.copy()
    away[0, :7] += 0.1 * free
    moved = ActionState(away, state.synergy, state.rest)
    before, _ = body.frames(away)
    for _ in range(20):
        moved = actions.apply(moved, np.zeros((1, actions.num_actions)), moved.joint_pos_target)
    after, _ = body.frames(moved.joint_pos_target)
    assert np.abs((moved.joint_pos_target - state.rest)[0, :7] @ free) < 0.03
    assert np.linalg.norm(after[0, :3, 3] - before[0, :3, 3]) < 2e-3


def test_one_robot_gets_what_a_row_of_many_gets() -> None:
    actions, state = started("iiwa14_allegro", ActionCfg(), count=5)
    rng = np.random.default_rng(0)
    action = rng.uniform(-1, 1, (5, actions.num_actions))
    measured = state.joint_pos_target + 0.01 * rng.normal(size=state.joint_pos_target.shape)
    many = actions.apply(state, action, measured)
    one = actions.apply(
        ActionState(*(each[2:3] for each in (state.joint_pos_target, state.synergy, state.rest))),
        action[2:3],
        measured[2:3],
    )
    assert np.allclose(one.joint_pos_target, many.joint_pos_target[2:3], atol=1e-12)


def test_torch_computes_the_same() -> None:
    torch = pytest.importorskip("torch")
    actions, state = started("iiwa14_allegro", ActionCfg(), count=4)
    action = np.random.default_rng(0).uniform(-1, 1, (4, actions.num_actions))
    tensors = ActionState(
        *(torch.from_numpy(each.copy()) for each in (state.joint_pos_target, state.synergy, state.rest))
    )
    for _ in range(3):
        state = actions.apply(state, action, state.joint_pos_target)
        tensors = actions.apply(tensors, torch.from_numpy(action), tensors.joint_pos_target)
    assert isinstance(tensors.joint_pos_target, torch.Tensor)
    assert np.allclose(tensors.joint_pos_target.numpy(), state.joint_pos_target, atol=1e-12)


def test_data_round_trip_and_unknown_names() -> None:
    actions, _ = started("iiwa14_umi", ActionCfg(name="joint_delta", synergy=0.2))
    assert ActionMap.from_data(actions.as_data(), actions.body, DT).cfg == actions.cfg
    with pytest.raises(SchemaError, match="palm_twist, joint_delta"):
        ActionMap(ActionCfg(name="fabric"), actions.body, DT)
    with pytest.raises(SchemaError, match="ActionCfg"):
        ActionMap.from_data({"gain": 1.0}, actions.body, DT)


@pytest.mark.parametrize("name", embodiment_names())
def test_joint_targets_are_reached_as_fast_as_joints_may_move(name: str) -> None:
    actions, state = started(name, ActionCfg(name="joint_target"))
    robot = actions.body.robot
    assert actions.num_actions == len(robot.joint_names)
    wanted = 0.5 * (state.joint_pos_target + 0.5 * (robot.position_lower + robot.position_upper))
    action = 2.0 * (wanted - robot.position_lower) / (robot.position_upper - robot.position_lower) - 1.0
    for _ in range(200):
        before, state = state.joint_pos_target, actions.apply(state, action, state.joint_pos_target)
        assert (np.abs(state.joint_pos_target - before) <= DT * robot.velocity_limit + 1e-12).all()
    np.testing.assert_allclose(state.joint_pos_target, wanted, atol=1e-9)
