"""The cost and its derivatives; rotation vectors; the starts of further attempts.

In:  small robots, random configurations.   Out: agreement with finite differences and with SE3.
Not here: minimising the cost (test_solver).
"""

import numpy as np
import pytest
from robots_for_tests import ALL_KINDS, ARM, HAND

from h2s2r_retarget.kinematics import Chain
from h2s2r_retarget.solve import SolverCfg
from h2s2r_retarget.solve.objective import Objective, Targets, rotation_vector
from h2s2r_retarget.solve.restarts import spread_starts
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

URDFS = {"all_kinds": ALL_KINDS, "arm": ARM, "hand": HAND}


def problem(name: str, num_poses: int, num: int = 4):
    """A chain with its objective, configurations (num, J), and targets a hand's width away from them."""
    chain = Chain.from_urdf(URDFS[name])
    rng = np.random.default_rng(0)
    joint_pos = rng.uniform(-0.5, 0.5, (num, len(chain.joint_names)))
    frames = chain.matrices(joint_pos + rng.normal(0, 0.3, joint_pos.shape))
    targets = Targets(frames[..., :3, 3] + rng.normal(0, 0.05, (*frames.shape[:2], 3)), frames[:, :num_poses, :3, :3])
    objective = Objective(chain.tables(joint_pos), 0.3, np.eye(joint_pos.shape[1]))
    return objective, joint_pos, targets


def central_difference(f, joint_pos, small=1e-6):
    """Derivative of ``f`` (N, …) along each joint, as (N, …, J)."""
    columns = []
    for j in range(joint_pos.shape[1]):
        step = np.zeros_like(joint_pos)
        step[:, j] = small
        columns.append((f(joint_pos + step) - f(joint_pos - step)) / (2 * small))
    return np.stack(columns, -1)


@pytest.mark.parametrize("name", sorted(URDFS))
@pytest.mark.parametrize("num_poses", [0, 1])
def test_gradient_is_the_derivative_of_the_cost(name, num_poses):
    objective, joint_pos, targets = problem(name, num_poses)
    at = objective.linearise(joint_pos, targets, False)
    expected = central_difference(lambda q: objective.linearise(q, targets, False).cost, joint_pos)
    np.testing.assert_allclose(at.gradient, expected, atol=1e-8)


@pytest.mark.parametrize("name", sorted(URDFS))
def test_hessian_with_curvature_is_the_derivative_of_the_gradient(name):
    objective, joint_pos, targets = problem(name, 0)
    at = objective.linearise(joint_pos, targets, True)
    expected = central_difference(lambda q: objective.linearise(q, targets, False).gradient, joint_pos)
    np.testing.assert_allclose(at.hessian, expected, atol=1e-7)
    without = objective.linearise(joint_pos, targets, False)
    assert np.abs(without.hessian - expected).max() > 1e-3


def test_a_penalty_adds_to_cost_gradient_and_hessian():
    objective, joint_pos, targets = problem("arm", 1)
    rows = np.random.default_rng(1).normal(size=(2, 7))

    def penalty(q):
        return q @ rows.T - 0.1, np.broadcast_to(rows, (len(q), 2, 7))

    with_it = Objective(objective.tables, 0.3, objective.identity, penalty)
    plain, added = (o.linearise(joint_pos, targets, False) for o in (objective, with_it))
    residual = joint_pos @ rows.T - 0.1
    np.testing.assert_allclose(added.cost - plain.cost, 0.5 * (residual**2).sum(-1), atol=1e-12)
    np.testing.assert_allclose(added.gradient - plain.gradient, residual @ rows, atol=1e-12)
    np.testing.assert_allclose(added.hessian - plain.hessian, np.broadcast_to(rows.T @ rows, (4, 7, 7)), atol=1e-12)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_rotation_vectors_up_to_half_a_turn(kind):
    axes = np.random.default_rng(2).normal(size=(40, 3))
    axes = np.concatenate((axes / np.linalg.norm(axes, axis=-1, keepdims=True), np.eye(3)))
    for angle in (0.0, 1e-12, 1e-7, 1e-3, 1.0, 2.8, 2.9, 3.0, np.pi - 1e-5, np.pi - 1e-9):
        matrices = SE3.exp(np.concatenate((np.zeros_like(axes), angle * axes), -1)).rotation_matrix()
        if kind == "torch":
            torch = pytest.importorskip("torch")
            matrices = torch.tensor(matrices)
        np.testing.assert_allclose(
            np.asarray(rotation_vector(matrices)), angle * axes, atol=2e-8 if angle > 3 else 1e-14
        )


def test_starts_fill_the_limits_from_the_first_on():
    lower, upper = np.array([-1.0, 0.0, -np.inf, 0.0]), np.array([1.0, 0.5, np.inf, 0.0])
    starts = spread_starts(lower, upper, 31, 0)
    assert (starts >= np.maximum(lower, -np.pi)).all() and (starts <= np.minimum(upper, np.pi)).all()
    np.testing.assert_array_equal(starts[:8], spread_starts(lower, upper, 8, 0))
    assert not np.allclose(starts[:, :3], spread_starts(lower, upper, 31, 1)[:, :3])
    # Each quarter of a joint's range gets its share of the first eight.
    for column in ((starts[:8, 0] + 1) / 2, starts[:8, 1] / 0.5, (starts[:8, 2] + np.pi) / (2 * np.pi)):
        assert set((column * 4).astype(int)) == {0, 1, 2, 3}


def test_rounds_grow_and_end_with_the_restarts():
    assert SolverCfg(restarts=0).rounds == ((0, 1),)
    assert SolverCfg(restarts=2).rounds == ((0, 1), (1, 3))
    assert SolverCfg(restarts=9).rounds == ((0, 1), (1, 4), (4, 8), (8, 10))
    assert SolverCfg().rounds == ((0, 1), (1, 4), (4, 8), (8, 16), (16, 32))


@pytest.mark.parametrize(
    "wrong", [{"backend": "cuda"}, {"tolerance": 0.0}, {"max_iterations": 0}, {"restarts": -1}, {"agreement": 0}]
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(SchemaError, match=next(iter(wrong))):
        SolverCfg(**wrong)
