"""Things on a table: which parts belong together, which are cut off by the picture, which move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scenes_for_tests import CAMERA, Box, faces_rgb, look_at, render

from h2s2r_perception.frames import RGBDFrame, deproject
from h2s2r_perception.segment import find_components, find_plane, join_neighbours, joined, share_moved
from h2s2r_perception.track.background import depth_noise
from h2s2r_schemas.se3 import SE3

T_WORLD_CAMERA = look_at((0.0, -0.55, 0.35), (0.0, 0.0, 0.05))


def box_at(x, y, size, z=None, seed=3):
    return Box(size, SE3.from_parts((1, 0, 0, 0), (x, y, size[2] / 2 if z is None else z)), faces_rgb(seed))


def things_of(boxes, noise_px=0.0):
    frame, _ = render(boxes, T_WORLD_CAMERA, noise_px=noise_px)
    return frame, find_components(frame, find_plane(frame), depth_noise(frame.depth))


def test_a_part_behind_a_step_in_depth_is_joined_and_a_thing_farther_away_is_not():
    body = box_at(0.0, 0.0, (0.08, 0.08, 0.12))
    handle = box_at(0.08, 0.0, (0.06, 0.02, 0.05))  # begins in the picture where the body ends, 3 cm behind it
    other = box_at(-0.2, 0.1, (0.08, 0.08, 0.10), seed=5)
    _, things = things_of([body, handle, other])
    assert len(things) == 3
    groups = join_neighbours(things, 0.06)
    assert sorted(len(group) for group in groups) == [1, 2]
    pair = max(groups, key=len)
    whole = joined(pair)
    assert whole.mask.sum() == pair[0].mask.sum() + pair[1].mask.sum() and len(whole.points) == sum(
        len(part.points) for part in pair
    )
    assert all(len(group) == 1 for group in join_neighbours(things, 0.005))


def test_the_border_cuts_an_arm_but_only_touches_a_thing():
    arm = box_at(0.26, 0.0, (0.4, 0.06, 0.05), z=0.12)
    _, things = things_of([arm])
    assert things[0].on_border
    T_world_box = SE3.from_parts((1, 0, 0, 0), (0.0, 0.0, 0.06)) @ SE3.exp((0, 0, 0, 0, 0, np.pi / 4))
    frame, things = things_of([Box((0.08, 0.08, 0.12), T_world_box, faces_rgb(3))])
    shown = np.nonzero(things[0].mask.any(axis=1))[0]
    for rows, cut in ((shown.max() - 1, False), (shown.max() - 20, True)):
        part = RGBDFrame(0, 0.0, frame.rgb[:rows], frame.depth[:rows], CAMERA.replace(height=int(rows)))
        found = find_components(part, find_plane(frame), depth_noise(frame.depth))
        assert found[0].mask[-2:].any() and found[0].on_border == cut


def test_what_moves_leaves_something_farther_behind_and_a_hand_in_front_does_not_count():
    clutter, still = box_at(-0.15, 0.0, (0.08, 0.08, 0.08), seed=5), box_at(0.05, 0.0, (0.08, 0.08, 0.08))
    hand = box_at(-0.15, -0.1, (0.05, 0.04, 0.14), seed=7)
    frame, masks = render([clutter, still], T_WORLD_CAMERA, noise_px=0.05)
    _, only = render([clutter], T_WORLD_CAMERA)
    later, _ = render([clutter, box_at(0.2, 0.02, (0.08, 0.08, 0.08)), hand], T_WORLD_CAMERA, 1, noise_px=0.05)
    noise = depth_noise(frame.depth)
    moving = masks["object"] & ~only["object"]
    assert share_moved(moving, frame.depth, [later.depth], noise) > 0.6
    assert share_moved(only["object"], frame.depth, [later.depth], noise) < 0.1
    assert share_moved(moving, frame.depth, [], noise) == 0.0
    assert share_moved(np.zeros_like(moving), frame.depth, [later.depth], noise) == 0.0


def test_what_lies_far_below_and_behind_does_not_tilt_the_table():
    """A camera that looks far beyond the table: most pixels show a floor lower down and a wall, both within noise at 5 m."""
    T_world_camera = look_at((0.0, -0.55, 0.35), (0.0, 1.6, 0.0))
    frame, _ = render([], T_world_camera, noise_px=0.05)
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    ones = np.ones(u.shape)
    rays = T_world_camera.rotate(deproject(CAMERA, u, v, ones))
    with np.errstate(divide="ignore"):
        floor = np.where(rays[..., 2] < 0, (-0.2 - T_world_camera.translation[2]) / rays[..., 2], np.inf)
    beyond = np.minimum(floor, 3.0 / np.maximum(rays[..., 1], 1e-3))
    whole = replace(frame, depth=np.where(frame.depth > 0, frame.depth, np.minimum(beyond, 6.0)).astype(np.float32))
    up = T_world_camera.inv().rotate(np.array([0.0, 0.0, 1.0]))
    plane = find_plane(whole, up)
    assert np.rad2deg(np.arccos(min(1.0, plane.normal @ up))) < 0.25
    assert abs(plane.offset - 0.35) < 0.003
