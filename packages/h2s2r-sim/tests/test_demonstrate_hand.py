"""The hand: its bones keep their lengths, its joints their limits, its skin closes and follows.

In:  joint angles.   Out: keypoints, vertices.
Not here: whether it looks like a hand (that is looked at, and measured by ``h2s2r bench recordings``).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand import anatomy
from h2s2r_sim.demonstrate.hand.fit import fit_hand
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.hand.skeleton import Ts_palm_bone, clamped, joint_vector, keypoints
from h2s2r_sim.demonstrate.hand.skin import make_skin
from h2s2r_sim.demonstrate.hand.surface import triangulate
from h2s2r_sim.task.human_hand import HandShape, palm_keypoints

BENT = {"index": (40.0, 30.0), "middle": (50.0, 20.0), "ring": (30.0, 60.0), "little": (20.0, 10.0)}
PAIRS = [(0, 1), *((i, i + 1) for start in (1, 5, 9, 13, 17) for i in range(start, start + 3))]


def random_joints(seed: int, share: float = 1.0) -> np.ndarray:
    low, high = share * anatomy.LIMITS.T
    return np.random.default_rng(seed).uniform(low, high)


@pytest.mark.parametrize("side", ["left", "right"])
def test_bones_keep_their_lengths_in_every_pose(side):
    rest = keypoints(np.zeros(len(anatomy.JOINTS)), 0.93, side)
    posed = np.stack([keypoints(random_joints(seed), 0.93, side) for seed in range(20)])
    for first, second in PAIRS:
        lengths = np.linalg.norm(posed[:, first] - posed[:, second], axis=-1)
        np.testing.assert_allclose(lengths, np.linalg.norm(rest[first] - rest[second]), rtol=1e-9)


def test_it_is_the_hand_that_the_bundled_tasks_were_made_with():
    # ``task.human_hand`` has its own kinematics: both must agree where joints mean the same.
    straight = HandShape(dict.fromkeys(anatomy.FINGERS, (0.0, 0.0)), thumb_opposition=25.0, thumb_bend=(0.0, 0.0))
    ours = keypoints(joint_vector({"thumb_opposition": np.deg2rad(25.0)}))
    np.testing.assert_allclose(ours, palm_keypoints(straight, "right"), atol=1e-9)
    bent = palm_keypoints(HandShape(BENT, thumb_opposition=0.0, thumb_bend=(0.0, 0.0)), "left")
    angles = {
        f"middle_{name}": np.deg2rad(angle) for name, angle in (("knuckle", 50.0), ("middle", 20.0), ("end", 11.0))
    }
    np.testing.assert_allclose(keypoints(joint_vector(angles), side="left")[9:13], bent[9:13], atol=1e-9)


def test_its_length_is_that_of_an_adult():
    middle = anatomy.rest_chain("middle")
    assert abs(np.linalg.norm(middle[3]) - 0.193) < 2 * 0.010  # mean and standard deviation of men, ANSUR II
    # Means and standard deviations [mm] of Buryanov and Kotiuk, knuckle to end of the flesh.
    for finger, (mean, deviation) in {"index": (81.8, 6.1), "middle": (92.3, 5.3), "little": (70.5, 4.6)}.items():
        length = 1e3 * np.linalg.norm(np.diff(anatomy.rest_chain(finger), axis=0), axis=-1).sum()
        assert abs(length - mean) < 2 * deviation


def test_angles_are_moved_into_their_limits_and_unknown_joints_are_refused():
    wild = np.full(len(anatomy.JOINTS), 9.0)
    np.testing.assert_array_equal(clamped(wild), anatomy.LIMITS[:, 1])
    np.testing.assert_array_equal(clamped(-wild), anatomy.LIMITS[:, 0])
    with pytest.raises(SchemaError, match="has no joint 'elbow'"):
        joint_vector({"elbow": 1.0})


def test_bending_closes_the_hand():
    rest = keypoints(np.zeros(len(anatomy.JOINTS)))
    for finger in anatomy.FINGERS:
        moved = keypoints(joint_vector({f"{finger}_knuckle": 1.0, f"{finger}_middle": 1.0}))
        tip = KEYPOINT_NAMES.index(f"{finger}_tip")
        assert moved[tip, 0] > rest[tip, 0] + 0.03  # out of the palm
    opposed = keypoints(joint_vector({"thumb_opposition": 1.2}))
    assert opposed[4, 0] > rest[4, 0] + 0.02


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_is_found_again_from_its_keypoints(side):
    for seed in range(3):
        joint_pos = random_joints(seed, 0.6)
        T_world_palm = SE3.exp(np.random.default_rng(seed).normal(size=6))
        hand = Hand(T_world_palm, joint_pos, 0.95, side)
        found = fit_hand(hand.keypoints(), side, 0.95)
        assert np.linalg.norm(found.keypoints() - hand.keypoints(), axis=-1).max() < 1e-3


def test_surface_nets_make_a_closed_ball_of_the_right_size():
    vertices, faces, normals = triangulate(
        lambda points: np.linalg.norm(points, axis=-1) - 0.05, np.full(3, -0.06), np.full(3, 0.06), 0.006
    )
    np.testing.assert_allclose(np.linalg.norm(vertices, axis=-1), 0.05, atol=1e-7)
    np.testing.assert_allclose(normals, vertices / 0.05, atol=1e-3)
    assert abs(volume(vertices, faces) / (4 / 3 * np.pi * 0.05**3) - 1) < 0.02
    assert closed(faces)


def test_the_skin_closes_and_faces_outwards():
    skin = make_skin()
    assert closed(skin.faces)
    corners = skin.vertices[skin.faces]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = (facing * skin.normals[skin.faces].sum(axis=1)).sum(axis=-1) > 0
    assert outward.mean() > 0.999
    np.testing.assert_allclose(skin.weights.sum(axis=1), 1.0, rtol=1e-6)
    # 26 cm of forearm, 27 to 45 mm thick from the axis, are a litre; a hand is a few tenths.
    assert 0.9e-3 < volume(skin.vertices, skin.faces) < 1.5e-3


def test_a_left_hand_is_a_right_one_in_the_mirror():
    skin, joint_pos = make_skin(), random_joints(3)
    right, left = skin.posed(joint_pos)[0], skin.posed(joint_pos, side="left")[0]
    np.testing.assert_allclose(left, right * (1.0, -1.0, 1.0))
    assert volume(left, skin.side_faces("left")) == pytest.approx(volume(right, skin.faces), rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_the_skin_follows_the_bones(seed):
    skin, joint_pos = make_skin(), random_joints(seed, 0.8)
    vertices, normals = skin.posed(joint_pos, 1.1)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, rtol=1e-6)
    # What belongs to one bone alone moves with it.
    moved = Ts_palm_bone(joint_pos)
    for name in ("index_distal", "thumb_distal", "forearm"):
        bone = anatomy.BONES.index(name)
        alone = skin.weights[:, bone] > 1 - 1e-6
        assert alone.sum() > 10
        np.testing.assert_allclose(vertices[alone], 1.1 * moved[bone].apply(skin.vertices[alone]), atol=1e-6)
    # Fingertips stay under the skin, by about their depth.
    tips = keypoints(joint_pos, 1.1)[[4, 8, 12, 16, 20]]
    depth = np.linalg.norm(vertices[None] - tips[:, None], axis=-1).min(axis=1)
    assert ((depth > 0.003) & (depth < 0.010)).all()


def closed(faces: np.ndarray) -> bool:
    """Every edge belongs to two triangles, which run along it in opposite ways."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    forth, back = np.unique(edges, axis=0), np.unique(edges[:, ::-1], axis=0)
    return len(forth) == len(edges) and np.array_equal(forth, back)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """[m³] inside."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return float((np.cross(a, b) * c).sum() / 6)
