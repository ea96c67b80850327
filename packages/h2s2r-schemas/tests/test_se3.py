"""SE3 against scipy, on NumPy and torch, single and batched.

In:  random poses.   Out: agreement with an outside witness.
Not here: arrays.py function by function (test_arrays).
"""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3, quaternions


def random_poses(count=200, seed=0, dtype=np.float64) -> SE3:
    rng = np.random.default_rng(seed)
    return SE3.from_parts(rng.normal(size=(count, 4)).astype(dtype), rng.normal(size=(count, 3)).astype(dtype))


def near_the_edges() -> np.ndarray:
    """Rotation vectors where formulas lose digits: none, tiny, and just about half a turn."""
    axes = np.concatenate([np.eye(3), np.ones((1, 3)) / np.sqrt(3)])
    angles = np.array([0.0, 1e-12, 1e-8, 1e-5, 1e-3, 1.0, np.pi - 1e-3, np.pi - 1e-7, np.pi])
    return (angles[:, None, None] * axes).reshape(-1, 3)


def test_rotations_agree_with_scipy():
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    T_a_b = random_poses()
    witness = rotation.from_quat(T_a_b.as_xyzw_xyz()[:, :4])
    np.testing.assert_allclose(T_a_b.rotation_matrix(), witness.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(T_a_b.log()[:, 3:], witness.as_rotvec(), atol=1e-9)
    np.testing.assert_allclose(quaternions.angle(T_a_b.wxyz), witness.magnitude(), atol=1e-9)


def test_exp_agrees_with_the_matrix_exponential():
    expm = pytest.importorskip("scipy.linalg").expm
    twists = np.concatenate([np.ones_like(near_the_edges()), near_the_edges()], axis=-1)
    for twist in twists:
        x, y, z = twist[3:]
        generator = np.zeros((4, 4))
        generator[:3, :3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
        generator[:3, 3] = twist[:3]
        np.testing.assert_allclose(SE3.exp(twist).as_matrix(), expm(generator), atol=1e-9)


def test_log_undoes_exp_also_at_the_edges():
    twists = np.concatenate([np.full_like(near_the_edges(), 0.3), near_the_edges()], axis=-1)
    T_a_b = SE3.exp(twists)
    np.testing.assert_allclose(SE3.exp(T_a_b.log()).as_matrix(), T_a_b.as_matrix(), atol=1e-7)
    below_half_turn = np.linalg.norm(twists[:, 3:], axis=-1) < np.pi - 1e-6
    np.testing.assert_allclose(T_a_b.log()[below_half_turn], twists[below_half_turn], atol=1e-7)


def test_compose_invert_apply_agree_with_matrices():
    T_a_b, T_b_c = random_poses(seed=1), random_poses(seed=2)
    points = np.random.default_rng(3).normal(size=(200, 3))
    T_a_c = T_a_b @ T_b_c
    np.testing.assert_allclose(T_a_c.as_matrix(), T_a_b.as_matrix() @ T_b_c.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(T_a_b.inv().as_matrix(), np.linalg.inv(T_a_b.as_matrix()), atol=1e-12)
    homogeneous = np.concatenate([points, np.ones((200, 1))], axis=-1)
    expected = np.einsum("nij,nj->ni", T_a_b.as_matrix(), homogeneous)[:, :3]
    np.testing.assert_allclose(T_a_b.apply(points), expected, atol=1e-12)
    np.testing.assert_allclose(T_a_b[:, None].apply(points[None, :5]).shape, (200, 5, 3))


def test_matrices_round_trip_at_every_branch():
    """Half turns about each axis make each of the four candidates of the matrix conversion the largest."""
    T_a_b = SE3.exp(np.concatenate([np.zeros_like(near_the_edges()), near_the_edges()], axis=-1))
    np.testing.assert_allclose(SE3.from_matrix(T_a_b.as_matrix()).as_matrix(), T_a_b.as_matrix(), atol=1e-9)
    assert (SE3.from_matrix(T_a_b.as_matrix()).wxyz[:, 0] >= 0).all()


def test_interpolation_starts_ends_and_halves():
    T_w_a, T_w_b = random_poses(seed=4), random_poses(seed=5)
    np.testing.assert_allclose(T_w_a.interpolate(T_w_b, 0.0).as_matrix(), T_w_a.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(T_w_a.interpolate(T_w_b, 1.0).as_matrix(), T_w_b.as_matrix(), atol=1e-9)
    metres, radians = T_w_a.distance(T_w_b)
    half_metres, half_radians = T_w_a.distance(T_w_a.interpolate(T_w_b, 0.5))
    np.testing.assert_allclose(half_metres, metres / 2, atol=1e-9)
    np.testing.assert_allclose(half_radians, radians / 2, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept(dtype):
    T_a_b = random_poses(dtype=np.dtype(dtype))
    results = [
        T_a_b.inv().wxyz_xyz,
        (T_a_b @ T_a_b).wxyz_xyz,
        T_a_b.log(),
        SE3.exp(T_a_b.log()).wxyz_xyz,
        T_a_b.interpolate(T_a_b[0], 0.3).wxyz_xyz,
        T_a_b.as_matrix(),
        SE3.from_matrix(T_a_b.as_matrix()).wxyz_xyz,
        T_a_b.apply(np.zeros(3)),
        SE3.identity((2,), like=T_a_b.wxyz_xyz).wxyz_xyz,
    ]
    assert [array.dtype.name for array in results] == [dtype] * len(results)


def test_torch_gives_what_numpy_gives():
    torch = pytest.importorskip("torch")
    T_a_b, T_b_c = random_poses(seed=6), random_poses(seed=7)
    tensors = [SE3(torch.tensor(T.wxyz_xyz)) for T in (T_a_b, T_b_c)]
    pairs = [
        ((tensors[0] @ tensors[1]).wxyz_xyz, (T_a_b @ T_b_c).wxyz_xyz),
        (tensors[0].inv().log(), T_a_b.inv().log()),
        (SE3.from_matrix(tensors[0].as_matrix()).wxyz_xyz, T_a_b.wxyz_xyz),
        (tensors[0].interpolate(tensors[1], 0.25).wxyz_xyz, T_a_b.interpolate(T_b_c, 0.25).wxyz_xyz),
        (tensors[0].apply([1.0, 2.0, 3.0]), T_a_b.apply([1.0, 2.0, 3.0])),
    ]
    for tensor, array in pairs:
        assert torch.is_tensor(tensor) and tensor.dtype == torch.float64
        np.testing.assert_allclose(tensor.numpy(), array, atol=1e-9)


def test_bad_input_is_refused():
    with pytest.raises(SchemaError, match=r"shape \(…, 7\)"):
        SE3(np.zeros(6))
    with pytest.raises(SchemaError, match=r"\(…, 4, 4\)"):
        SE3.from_matrix(np.eye(3))
    mirrored = np.diag([1.0, 1.0, -1.0, 1.0])
    scaled = np.diag([1000.0, 1000.0, 1000.0, 1.0])
    for matrix in (mirrored, scaled):
        with pytest.raises(SchemaError, match="scaled, mirrored or not rigid"):
            SE3.from_matrix(matrix)
    with pytest.raises(AttributeError, match="frozen"):
        SE3.identity().wxyz_xyz = np.zeros(7)
    with pytest.raises(SchemaError, match="not a batch"):
        SE3.identity()[0]


def test_a_batch_is_indexed_by_its_batch_only():
    T_a_b = random_poses(6)
    assert T_a_b[2][..., None].batch == (1,)
    assert T_a_b[2][None].batch == (1,)
    assert T_a_b[2].batch == () and T_a_b[1:3].batch == (2,) and T_a_b[..., None].batch == (6, 1) and len(T_a_b) == 6


def test_a_pose_can_be_copied_and_pickled():
    T_a_b = SE3.exp(np.arange(6.0))
    for copied in (copy.deepcopy(T_a_b), pickle.loads(pickle.dumps(T_a_b))):
        np.testing.assert_array_equal(copied.wxyz_xyz, T_a_b.wxyz_xyz)
