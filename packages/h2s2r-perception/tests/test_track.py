"""The tracker against truth: boxes and an L on a table, a hand of balls in front, the noise of a stereo camera."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scenes_for_tests import Ball, Box, box_mesh, faces_rgb, look_at, render

from h2s2r_perception.segment import find_components, find_plane
from h2s2r_perception.track.align import Prior, Pull, rotvec_of, solve, turn
from h2s2r_perception.track.background import Background, depth_noise
from h2s2r_perception.track.colour import ColourModel
from h2s2r_perception.track.start import find_start, search
from h2s2r_perception.track.surface import check_size, load_mesh, surface_of
from h2s2r_perception.track.tracker import Tracker
from h2s2r_perception.track.visible import outline, silhouette, visible_samples
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3

SIZE = (0.16, 0.10, 0.07)
T_WORLD_CAMERA = look_at((0.45, -0.35, 0.45), (0.0, 0.0, 0.03))
#: Skin, and one for which colour tells nothing.
SKIN = (205, 150, 125)


@pytest.fixture(scope="module")
def surface():
    return surface_of(box_mesh(SIZE), "box")


def on_table(x, y, yaw):
    return SE3.exp((0.0, 0.0, 0.0, 0.0, 0.0, yaw)), SE3.from_parts((1, 0, 0, 0), (x, y, SIZE[2] / 2))


def T_world_box_at(x, y, yaw):
    T_flat_box, T_world_flat = on_table(x, y, yaw)
    return T_world_flat @ T_flat_box


def slide(frames, hand=False, noise_px=0.0, colours=None):
    """Frames of a slide of 15 cm and 50°, hand in front for all but the first; and the true poses in the camera."""
    pictures, poses = [], []
    for index in range(frames):
        share = index / (frames - 1)
        smooth = share * share * (3 - 2 * share)
        T_world_box = T_world_box_at(-0.08 + 0.15 * smooth, 0.02 * smooth, np.deg2rad(50) * smooth)
        things = [Box(SIZE, T_world_box, faces_rgb(3) if colours is None else colours)]
        if hand and index:
            for k in range(6):
                p_box = np.array((0.03 * (k % 3) - 0.02, -0.06 + 0.03 * (k // 3), 0.045))
                things.append(Ball(0.022, T_world_box.apply(p_box), SKIN))
        pictures.append(render(things, T_WORLD_CAMERA, index, index / 30, noise_px=noise_px)[0])
        poses.append(T_WORLD_CAMERA.inv() @ T_world_box)
    return pictures, poses


def errors(found, poses):
    pairs = [T_camera_object.distance(one.T_camera_object) for one, T_camera_object in zip(found, poses, strict=True)]
    return np.array([float(place) for place, _ in pairs]), np.rad2deg([float(angle) for _, angle in pairs])


def follow(surface, pictures, T_camera_object):
    tracker = Tracker(surface)
    return [
        tracker.track(frame) if index else tracker.begin(frame, T_camera_object) for index, frame in enumerate(pictures)
    ]


@pytest.mark.requirement("H06")
@pytest.mark.parametrize(("hand", "noise_px"), [(False, 0.0), (True, 0.08)])
def test_it_follows_a_slide(surface, hand, noise_px):
    pictures, poses = slide(25, hand, noise_px)
    found = follow(surface, pictures, poses[0])
    place, angle = errors(found, poses)
    assert not any(one.lost for one in found)
    assert place.mean() < 0.003 and place.max() < 0.006 and angle.max() < 3.0


def test_it_does_not_follow_a_hand_that_passes(surface):
    """The box stands still; balls of another colour come close, touch it, and go away again."""
    poses, pictures = [], []
    T_world_box = T_world_box_at(0.0, 0.0, 0.3)
    for index in range(16):
        away = 0.12 * abs(index - 8) / 8
        hand = [Ball(0.02, T_world_box.apply(np.array((0.03 * k - 0.03, -0.07 - away, 0.02))), SKIN) for k in range(3)]
        pictures.append(render([Box(SIZE, T_world_box, faces_rgb(3)), *hand], T_WORLD_CAMERA, index, noise_px=0.05)[0])
        poses.append(T_WORLD_CAMERA.inv() @ T_world_box)
    place, angle = errors(follow(surface, pictures, poses[0]), poses)
    assert place.max() < 0.003 and angle.max() < 1.0


def test_depth_alone_does_not_hold_a_plain_bar_but_the_outline_does():
    """Seen from above, nothing of a long bar's depth changes when it slides along itself by a few centimetres."""
    from h2s2r_perception.track.config import TrackCfg

    size, poses, pictures = (0.30, 0.04, 0.02), [], []
    bar = surface_of(box_mesh(size), "bar")
    T_world_camera = look_at((0.0, -0.05, 0.6))
    for index in range(15):
        T_world_bar = SE3.from_parts((1, 0, 0, 0), (0.003 * index, 0.0, 0.01))
        pictures.append(render([Box(size, T_world_bar, faces_rgb(1))], T_world_camera, index, noise_px=0.05)[0])
        poses.append(T_world_camera.inv() @ T_world_bar)
    ends, slack = [], []
    for cfg in (TrackCfg(), TrackCfg(outline_every=0, slides=1.0)):
        tracker = Tracker(bar, cfg)
        found = [tracker.track(f) if i else tracker.begin(f, poses[0]) for i, f in enumerate(pictures)]
        ends.append(errors(found, poses)[0][-1])
        slack.append(np.median([each.fit.slack for each in found]))
    assert ends[0] < 0.003 and slack[0] < 0.002
    assert ends[1] > 3 * ends[0] and slack[1] > 5 * slack[0]


def test_a_box_that_stands_where_it_is_expected_is_held_by_its_outline_too():
    """Depth has nothing to correct there: that is no reason to be done before the outline was looked for."""
    size = (0.21, 0.16, 0.06)
    T_world_camera, T_world_box = look_at((0.0, -0.05, 0.6)), SE3.from_parts((1, 0, 0, 0), (0.0, 0.0, 0.03))
    pictures = [
        render([Box(size, T_world_box, faces_rgb(1))], T_world_camera, index, noise_px=0.02)[0] for index in range(8)
    ]
    found = follow(surface_of(box_mesh(size), "box"), pictures, T_world_camera.inv() @ T_world_box)
    assert not any(each.lost for each in found)
    assert max(each.fit.slack for each in found) < 0.001


def test_what_is_gone_is_lost_and_found_again(surface):
    pictures, poses = slide(6)
    empty, _ = render([], T_WORLD_CAMERA, 6)
    T_world_box = T_world_box_at(0.15, 0.08, -0.6)
    back = [render([Box(SIZE, T_world_box, faces_rgb(3))], T_WORLD_CAMERA, index)[0] for index in range(9, 24)]
    found = follow(surface, [*pictures, empty, empty, empty, *back], poses[0])
    assert [one.lost for one in found[:9]] == [False] * 6 + [True] * 3
    assert all(one.confidence == 0.0 for one in found if one.lost)
    place, angle = (T_WORLD_CAMERA.inv() @ T_world_box).distance(found[-1].T_camera_object)
    assert not found[-1].lost and place < 0.003 and (np.rad2deg(angle) < 2 or np.rad2deg(angle) > 178)


def test_a_tracker_without_a_first_pose_says_so(surface):
    with pytest.raises(H2S2RError, match="begin"):
        Tracker(surface).track(slide(2)[0][0])


@pytest.fixture(scope="module")
def ell():
    """An L with a peg: no turn leaves it as it is."""
    T_object_arm = SE3.from_parts((1, 0, 0, 0), (0.05, 0.03, 0.0))
    T_object_peg = SE3.from_parts((1, 0, 0, 0), (-0.05, 0.0, 0.04))
    sizes = ((0.14, 0.04, 0.05), (0.04, 0.06, 0.05), (0.03, 0.03, 0.04))
    parts = list(zip(sizes, (SE3.identity(), T_object_arm, T_object_peg), strict=True))
    mesh = trimesh.util.concatenate([box_mesh(size, T_object_part) for size, T_object_part in parts])
    return surface_of(mesh, "ell"), parts


@pytest.mark.parametrize("yaw", [0.0, 2.2, 5.3])
def test_the_first_pose_is_found(ell, yaw):
    surface, parts = ell
    T_world_object = SE3.from_parts((1, 0, 0, 0), (0.02, -0.03, 0.025)) @ SE3.exp((0, 0, 0, 0, 0, yaw))
    things = [Box(size, T_world_object @ T_object_part, faces_rgb(5)) for size, T_object_part in parts]
    other = Box((0.09, 0.09, 0.09), SE3.from_parts((1, 0, 0, 0), (-0.2, 0.15, 0.045)), faces_rgb(7))
    frame, masks = render([*things, other], T_WORLD_CAMERA, noise_px=0.05)
    starts = search(frame, surface)
    place, angle = (T_WORLD_CAMERA.inv() @ T_world_object).distance(starts[0].T_camera_object)
    assert place < 0.005 and np.rad2deg(angle) < 3.0
    assert starts[0].score > 0.6 and all(one.score <= starts[0].score for one in starts)
    assert (starts[0].mask & masks["object"]).sum() > 0.85 * starts[0].mask.sum()


def test_a_mask_is_enough_to_register(ell):
    surface, parts = ell
    T_world_object = SE3.from_parts((1, 0, 0, 0), (0.0, 0.0, 0.025))
    things = [Box(size, T_world_object @ T_object_part, faces_rgb(5)) for size, T_object_part in parts]
    frame, masks = render(things, T_WORLD_CAMERA)
    found = Tracker(surface).register(frame, masks["object"])
    assert (T_WORLD_CAMERA.inv() @ T_world_object).distance(found.T_camera_object)[0] < 0.003
    with pytest.raises(SchemaError, match="Give a mask"):
        find_start(frame, [np.zeros_like(masks["object"])], surface)


def test_without_the_object_nothing_is_found(surface):
    empty, _ = render([], T_WORLD_CAMERA)
    with pytest.raises(SchemaError, match="nothing on the table"):
        search(empty, surface)


def test_table_and_things_are_found():
    things = [
        Box(SIZE, T_world_box_at(0.0, 0.0, 0.4), faces_rgb(1), "box"),
        Box((0.06, 0.06, 0.06), SE3.from_parts((1, 0, 0, 0), (0.2, 0.1, 0.03)), faces_rgb(2), "cube"),
    ]
    frame, masks = render(things, T_WORLD_CAMERA, noise_px=0.08)
    plane = find_plane(frame)
    normal = T_WORLD_CAMERA.inv().rotate(np.array((0.0, 0.0, 1.0)))
    assert plane.normal @ normal > np.cos(np.deg2rad(0.5))
    assert abs(float(plane.height(np.zeros(3))) - 0.45) < 0.003
    found = find_components(frame, plane, depth_noise(frame.depth))
    assert len(found) == 2 and not any(thing.on_border for thing in found)
    for thing, name in zip(found, ("box", "cube"), strict=True):
        overlap = (thing.mask & masks[name]).sum() / (thing.mask | masks[name]).sum()
        assert overlap > 0.75, (name, overlap)


def test_no_table_is_said_so():
    frame, _ = render([], look_at((0.0, 0.0, 0.5), (0.0, 1.0, 1.5)))
    with pytest.raises(SchemaError, match=r"depth|table"):
        find_plane(frame)


def test_a_mesh_in_millimetres_is_refused(tmp_path):
    path = tmp_path / "box.stl"
    trimesh.creation.box((160, 100, 70)).export(path)
    with pytest.raises(SchemaError, match=r"scale it by 0\.001"):
        load_mesh(path)
    check_size(box_mesh(SIZE), "it")
    (tmp_path / "box.obj").write_text("nothing")
    with pytest.raises(SchemaError, match=r"cannot be read|no triangles"):
        load_mesh(tmp_path / "box.obj")


def test_inner_walls_are_not_seen_from_outside(ell):
    surface, _ = ell
    assert 2000 < len(surface.points) < 4000
    # The arm's end lies inside the bar; away from the bar's own faces few samples of it are left.
    inside = (np.abs(surface.points - (0.042, 0.0, 0.0)) < (0.013, 0.001, 0.015)).all(axis=1)
    outside = (np.abs(surface.points - (0.05, 0.06, 0.0)) < (0.013, 0.001, 0.015)).all(axis=1)
    assert inside.sum() < 0.4 * outside.sum()


def test_samples_and_outline_are_where_the_picture_has_them(surface):
    T_world_box = T_world_box_at(0.0, 0.0, 0.4)
    frame, masks = render([Box(SIZE, T_world_box, faces_rgb(1))], T_WORLD_CAMERA)
    T_camera_box = T_WORLD_CAMERA.inv() @ T_world_box
    rotation, translation = T_camera_box.rotation_matrix(), T_camera_box.translation
    covered = silhouette(surface, rotation, translation, frame.camera).grown(frame.camera, 0)
    assert (covered & masks["object"]).sum() / (covered | masks["object"]).sum() > 0.95
    p_camera = T_camera_box.apply(surface.points[visible_samples(surface, rotation, translation, frame.camera)])
    u = np.rint(p_camera[:, 0] / p_camera[:, 2] * frame.camera.fx + frame.camera.cx).astype(int)
    v = np.rint(p_camera[:, 1] / p_camera[:, 2] * frame.camera.fy + frame.camera.cy).astype(int)
    assert np.percentile(np.abs(frame.depth[v, u] - p_camera[:, 2]), 95) < 0.004
    found = outline(
        surface, rotation, translation, frame.camera, silhouette(surface, rotation, translation, frame.camera)
    )
    p_edge = T_camera_box.apply(found.points)
    pixels = p_edge[:, :2] / p_edge[:, 2:] * (frame.camera.fx, frame.camera.fy) + (frame.camera.cx, frame.camera.cy)
    for shift, expected in ((-3, True), (3, False)):
        u, v = np.rint(pixels + shift * found.normals).astype(int).T
        assert (masks["object"][v, u] == expected).mean() > 0.95


def test_background_keeps_what_never_moves():
    near, far = np.full((8, 8), 0.5, np.float32), np.full((8, 8), 0.8, np.float32)
    background = Background(near, np.zeros((8, 8), bool), 0.001)
    background.learn(far, np.zeros((8, 8), bool))
    assert np.allclose(background.depth, 0.8)
    background.learn(near, np.zeros((8, 8), bool))
    assert np.allclose(background.depth, 0.8)
    assert background.in_front(np.array([2]), np.array([2]), np.array([0.5])).all()
    assert not background.in_front(np.array([2]), np.array([2]), np.array([0.8])).any()


def test_depth_noise_is_measured():
    rng = np.random.default_rng(0)
    plane = np.tile(np.linspace(0.7, 1.0, 240)[:, None], (1, 320))
    assert depth_noise((plane + rng.normal(0, 0.004, plane.shape) * plane**2).astype(np.float32)) == pytest.approx(
        0.004, rel=0.1
    )


def test_colours_tell_object_from_surroundings():
    colours, rng = ColourModel(), np.random.default_rng(0)
    red, grey = rng.normal((180, 40, 40), 8, (300, 3)), rng.normal((120, 120, 120), 8, (300, 3))
    assert (colours.log_odds(np.uint8(red), "around") == 0).all()
    colours.learn("object", np.uint8(red), 1.0)
    colours.learn("around", np.uint8(grey), 1.0)
    assert (colours.log_odds(np.uint8(red), "around") > 0).mean() > 0.95
    assert (colours.log_odds(np.uint8(grey), "around") < 0).mean() > 0.95


def test_rotation_vectors_come_back():
    for angle in (0.0, 1e-9, 0.3, 2.0, np.pi - 1e-7, np.pi):
        rotvec = angle * np.array((0.6, -0.48, 0.64))
        assert np.allclose(turn(rotvec_of(turn(rotvec))), turn(rotvec), atol=1e-6)


def test_the_prior_holds_only_silent_axes():
    rows = np.eye(6)[:5]
    step, _ = solve([Pull(rows, np.full(5, 0.01), np.full(5, 1e8))], Prior(1.0, 0.002, 0.02, 4e5), np.zeros(6))
    assert np.allclose(step[:5], 0.01, rtol=1e-2) and abs(step[5]) < 1e-12
