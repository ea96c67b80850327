"""Every robot folder, by what holds for all of them: those that come with the package, and one written here by files alone.

In:  robot folders.   Out: properties that need no knowledge of the robot.
Not here: MuJoCo's opinion of them (test_robot_folders_in_mujoco), folders with faults (test_check).
"""

from __future__ import annotations

import numpy as np
import pytest
from fourth_robot import write_fourth_robot

from h2s2r_retarget.check import check_embodiment
from h2s2r_retarget.collision import CollisionModel, check_collisions, half_space
from h2s2r_retarget.embodiment import embodiment_folder, embodiment_names, load_embodiment
from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.se3 import SE3

FOLDERS = [*embodiment_names(), "fourth"]
MIRROR = np.array([1.0, -1.0, 1.0])


@pytest.fixture(params=FOLDERS)
def folder(request, tmp_path):
    return write_fourth_robot(tmp_path / "fourth") if request.param == "fourth" else embodiment_folder(request.param)


def _random_positions(embodiment, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(embodiment.position_lower, embodiment.position_upper, (count, len(embodiment.joint_names)))


@pytest.mark.requirement("H48")
@pytest.mark.requirement("H47")
@pytest.mark.requirement("H46")
def test_the_check_finds_nothing(folder):
    assert [str(finding) for finding in check_embodiment(folder)] == []


def test_what_others_need_to_know_is_complete(folder):
    embodiment = load_embodiment(folder)
    spec = embodiment.spec()
    assert spec.joint_names == embodiment.joint_names
    assert spec.arm_joint_names + spec.hand_joint_names == spec.joint_names
    assert spec.base_frame == embodiment.model.root
    for limit in (
        spec.velocity_limit,
        spec.acceleration_limit,
        spec.jerk_limit,
        spec.torque_limit,
        embodiment.kp,
        embodiment.kd,
    ):
        assert limit.shape == (len(spec.joint_names),) and (limit > 0).all() and np.isfinite(limit).all()
    assert embodiment.chain.joint_names == embodiment.joint_names
    np.testing.assert_array_equal(embodiment.chain.lower, spec.position_lower)
    np.testing.assert_array_equal(embodiment.chain.upper, spec.position_upper)


def test_the_hash_tells_sides_apart(folder):
    as_it_is, left = load_embodiment(folder), load_embodiment(folder, "left")
    assert (as_it_is.spec().hash() == left.spec().hash()) == (as_it_is.side == "none")


def test_every_inertia_is_that_of_a_body(folder):
    for body in load_embodiment(folder).links.values():
        if body.mass:
            smallest, middle, largest = np.linalg.eigvalsh(body.inertia)
            assert smallest > 0 and smallest + middle > largest


def test_fingertips_follow_the_keypoints_they_name(folder):
    embodiment = load_embodiment(folder)
    np.testing.assert_allclose(embodiment.fingertip_weights.sum(axis=1), 1.0)
    keypoints = np.random.default_rng(1).normal(size=(5, len(KEYPOINT_NAMES), 3))
    targets = embodiment.fingertip_targets(keypoints)
    assert targets.shape == (5, len(embodiment.fingertip_frames), 3)
    shift = np.array([0.3, -0.2, 0.1])
    np.testing.assert_allclose(embodiment.fingertip_targets(keypoints + shift), targets + shift)


def test_synergies_stay_inside_the_limits_near_home(folder):
    embodiment = load_embodiment(folder)
    hand = slice(embodiment.num_arm_joints, None)
    assert 1 <= len(embodiment.synergy_names) <= len(embodiment.hand_joint_names)
    assert np.linalg.matrix_rank(embodiment.synergies) == len(embodiment.synergy_names)
    moved = embodiment.home[hand] + 0.3 * embodiment.synergies
    assert (moved <= embodiment.position_upper[hand]).all()
    closer = np.clip(embodiment.home[hand] - 0.3 * embodiment.synergies, embodiment.position_lower[hand], None)
    assert (np.abs(closer - moved).max(axis=1) > 0.01).all()


def test_home_is_free_above_a_table_at_the_height_of_the_base(folder):
    embodiment = load_embodiment(folder)
    table = half_space("table", (0, 0, 0))
    found = check_collisions(CollisionModel(embodiment), embodiment.home, (table,), reach=0.002)
    assert found.depth == 0 and found.tip_depth == 0
    tips = embodiment.chain.forward(embodiment.home).translation[1:]
    assert (tips[:, 2] > 0.05).all() and (tips[:, 0] > 0.2).all()


def test_the_other_side_is_the_mirror_image(folder):
    embodiment = load_embodiment(folder)
    if embodiment.side == "none":
        assert load_embodiment(folder, "left").urdf == embodiment.urdf
        return
    left = load_embodiment(folder, "left")
    assert left.side == "left" and left.joint_names == embodiment.joint_names
    root, joint_pos = embodiment.hand_root, _random_positions(embodiment, 20)
    links = [link for link in embodiment.model.links if link in _below(embodiment.model, root)]
    poses = []
    for robot in (embodiment, left):
        frames = robot.chain_of((root, *links)).forward(joint_pos)
        poses.append(frames[:, :1].inv() @ frames[:, 1:])
    np.testing.assert_allclose(poses[1].translation, poses[0].translation * MIRROR, atol=1e-9)
    flip = np.diag(MIRROR)
    np.testing.assert_allclose(poses[1].rotation_matrix(), flip @ poses[0].rotation_matrix() @ flip, atol=1e-8)
    np.testing.assert_allclose(left.palm_offset, embodiment.palm_offset * MIRROR)
    for name, body in embodiment.links.items():
        image = left.links[name]
        expected = (
            (body.center_of_mass * MIRROR, flip @ body.inertia @ flip)
            if name in links
            else (body.center_of_mass, body.inertia)
        )
        np.testing.assert_allclose(image.center_of_mass, expected[0], atol=1e-12)
        np.testing.assert_allclose(image.inertia, expected[1], atol=1e-12)


def test_the_mirror_image_collides_alike(folder):
    embodiment, left = load_embodiment(folder), load_embodiment(folder, "left")
    joint_pos = _random_positions(embodiment, 50)
    # The arm stays as it is, so only the hand is compared: what it does to itself.
    joint_pos[:, : embodiment.num_arm_joints] = embodiment.home[: embodiment.num_arm_joints]
    found, image = (check_collisions(CollisionModel(robot), joint_pos, reach=0.05) for robot in (embodiment, left))
    np.testing.assert_allclose(image.tip_distance, found.tip_distance, atol=1e-9)
    own = np.isin(found.pairs, list(_below(embodiment.model, embodiment.hand_root))).all(axis=1)
    assert own.sum() > 20 or embodiment.side == "none"  # then both are the same robot
    np.testing.assert_allclose(image.distance[own], found.distance[own], atol=1e-9)


def test_mirroring_twice_changes_nothing(folder, tmp_path):
    embodiment = load_embodiment(folder)
    if embodiment.side == "none":
        return
    left = load_embodiment(folder, "left")
    (tmp_path / "robot.urdf").write_text(left.urdf, encoding="utf-8")
    text = (folder / "robot.toml").read_text(encoding="utf-8")
    y = embodiment.palm_offset[1]
    assert y == 0 and 'side = "right"' in text
    # These files list capsules for arm links only, which are not mirrored.
    (tmp_path / "robot.toml").write_text(text.replace('side = "right"', 'side = "left"'), encoding="utf-8")
    again = load_embodiment(tmp_path, "right")
    joint_pos = _random_positions(embodiment, 5)
    np.testing.assert_allclose(again.chain.matrices(joint_pos), embodiment.chain.matrices(joint_pos), atol=1e-9)


def _below(model, root):
    below = {root}
    for _ in model.links:
        below |= {joint.child for joint in model.joints if joint.parent in below}
    return below - {root}


def test_a_pose_of_the_arm_is_mirrored_by_its_mirrored_positions():
    """With the arm's own symmetry, the whole left robot can mirror the whole right one in the world."""
    right, left = load_embodiment("iiwa14_allegro"), load_embodiment("iiwa14_allegro", "left")
    joint_pos = _random_positions(right, 20)
    mirrored = joint_pos.copy()
    mirrored[:, [0, 2, 4, 6]] *= -1  # the joints about the arm's own length
    for frame in (right.palm_frame, *right.fingertip_frames):
        T_world_frame: SE3 = right.chain.forward(joint_pos, frame)
        T_world_image: SE3 = left.chain.forward(mirrored, frame)
        np.testing.assert_allclose(T_world_image.translation, T_world_frame.translation * MIRROR, atol=1e-9)
