"""Distances between capsules and to obstacles, which pairs count, and the residuals that push away.

In:  segments, shapes, robots.   Out: agreement with dense sampling, with formulas, and with finite differences.
Not here: MuJoCo's opinion (test_robot_folders_in_mujoco).
"""

from __future__ import annotations

import numpy as np
import pytest
from fourth_robot import write_fourth_robot

from h2s2r_retarget.collision import (
    CollisionModel,
    PenaltyCfg,
    check_collisions,
    half_space,
    obstacle_of,
    obstacles_of,
    penalty,
)
from h2s2r_retarget.collision.capsules import capsules_of_shape
from h2s2r_retarget.collision.obstacles import lowest_on_segments
from h2s2r_retarget.collision.segments import closest_points
from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_schemas.artifacts import Scene, SceneBody, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

TABLE = half_space("table", (0, 0, 0))


@pytest.fixture(scope="module")
def allegro():
    return CollisionModel(load_embodiment("iiwa14_allegro"))


def _random_positions(model, count, seed=0):
    embodiment = model.embodiment
    rng = np.random.default_rng(seed)
    return rng.uniform(embodiment.position_lower, embodiment.position_upper, (count, len(embodiment.joint_names)))


def _segments(kind, rng):
    a, b, c, d = rng.normal(size=(4, 60, 3))
    if kind == "points":
        return a, a, c, c
    if kind == "point and segment":
        return a, a, c, d
    if kind == "parallel":
        return a, b, c, c + 0.7 * (b - a)
    if kind == "crossing":
        middle = rng.normal(size=(60, 3))
        return middle + a, middle - a, middle + c, middle - c
    return a, b, c, d


@pytest.mark.parametrize("kind", ["general", "points", "point and segment", "parallel", "crossing"])
def test_closest_points_are_those_that_sampling_finds(kind):
    start_a, end_a, start_b, end_b = _segments(kind, np.random.default_rng(0))
    point_a, point_b = closest_points(start_a, end_a, start_b, end_b)
    found = np.linalg.norm(point_a - point_b, axis=-1)
    grid = np.linspace(0, 1, 201)[:, None, None]
    on_a, on_b = start_a + grid * (end_a - start_a), start_b + grid * (end_b - start_b)
    sampled = np.linalg.norm(on_a[:, None] - on_b[None], axis=-1).min(axis=(0, 1))
    assert (found <= sampled + 1e-12).all()
    np.testing.assert_allclose(found, sampled, atol=0.03)
    for point, start, end in ((point_a, start_a, end_a), (point_b, start_b, end_b)):
        detour = np.linalg.norm(point - start, axis=-1) + np.linalg.norm(point - end, axis=-1)
        np.testing.assert_allclose(detour, np.linalg.norm(end - start, axis=-1), atol=1e-9)


def _cube(edge):
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float) * edge - edge / 2
    faces = [
        [0, 1, 3],
        [0, 3, 2],
        [4, 6, 7],
        [4, 7, 5],
        [0, 4, 5],
        [0, 5, 1],
        [2, 3, 7],
        [2, 7, 6],
        [0, 2, 6],
        [0, 6, 4],
        [1, 5, 7],
        [1, 7, 3],
    ]
    return Shape(kind="mesh", vertices=corners, faces=faces)


SHAPES = {
    "box": Shape(kind="box", size=(0.4, 0.2, 0.6)),
    "cylinder": Shape(kind="cylinder", size=(0.2, 0.5, 0)),
    "capsule": Shape(kind="capsule", size=(0.15, 0.4, 0)),
    "sphere": Shape(kind="sphere", size=(0.3, 0, 0)),
    "mesh": _cube(0.5),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_a_segment_is_as_deep_as_its_deepest_point(kind):
    rng = np.random.default_rng(3)
    obstacle = obstacle_of("thing", SHAPES[kind], SE3.exp(rng.normal(size=6) * 0.3))
    starts, ends = rng.normal(size=(2, 80, 3)) * 0.5
    points, distance = lowest_on_segments(obstacle, starts, ends)
    grid = np.linspace(0, 1, 4001)[:, None, None]
    sampled = obstacle.distance(starts + grid * (ends - starts)).min(axis=0)
    assert (distance <= sampled + 1e-6).all()
    np.testing.assert_allclose(distance, sampled, atol=1e-3)
    np.testing.assert_allclose(obstacle.distance(points), distance, atol=1e-12)
    step = 1e-4 * obstacle.outward(points)
    assert (obstacle.distance(points + step) > distance).all()


def test_signed_distances_by_hand():
    box = obstacle_of("box", Shape(kind="box", size=(2, 2, 2)), SE3.identity())
    np.testing.assert_allclose(box.distance(np.array([[2.0, 0, 0], [4, 5, 1], [0.5, 0, 0.9]])), [1.0, 5.0, -0.1])
    plane = half_space("wall", (0.5, 0, 0), (-2, 0, 0))
    np.testing.assert_allclose(plane.distance(np.array([[0.2, 9, 9], [0.7, 0, 0]])), [0.3, -0.2])
    cube = obstacle_of("cube", _cube(2.0), SE3.identity())
    np.testing.assert_allclose(cube.distance(np.array([[2.0, 0, 0], [0.5, 0, 0.9]])), [1.0, -0.1])


def test_a_mesh_that_is_not_convex_counts_as_its_bounding_box():
    cube = _cube(1.0)
    vertices = np.array(cube.vertices)
    vertices[0] = 0.1  # a dent
    dented = obstacle_of("dented", Shape(kind="mesh", vertices=vertices, faces=cube.faces), SE3.identity())
    assert dented.kind == "box"
    np.testing.assert_allclose(dented.size, 0.5)


def test_a_plane_needs_a_direction():
    with pytest.raises(SchemaError, match="normal of floor"):
        half_space("floor", (0, 0, 0), (0, 0, 0))


def test_a_box_becomes_capsules_inside_it_that_touch_every_face():
    rows = capsules_of_shape(Shape(kind="box", size=(0.04, 0.11, 0.09)))
    low = np.min([np.minimum(start, end) - radius for start, end, radius in rows], axis=0)
    high = np.max([np.maximum(start, end) + radius for start, end, radius in rows], axis=0)
    np.testing.assert_allclose(high, [0.02, 0.055, 0.045], atol=1e-12)
    np.testing.assert_allclose(low, [-0.02, -0.055, -0.045], atol=1e-12)
    # The waves of the large face: how far its middle between two capsules is from them.
    beside = np.array([[0.02, 0.0, z] for z in np.linspace(-0.02, 0.02, 101)])
    depth = [min(_to_segment(point, start, end) - radius for start, end, radius in rows) for point in beside]
    assert max(depth) < 0.033 * 0.02


def _to_segment(point, start, end):
    a, b = closest_points(*(np.array([each]) for each in (point, point, start, end)))
    return float(np.linalg.norm(a - b))


def test_bodies_joined_by_a_joint_and_excluded_links_are_not_watched(allegro):
    embodiment = allegro.embodiment
    links = allegro.capsules.links
    joined = {(joint.parent, joint.child) for joint in embodiment.model.joints if joint.movable}
    for first, second in zip(*np.nonzero(allegro.watched), strict=True):
        assert links[first] != links[second] and (links[first], links[second]) not in joined
        assert {links[first], links[second]} != {"palm", "thumb_link_1"}
        assert {links[first], links[second]} != {"bracket", "iiwa14_link_7"}  # one body
    assert allegro.watched[links.index("index_link_1"), links.index("middle_link_1")]


@pytest.mark.parametrize("name", embodiment_names())
def test_only_pairs_of_fingertips_are_set_aside(name):
    model = CollisionModel(load_embodiment(name))
    tips = len(model.embodiment.fingertip_frames)
    bodies = {
        frozenset((model.capsules.links[i], model.capsules.links[j]))
        for i, j in zip(*np.nonzero(model.tip_pair), strict=True)
    }
    assert len(bodies) == tips * (tips - 1) // 2
    assert not (model.tip_pair & ~model.watched).any()


def test_fingertips_that_meet_are_told_apart_from_collisions():
    gripper = CollisionModel(load_embodiment("iiwa14_umi"))
    closed = gripper.embodiment.home.copy()
    closed[-1] = 0.0
    found = check_collisions(gripper, closed, reach=0.01)
    assert found.tip_distance == pytest.approx(0.0, abs=1e-9) and set(found.tip_pairs) == {
        "thumb_finger",
        "index_finger",
    }
    assert found.depth == 0 and found.tip_depth == pytest.approx(0.0, abs=1e-9)


def test_a_batch_is_its_rows_one_by_one(allegro):
    joint_pos = _random_positions(allegro, 12).reshape(3, 4, -1)
    whole = check_collisions(allegro, joint_pos, (TABLE,), reach=0.02)
    assert whole.distance.shape == (3, 4) and whole.pairs.shape == (3, 4, 2)
    for at in np.ndindex(3, 4):
        one = check_collisions(allegro, joint_pos[at], (TABLE,), reach=0.02)
        assert one.distance == whole.distance[at] and tuple(one.pairs) == tuple(whole.pairs[at])


def test_what_is_far_is_not_measured(allegro):
    found = check_collisions(allegro, allegro.embodiment.home, reach=0.001)
    assert found.distance == 0.001 and tuple(found.pairs) == ("", "")


def test_an_arm_pushed_into_the_table_names_link_and_table(allegro):
    joint_pos = allegro.embodiment.home.copy()
    joint_pos[1] = 1.2
    found = check_collisions(allegro, joint_pos, (TABLE,))
    assert found.depth > 0.01 and found.pairs[1] == "table"
    start, end = allegro.place(joint_pos[None])
    lowest = (np.minimum(start, end)[0, :, 2] - allegro.capsules.radius)[allegro.moves].min()
    assert found.distance == pytest.approx(lowest, abs=1e-6)


def test_the_base_may_stand_on_the_table(allegro):
    above = half_space("table", (0, 0, 0.02))  # the base plate is in it, nothing else is
    assert check_collisions(allegro, allegro.embodiment.home, (above,)).depth == 0


def test_a_scene_is_all_its_shapes(allegro):
    table = SceneBody(
        name="table",
        shapes=(Shape(kind="box", size=(1, 1, 0.1)),),
        wxyz_xyz_world_body=SE3.exp([0.5, 0, 0.6, 0, 0, 0]).wxyz_xyz,
    )
    rack = SceneBody(
        name="rack", shapes=(SHAPES["sphere"], SHAPES["box"]), wxyz_xyz_world_body=SE3.exp([5, 0, 0, 0, 0, 0]).wxyz_xyz
    )
    scene = Scene(name="s", wxyz_xyz_world_table=SE3.identity().wxyz_xyz, bodies=(table, rack))
    obstacles = obstacles_of(scene)
    assert [obstacle.name for obstacle in obstacles] == ["table", "rack", "rack"]
    found = check_collisions(allegro, allegro.embodiment.home, obstacles)
    assert found.pairs[1] == "table" and found.depth > 0.02


@pytest.mark.parametrize("tip_margin", [None, 0.01])
def test_the_jacobian_of_the_residuals_is_their_derivative(allegro, tip_margin):
    cfg = PenaltyCfg(margin=0.02, tip_margin=tip_margin, contacts=200)
    wall = obstacle_of("wall", Shape(kind="box", size=(0.1, 1.0, 1.0)), SE3.exp([0.6, 0, 0.4, 0, 0, 0.3]))
    joint_pos = _random_positions(allegro, 6, seed=7)
    residual, jacobian = penalty(allegro, joint_pos, (TABLE, wall), cfg)
    assert (residual > 0).sum() > 20
    # Contacts change places among a configuration's residuals; their sum and its derivative do not care.
    step = 1e-6
    for joint in range(joint_pos.shape[-1]):
        sums = []
        for sign in (1, -1):
            moved = joint_pos.copy()
            moved[:, joint] += sign * step
            sums.append(penalty(allegro, moved, (TABLE, wall), cfg)[0].sum(axis=1))
        np.testing.assert_allclose(jacobian[:, :, joint].sum(axis=1), (sums[0] - sums[1]) / (2 * step), atol=2e-4)


def test_fingertips_do_not_push_each_other_unless_asked():
    gripper = CollisionModel(load_embodiment("iiwa14_umi"))
    closed = gripper.embodiment.home.copy()[None]
    closed[0, -1] = 0.001
    assert not penalty(gripper, closed)[0].any()
    residual, jacobian = penalty(gripper, closed, cfg=PenaltyCfg(tip_margin=0.004))
    assert residual.max() == pytest.approx(0.002) and jacobian[0, 0, -1] == pytest.approx(-2.0)


def test_only_the_strongest_contacts_push(allegro):
    joint_pos = _random_positions(allegro, 8)
    every, _ = penalty(allegro, joint_pos, (TABLE,), PenaltyCfg(margin=0.05, contacts=300))
    few, slopes = penalty(allegro, joint_pos, (TABLE,), PenaltyCfg(margin=0.05, contacts=3))
    assert few.shape == (8, 3) and slopes.shape == (8, 3, 23)
    np.testing.assert_allclose(few, -np.sort(-every, axis=1)[:, :3], atol=1e-15)


@pytest.mark.requirement("H12")
@pytest.mark.parametrize("name", [*embodiment_names(), "fourth"])
def test_following_the_residuals_leads_out_of_shallow_collisions(name, tmp_path):
    folder = write_fourth_robot(tmp_path) if name == "fourth" else name
    model = CollisionModel(load_embodiment(folder))
    joint_pos = _random_positions(model, 800, seed=5)
    around = (TABLE, half_space("wall", (0.5, 0, 0), (-1, 0, 0)))
    embodiment = model.embodiment
    before = check_collisions(model, joint_pos, around)
    depth = np.maximum(before.depth, before.tip_depth)
    joint_pos = joint_pos[(depth > 0.001) & (depth < 0.008)]  # less than the radius of a finger
    assert len(joint_pos) > 5
    for _ in range(40):
        residual, jacobian = penalty(model, joint_pos, around, PenaltyCfg(margin=0.005, tip_margin=0.0))
        transposed = np.swapaxes(jacobian, 1, 2)
        normal = transposed @ jacobian + 1e-4 * np.eye(joint_pos.shape[1])
        step = np.linalg.solve(normal, transposed @ residual[..., None])[..., 0]
        joint_pos = np.clip(joint_pos - np.clip(step, -0.2, 0.2), embodiment.position_lower, embodiment.position_upper)
    found = check_collisions(model, joint_pos, around)
    assert (np.maximum(found.depth, found.tip_depth) < 0.001).mean() > 0.95


def test_a_robot_without_shapes_is_refused(tmp_path):
    folder = write_fourth_robot(tmp_path)
    urdf = (
        (folder / "robot.urdf")
        .read_text(encoding="utf-8")
        .replace("<collision>", "<hidden>")
        .replace("</collision>", "</hidden>")
    )
    (folder / "robot.urdf").write_text(urdf, encoding="utf-8")
    text = (folder / "robot.toml").read_text(encoding="utf-8")
    (folder / "robot.toml").write_text(text[: text.index("[[collision.capsule]]")], encoding="utf-8")
    with pytest.raises(SchemaError, match="no collision shapes"):
        CollisionModel(load_embodiment(folder))
