"""Inverse kinematics: reached where possible, closest where not, always inside the limits, always the same.

In:  small robots, targets made from known configurations, scipy as the other judge.   Out: agreement.
Not here: speed (benchmark), human hands (test_retarget).
"""

from dataclasses import replace

import numpy as np
import pytest
from robots_for_tests import ALL_KINDS, ARM, HAND

from h2s2r_retarget.kinematics import Chain
from h2s2r_retarget.solve import Solver, SolverCfg
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

HOME = np.array([0.0, 0.6, 0.0, -1.2, 0.0, 0.8, 0.0])
NUMPY = SolverCfg(backend="numpy")
BACKENDS = ["numpy", "numba"]


def backend(name: str) -> SolverCfg:
    if name == "numba":
        pytest.importorskip("numba")
    return SolverCfg(backend=name)


def reachable(chain: Chain, num: int, seed: int = 0) -> SE3:
    """Poses (num, F) of random configurations inside the limits."""
    lower, upper = np.maximum(chain.lower, -np.pi), np.minimum(chain.upper, np.pi)
    return chain.forward(np.random.default_rng(seed).uniform(lower, upper, (num, len(chain.joint_names))))


def assert_inside(solution, chain: Chain) -> None:
    assert (solution.joint_pos >= chain.lower).all() and (solution.joint_pos <= chain.upper).all()


# ── what can be reached is reached ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("H11")
@pytest.mark.parametrize("name", BACKENDS)
def test_every_reachable_arm_pose(name):
    chain = Chain.from_urdf(ARM)
    Ts_root_tip = reachable(chain, 200)
    solution = Solver(chain, poses=["tip"], cfg=backend(name)).solve(Ts_root_tip, guess=HOME)
    assert solution.reached.all() and solution.joint_names == chain.joint_names
    assert_inside(solution, chain)
    # Judged by the forward kinematics, not by what the solver says of itself.
    distance, angle = chain.forward(solution.joint_pos).distance(Ts_root_tip)
    assert distance.max() < 1e-6 and angle.max() < 1e-6
    np.testing.assert_allclose(solution.position_error, distance, atol=1e-12)
    np.testing.assert_allclose(solution.rotation_error, angle, atol=1e-9)


@pytest.mark.requirement("H12")
@pytest.mark.parametrize("name", BACKENDS)
def test_every_reachable_fingertip(name):
    chain = Chain.from_urdf(HAND)
    wanted = reachable(chain, 200).translation
    solution = Solver(chain, points=chain.frames, cfg=backend(name)).solve(p_root_points=wanted)
    assert solution.reached.all()
    assert_inside(solution, chain)
    assert np.linalg.norm(chain.forward(solution.joint_pos).translation - wanted, axis=-1).max() < 1e-6


@pytest.mark.parametrize("name", BACKENDS)
def test_every_kind_of_joint(name):
    """A turn without limits, a slide, and joints coupled by mimic; one frame as a pose, one as a point."""
    chain = Chain.from_urdf(ALL_KINDS, ["palm", "tip"])
    wanted = reachable(chain, 60)
    solver = Solver(chain, poses=["palm"], points=["tip"], cfg=backend(name))
    solution = solver.solve(wanted[:, :1], wanted[:, 1:].translation)
    assert solution.frames == ("palm", "tip")
    assert solution.reached.all() and solution.position_error.shape == (60, 2)
    assert solution.rotation_error.shape == (60, 1)
    assert_inside(solution, chain)


@pytest.mark.parametrize("name", BACKENDS)
def test_half_a_turn_away(name):
    """The rotation vector has no direction there; joints 1 and 7 make such a turn about a vertical and the tip's axis."""
    chain = Chain.from_urdf(ARM)
    solver = Solver(chain, poses=["tip"], cfg=backend(name))
    for joint in (0, 6):
        half = np.eye(7)[joint] * np.pi / 2
        _, angle = chain.forward(HOME + half, "tip").distance(chain.forward(HOME - half, "tip"))
        assert abs(angle - np.pi) < 1e-9
        assert solver.solve(chain.forward(HOME + half), guess=HOME - half).reached.all()


def test_a_good_guess_is_kept():
    chain = Chain.from_urdf(ARM)
    solver = Solver(chain, poses=["tip"], cfg=NUMPY)
    guesses = np.random.default_rng(3).uniform(0.8 * chain.lower, 0.8 * chain.upper, (30, 7))
    moved = guesses + np.random.default_rng(4).normal(0, 0.01, guesses.shape)
    solution = solver.solve(chain.forward(moved), guess=guesses)
    assert solution.reached.all()
    assert np.abs(solution.joint_pos - guesses).max() < 0.2
    there = solver.solve(chain.forward(guesses), guess=guesses)
    np.testing.assert_array_equal(there.joint_pos, guesses)
    assert not there.iterations.any()


# ── what cannot be reached ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("H11")
@pytest.mark.parametrize("name", BACKENDS)
def test_out_of_reach_is_told_with_the_distance(name):
    chain = Chain.from_urdf(ARM)
    solver = Solver(chain, points=["tip"], cfg=backend(name))
    # Stretched straight up, the tip stands at 1.411 m; two metres to the side, the shoulder at 0.36 m is the centre.
    solution = solver.solve(p_root_points=[[[0.0, 0.0, 2.0]], [[2.0, 0.0, 0.36]]], guess=HOME)
    assert not solution.reached.any()
    np.testing.assert_allclose(solution.position_error[:, 0], [2.0 - 1.411, 2.0 - (1.411 - 0.36)], atol=1e-9)
    assert_inside(solution, chain)


@pytest.mark.parametrize("name", BACKENDS)
def test_joints_at_their_limits_are_told(name):
    chain = Chain.from_urdf(HAND)
    # Behind the knuckle: the fingers bend back as far as they can.
    solution = Solver(chain, points=chain.frames, cfg=backend(name)).solve(
        p_root_points=[[-0.2, 0.04, 0.1], [-0.2, -0.04, 0.1]]
    )
    lowest = [name.endswith(("1_joint", "2_joint", "3_joint")) for name in chain.joint_names]
    np.testing.assert_array_equal(solution.joint_pos[lowest], chain.lower[lowest])
    assert solution.at_limit[lowest].all() and not solution.reached.any()


def scipy_floor(chain: Chain, target: np.ndarray, starts: np.ndarray) -> float:
    """Smallest distance [m] that scipy's trust-region and SLSQP find from any of the starts."""
    optimize = pytest.importorskip("scipy.optimize")
    bounds = list(zip(chain.lower, chain.upper, strict=True))

    def cost(q):
        ahead = 100 * (chain.matrices(q)[0, :3, 3] - target)
        return ahead @ ahead, 200 * chain.jacobian(q)[0, :3].T @ ahead

    ends = [
        optimize.minimize(
            cost, start, jac=True, bounds=bounds, method="SLSQP", options={"ftol": 1e-16, "maxiter": 200}
        ).x
        for start in starts
    ]
    return min(np.sqrt(cost(np.clip(end, chain.lower, chain.upper))[0]) / 100 for end in ends)


@pytest.mark.requirement("H12")
@pytest.mark.parametrize("name", BACKENDS)
def test_errors_are_the_floor_that_scipy_finds(name):
    chain = Chain.from_urdf(HAND)
    rng = np.random.default_rng(5)
    wanted = reachable(chain, 15, seed=5).translation + rng.normal(0, 0.02, (15, 2, 3))
    solution = Solver(chain, points=chain.frames, cfg=backend(name)).solve(p_root_points=wanted)
    assert 5 < (~solution.reached).sum() < 25
    for f, frame in enumerate(chain.frames):
        finger = chain.sub([frame])
        starts = rng.uniform(finger.lower, finger.upper, (4, 4))
        floor = np.array([scipy_floor(finger, target, starts) for target in wanted[:, f]])
        assert (solution.position_error[:, f] - floor).max() < 1e-6


def test_fingers_are_solved_independently():
    chain = Chain.from_urdf(HAND)
    solver = Solver(chain, points=chain.frames, cfg=NUMPY)
    wanted = reachable(chain, 10).translation
    disturbed = wanted.copy()
    disturbed[:, 0] += 1.0
    plain, other = solver.solve(p_root_points=wanted), solver.solve(p_root_points=disturbed)
    ring = [name.startswith("ring") for name in chain.joint_names]
    np.testing.assert_array_equal(plain.joint_pos[:, ring], other.joint_pos[:, ring])
    assert other.reached[:, 1].all() and not other.reached[:, 0].any()


# ── restarts, penalties ─────────────────────────────────────────────────────────────────────────────────────────────


def test_restarts_are_for_what_failed_only():
    chain = Chain.from_urdf(ARM)
    Ts_root_tip = reachable(chain, 200, seed=6)
    first = Solver(chain, poses=["tip"], cfg=replace(NUMPY, restarts=0)).solve(Ts_root_tip, guess=HOME)
    full = Solver(chain, poses=["tip"], cfg=NUMPY).solve(Ts_root_tip, guess=HOME)
    at_once = first.reached[:, 0]
    assert 0.85 < at_once.mean() < 1 and full.reached.all()
    np.testing.assert_array_equal(full.joint_pos[at_once], first.joint_pos[at_once])
    assert (full.iterations[~at_once] > first.iterations[~at_once]).all()


@pytest.mark.parametrize("name", BACKENDS)
def test_attempts_that_agree_end_the_search(name):
    chain = Chain.from_urdf(HAND, ["index_tip"])
    far = np.array([[[0.0, 0.0, 0.5]]])
    cfg = backend(name)
    early = Solver(chain, points=chain.frames, cfg=cfg).solve(p_root_points=far)
    late = Solver(chain, points=chain.frames, cfg=replace(cfg, agreement=1000)).solve(p_root_points=far)
    assert early.iterations < 0.5 * late.iterations
    np.testing.assert_allclose(early.position_error, late.position_error, atol=1e-8)


def test_a_penalty_chooses_among_solutions():
    chain = Chain.from_urdf(ARM)
    Ts_root_tip = chain.forward(HOME)[None]

    def elbow_out(joint_pos):
        # Wants joint 3 at 0.7 rad; seven joints leave that freedom.
        jacobian = np.zeros((len(joint_pos), 1, 7))
        jacobian[:, 0, 2] = 0.1
        return 0.1 * (joint_pos[:, 2:3] - 0.7), jacobian

    plain = Solver(chain, poses=["tip"], cfg=NUMPY).solve(Ts_root_tip, guess=HOME)
    pushed = Solver(chain, poses=["tip"], cfg=NUMPY, penalty=elbow_out).solve(Ts_root_tip, guess=HOME)
    assert plain.reached.all() and pushed.reached.all()
    np.testing.assert_allclose(plain.joint_pos[0, 2], 0.0, atol=1e-9)
    np.testing.assert_allclose(pushed.joint_pos[0, 2], 0.7, atol=1e-5)


# ── the same result, whoever computes it ────────────────────────────────────────────────────────────────────────────


def mixed(chain: Chain, num: int) -> np.ndarray:
    """Points (num, F, 3) of which a good part is out of reach."""
    wanted = reachable(chain, num, seed=7).translation
    return wanted + np.random.default_rng(7).normal(0, 0.02, wanted.shape)


@pytest.mark.parametrize("name", BACKENDS)
def test_results_are_the_same_bytes_every_time_and_in_every_batch(name):
    chain = Chain.from_urdf(HAND)
    wanted = mixed(chain, 30)
    solver = Solver(chain, points=chain.frames, cfg=backend(name))
    whole = solver.solve(p_root_points=wanted)
    again = Solver(Chain.from_urdf(HAND), points=chain.frames, cfg=backend(name)).solve(p_root_points=wanted)
    assert whole.joint_pos.tobytes() == again.joint_pos.tobytes()
    alone = np.stack([solver.solve(p_root_points=one).joint_pos for one in wanted])
    # Matrix products of another size may round differently in the last digit.
    np.testing.assert_allclose(whole.joint_pos, alone, atol=1e-9)
    other_seed = Solver(chain, points=chain.frames, cfg=replace(backend(name), seed=1)).solve(p_root_points=wanted)
    np.testing.assert_allclose(other_seed.position_error, whole.position_error, atol=1e-6)


@pytest.mark.parametrize("urdf", [ARM, HAND, ALL_KINDS], ids=["arm", "hand", "all_kinds"])
@pytest.mark.parametrize("as_poses", [False, True])
def test_numba_and_numpy_take_the_same_steps(urdf, as_poses):
    pytest.importorskip("numba")
    chain = Chain.from_urdf(urdf)
    wanted = mixed(chain, 40)
    solutions = []
    for name in BACKENDS:
        if as_poses:
            solver = Solver(chain, poses=chain.frames, cfg=backend(name))
            solutions.append(solver.solve(SE3.from_parts(reachable(chain, 40).wxyz, wanted)))
        else:
            solutions.append(Solver(chain, points=chain.frames, cfg=backend(name)).solve(p_root_points=wanted))
    ours, fast = solutions
    np.testing.assert_array_equal(fast.reached, ours.reached)
    np.testing.assert_allclose(fast.position_error, ours.position_error, atol=1e-6)
    np.testing.assert_allclose(fast.rotation_error, ours.rotation_error, atol=1e-6)
    same = np.abs(fast.joint_pos - ours.joint_pos).max(-1) < 1e-6
    # Rounding may decide between two starts that end equally close.
    assert same.mean() >= 0.9
    np.testing.assert_array_equal(fast.iterations[same], ours.iterations[same])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_take_the_same_steps(dtype):
    torch = pytest.importorskip("torch")
    chain = Chain.from_urdf(ARM, ["tip"])
    Ts_root_tip = SE3(reachable(chain, 40).wxyz_xyz.astype(dtype))
    solver = Solver(chain, poses=["tip"], cfg=NUMPY)
    ours = solver.solve(Ts_root_tip, guess=HOME)
    theirs = solver.solve(SE3(torch.tensor(Ts_root_tip.wxyz_xyz)), guess=torch.tensor(HOME))
    assert torch.is_tensor(theirs.joint_pos) and str(theirs.joint_pos.dtype) == f"torch.{dtype}"
    assert theirs.reached.all() and ours.reached.all() and ours.joint_pos.dtype == dtype
    close = np.abs(theirs.joint_pos.numpy() - ours.joint_pos).max(-1) < (1e-6 if dtype == "float64" else 1e-2)
    assert close.mean() > 0.9


@pytest.mark.parametrize("name", BACKENDS)
def test_float32_reaches_micrometres_inside_the_limits(name):
    chain = Chain.from_urdf(HAND)
    wanted = reachable(chain, 100, seed=8).translation.astype(np.float32)
    solver = Solver(chain, points=chain.frames, cfg=backend(name))
    at_limits = solver.solve(p_root_points=wanted + np.float32(0.1))
    assert at_limits.at_limit.any()
    assert_inside(at_limits, chain)
    solution = solver.solve(p_root_points=wanted)
    assert solution.joint_pos.dtype == np.float32 and solution.reached.all()
    assert_inside(solution, chain)
    found = chain.forward(solution.joint_pos.astype(np.float64)).translation
    assert np.linalg.norm(found - wanted, axis=-1).max() < 1e-5


def test_shapes_of_batches():
    chain = Chain.from_urdf(HAND)
    solver = Solver(chain, points=chain.frames, cfg=NUMPY)
    wanted = reachable(chain, 6).translation
    grid = solver.solve(p_root_points=wanted.reshape(2, 3, 2, 3), guess=chain.middle)
    flat = solver.solve(p_root_points=wanted, guess=np.tile(chain.middle, (6, 1)))
    assert grid.joint_pos.shape == (2, 3, 8) and grid.iterations.shape == (2, 3)
    assert grid.reached.shape == (2, 3, 2) and grid.rotation_error.shape == (2, 3, 0)
    np.testing.assert_allclose(grid.joint_pos.reshape(6, 8), flat.joint_pos, atol=1e-12)
    one = solver.solve(p_root_points=wanted[0])
    assert one.joint_pos.shape == (8,) and one.reached.shape == (2,) and one.iterations.shape == ()
    none = solver.solve(p_root_points=wanted[:0])
    assert none.joint_pos.shape == (0, 8) and none.reached.shape == (0, 2)


def test_idle_joints_keep_the_guess():
    whole = Chain.from_urdf(HAND)
    guess = np.linspace(-0.1, 0.4, 8)
    solution = Solver(whole, points=["ring_tip"], cfg=NUMPY).solve(
        p_root_points=reachable(whole, 1).translation[0, 1:], guess=guess
    )
    index = [name.startswith("index") for name in whole.joint_names]
    np.testing.assert_array_equal(solution.joint_pos[index], guess[index])
    assert solution.reached.all()


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_wrong_calls_are_refused_with_the_reason():
    chain = Chain.from_urdf(HAND)
    solver = Solver(chain, points=chain.frames, cfg=NUMPY)
    good = reachable(chain, 2).translation
    spoiled = good.copy()
    spoiled[0, 0, 0] = np.nan
    for call, reason in (
        (lambda: Solver(chain), "needs frames"),
        (lambda: Solver(chain, points=["thumb_tip"]), "does not follow 'thumb_tip'"),
        (lambda: Solver(chain, poses=["ring_tip"], points=["ring_tip"]), "each once"),
        (lambda: Solver(Chain.from_urdf(HAND, ["palm", "ring_tip"]), points=["palm"]), r"No joint .* moves \['palm'\]"),
        (solver.solve, "p_root_points must have shape"),
        (lambda: solver.solve(p_root_points=good[:, :1]), "p_root_points must have shape"),
        (lambda: solver.solve(SE3.identity((2, 2)), good), "Ts_root_poses must have shape"),
        (lambda: solver.solve(p_root_points=spoiled), "not finite"),
        (lambda: solver.solve(p_root_points=good, guess=np.zeros(7)), "guess has shape"),
        (lambda: solver.solve(p_root_points=good, guess=np.zeros((3, 8))), "guess has shape"),
    ):
        with pytest.raises(SchemaError, match=reason):
            call()


def test_numba_is_for_numpy_arrays():
    torch = pytest.importorskip("torch")
    chain = Chain.from_urdf(HAND)
    solver = Solver(chain, points=chain.frames, cfg=SolverCfg(backend="numba"))
    with pytest.raises(SchemaError, match="NumPy arrays and the extra fast"):
        solver.solve(p_root_points=torch.zeros(2, 3))
