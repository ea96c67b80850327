"""A mirrored demonstration is what a mirror shows, and mirrored again what it was."""

import numpy as np
import pytest
from recordings_for_tests import record_push

from h2s2r_perception.mirror import Mirror, find_mirror, mirrored_model
from h2s2r_schemas.artifacts import ObjectModel, Scene, SceneBody, Shape, Symmetry
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

UP = np.array([0.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    _, path, hand = record_push(tmp_path_factory.mktemp("mirror") / "demo")
    return path, hand


def mug() -> ObjectModel:
    """A cylinder with a handle on one side, skew in its frame, and heavier there."""
    rng = np.random.default_rng(4)
    vertices = rng.normal(size=(12, 3)) * 0.01 + (0.0, 0.06, 0.0)
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [7, 8, 9]])
    turned = SE3.exp(np.array([0.01, 0.02, 0.03, 0.3, -0.2, 0.5])).wxyz_xyz
    body = Shape("cylinder", size=np.array([0.04, 0.1, 0.0]))
    handle = Shape("mesh", wxyz_xyz=turned, vertices=vertices, faces=faces)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return ObjectModel(
        "mug",
        visual=(body, handle),
        collision=(body,),
        mass=0.3,
        center_of_mass=np.array([0.0, 0.01, 0.05]),
        inertia=axes @ np.diag([3e-4, 4e-4, 5e-4]) @ axes.T,
        symmetry=Symmetry(rotations_wxyz=np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]])),
    )


def scene(tilt: float = 0.0) -> Scene:
    T_world_table = SE3.exp(np.array([0.4, 0.1, -0.2, tilt, 0.2 * tilt, 0.7]))
    slab = Shape("box", size=np.array([1.0, 0.6, 0.04]))
    rack = Shape("box", size=np.array([0.1, 0.2, 0.3]), wxyz_xyz=SE3.exp(np.full(6, 0.1)).wxyz_xyz)
    bodies = (SceneBody("table", (slab,), T_world_table.wxyz_xyz), SceneBody("rack", (rack,), T_world_table.wxyz_xyz))
    return Scene("table", T_world_table.wxyz_xyz, bodies)


def same(one, other) -> None:
    """Every array of a message, poses up to the sign of their quaternions."""
    for name in type(one).__dataclass_fields__:
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, tuple) and left and hasattr(left[0], "replace"):
            for each, partner in zip(left, right, strict=True):
                same(each, partner)
        elif isinstance(left, np.ndarray) and left.shape[-1:] == (7,):
            kept = np.isfinite(left).all(axis=-1)
            assert np.array_equal(kept, np.isfinite(right).all(axis=-1))
            place, angle = SE3(left[kept]).distance(SE3(right[kept]))
            assert np.max(place, initial=0.0) < 1e-9 and np.max(angle, initial=0.0) < 1e-6
        elif isinstance(left, np.ndarray):
            np.testing.assert_allclose(left, right, atol=1e-12)
        elif not isinstance(left, Symmetry):
            assert left == right


@pytest.mark.parametrize("tilt", [0.0, 0.4])
def test_twice_is_what_it_was(found, tilt):
    path, hand = found
    stands = scene(tilt)
    once = find_mirror(path, stands)
    again = find_mirror(once.path(path), once.scene(stands))
    same(again.path(once.path(path)), path)
    same(again.hand(once.hand(hand)), hand)
    same(again.scene(once.scene(stands)), stands)
    same(mirrored_model(mirrored_model(mug())), mug())
    assert once.hand(hand).side != hand.side


def test_what_a_mirror_shows_keeps_every_distance_and_every_place_on_it(found):
    path, hand = found
    mirror, model = find_mirror(path, scene()), mug()
    image, moved = mirrored_model(model), mirror.path(path)
    at = int(np.argmin(path.lost)) + 5
    for shape, imaged in zip(model.visual[1:], image.visual[1:], strict=True):
        p_world = (path.Ts_world_object[at] @ SE3(shape.wxyz_xyz)).apply(shape.vertices)
        p_world_image = (moved.Ts_world_object[at] @ SE3(imaged.wxyz_xyz)).apply(imaged.vertices)
        np.testing.assert_allclose(p_world_image, mirror.points(p_world), atol=1e-9)
        normal, imaged_normal = (
            np.cross(p[f[1]] - p[f[0]], p[f[2]] - p[f[0]])
            for p, f in ((p_world, shape.faces[0]), (p_world_image, imaged.faces[0][::-1][[0, 1, 2]]))
        )
        # Seen from outside, corners still go round counter-clockwise: the normal is the mirrored normal.
        mirrored_normal = mirror.points(p_world[0] + normal) - mirror.points(p_world[0])
        np.testing.assert_allclose(-imaged_normal, mirrored_normal, atol=1e-12)
    keypoints = mirror.hand(hand).p_world_keypoints[at]
    here = path.Ts_world_object[at].inv().apply(hand.p_world_keypoints[at])
    there = moved.Ts_world_object[at].inv().apply(keypoints)
    np.testing.assert_allclose(there, here * (1.0, -1.0, 1.0), atol=1e-9)
    start = path.wxyz_xyz_world_object[int(np.argmin(path.lost)), 4:]
    np.testing.assert_allclose(mirror.points(start), start, atol=1e-12)
    np.testing.assert_allclose(mirror.points(np.zeros(3)), np.zeros(3), atol=1e-9)


def test_lost_frames_stay_lost_and_all_lost_is_refused(found):
    path, _ = found
    lost = np.arange(len(path.time)) < 3
    wxyz_xyz = np.where(lost[:, None], np.nan, path.wxyz_xyz_world_object)
    partly = path.replace(wxyz_xyz_world_object=wxyz_xyz, lost=lost, confidence=path.confidence * ~lost)
    image = find_mirror(partly, scene()).path(partly)
    assert np.array_equal(np.isnan(image.wxyz_xyz_world_object[:, 0]), lost)
    nothing = path.replace(
        wxyz_xyz_world_object=np.full_like(wxyz_xyz, np.nan),
        lost=np.ones_like(lost),
        confidence=np.zeros_like(path.confidence),
    )
    with pytest.raises(SchemaError, match="lost in every frame"):
        find_mirror(nothing, scene())


def test_an_object_right_above_the_origin_has_a_mirror_too(found):
    path, _ = found
    moved = path.wxyz_xyz_world_object.copy()
    moved[:, 4:] = (0.0, 0.0, 0.3)
    upright = Scene("table", SE3.identity().wxyz_xyz, scene().bodies)
    mirror = find_mirror(path.replace(wxyz_xyz_world_object=moved), upright)
    np.testing.assert_allclose(mirror.T_world_mirror.rotate(UP), UP, atol=1e-9)
    assert isinstance(mirror, Mirror)
