"""The damped step that control loops take.

In:  chains, poses.   Out: steps that approach, stay small near singularities, and keep to the limits.
Not here: iterating until converged (test_solver).
"""

import numpy as np
import pytest
from robots_for_tests import ARM

from h2s2r_retarget.kinematics import Chain, damped_step, pose_error, step_towards
from h2s2r_schemas.se3 import SE3

BENT = np.array([0.0, 0.6, 0.0, -1.2, 0.0, 0.8, 0.0])


def test_step_is_the_minimum_of_the_damped_cost():
    rng = np.random.default_rng(0)
    for rows, joints in ((6, 7), (7, 6), (3, 16)):
        jacobian, error, damping = rng.normal(size=(4, rows, joints)), rng.normal(size=(4, rows)), 0.3
        step = damped_step(jacobian, error, damping)
        # lstsq on the stacked problem: error on top, damping times the step below.
        for n in range(4):
            stacked = np.concatenate((jacobian[n], damping * np.eye(joints)))
            expected = np.linalg.lstsq(stacked, np.concatenate((error[n], np.zeros(joints))), rcond=None)[0]
            np.testing.assert_allclose(step[n], expected, atol=1e-12)


def test_pose_error_is_what_a_small_motion_leaves():
    rng = np.random.default_rng(1)
    T_root_frame = SE3.exp(rng.normal(size=(5, 6)))
    moved, turned = rng.normal(0, 0.1, (5, 3)), rng.normal(0, 0.5, (5, 3))
    T_root_turned = SE3.exp(np.concatenate((np.zeros((5, 3)), turned), -1))
    T_root_target = SE3.from_parts((T_root_turned @ T_root_frame).wxyz, T_root_frame.translation + moved)
    np.testing.assert_allclose(pose_error(T_root_frame, T_root_target), np.concatenate((moved, turned), -1), atol=1e-12)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [(), (8,)])
def test_steps_arrive(kind, shape):
    chain = Chain.from_urdf(ARM)
    rng = np.random.default_rng(2)
    joint_pos = BENT + rng.normal(0, 0.1, (*shape, 7))
    goal = BENT + rng.normal(0, 0.1, (*shape, 7))
    if kind == "torch":
        torch = pytest.importorskip("torch")
        joint_pos, goal = torch.tensor(joint_pos), torch.tensor(goal)
    target = chain.forward(goal, "tip")
    for _ in range(60):
        joint_pos = step_towards(chain, joint_pos, target, "tip", damping=0.02)
    distance, angle = chain.forward(joint_pos, "tip").distance(target)
    assert type(joint_pos) is type(goal)
    assert float(distance.max()) < 1e-6 and float(angle.max()) < 1e-6


def test_a_stretched_arm_moves_little():
    chain = Chain.from_urdf(ARM)
    T_root_above = SE3.from_parts([1.0, 0, 0, 0], [0.0, 0, 3.0])
    step = step_towards(chain, np.zeros(7), T_root_above, "tip", damping=0.1)
    assert np.abs(step).max() < 1e-9


def test_step_limit_shortens_the_whole_step():
    chain = Chain.from_urdf(ARM)
    target = chain.forward(BENT + 0.5, "tip")
    free = step_towards(chain, BENT, target, "tip") - BENT
    short = step_towards(chain, BENT, target, "tip", step_limit=0.01) - BENT
    assert np.abs(free).max() > 0.02
    np.testing.assert_allclose(short, free * 0.01 / np.abs(free).max(), atol=1e-9)


def test_joints_stay_inside_their_limits():
    chain = Chain.from_urdf(ARM)
    joint_pos, target = chain.upper - 0.01, chain.forward(chain.upper + 1.0, "tip")
    for _ in range(20):
        joint_pos = step_towards(chain, joint_pos, target, "tip")
    assert (joint_pos <= chain.upper).all() and (joint_pos >= chain.lower).all()
