"""The depth camera's faults, one by one, and its noise against the figures that its maker publishes.

In:  planes and steps.   Out: measured depth.
Not here: rendered pictures (test_demonstrate_record).
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate.camera import D435, NO_FAULTS, DepthFaults, expose, measure_depth
from h2s2r_sim.demonstrate.camera.measure import smooth_noise

CAMERA = CameraIntrinsics(width=320, height=240, fx=300.0, fy=300.0, cx=159.5, cy=119.5)
SHAPE = (240, 320)


def plane(depth: float) -> np.ndarray:
    return np.full(SHAPE, depth, np.float32)


def step(near: float = 0.6, far: float = 0.9) -> np.ndarray:
    """Something near in the middle, in front of a wall."""
    depth = plane(far)
    depth[60:180, 120:200] = near
    return depth


def measured(depth: np.ndarray, seed: int = 0, **faults) -> np.ndarray:
    return measure_depth(depth, CAMERA, replace(NO_FAULTS, **faults), np.random.default_rng(seed))


def test_without_faults_it_measures_the_truth():
    np.testing.assert_array_equal(measured(step()), step())


@pytest.mark.requirement("H21")
@pytest.mark.parametrize("depth", [0.5, 0.75, 1.0])
def test_noise_is_what_the_maker_publishes(depth):
    # Grunnet-Jepsen et al.: RMS [mm] = distance² [mm²] · subpixel / (focal length [px] · baseline [mm]), with
    # focal length = Xres / 2 / tan(HFOV / 2); D435: 848 px, 90°, 50 mm, and a subpixel RMS of 0.08.
    focal = 848 / 2 / np.tan(np.deg2rad(90.0) / 2)
    published = 1e-3 * (1e3 * depth) ** 2 * 0.08 / (focal * 50.0)
    noise = measured(plane(depth), disparity_noise_px=D435.disparity_noise_px, noise_width_px=D435.noise_width_px)
    assert np.std(noise - depth) == pytest.approx(published, rel=0.06)
    assert abs(np.mean(noise - depth)) < 0.1 * published
    assert D435.depth_noise(depth) == pytest.approx(published)
    # The same with all other faults, where anything was measured and no edge is near.
    everything = measure_depth(plane(depth), CAMERA, D435, np.random.default_rng(1))
    kept = everything[everything > 0]
    assert np.std(kept - depth) == pytest.approx(published, rel=0.15)


def test_noise_grows_with_the_square_of_depth_and_is_new_every_time():
    near, far = (np.std(measured(plane(d), disparity_noise_px=0.08) - d) for d in (0.5, 1.0))
    assert far / near == pytest.approx(4.0, rel=0.05)
    first, second = (measured(plane(0.7), seed, disparity_noise_px=0.08) - 0.7 for seed in (1, 2))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


def test_noise_is_alike_over_its_width():
    noise = smooth_noise(SHAPE, 2.0, np.random.default_rng(0))
    assert noise.mean() == pytest.approx(0.0, abs=0.1)
    assert noise.std() == pytest.approx(1.0, rel=0.06)
    # White noise under a Gaussian of width w correlates by exp(-d² / 4w²) at a distance d.
    for distance in (1, 2, 4):
        correlation = np.mean(noise[:, distance:] * noise[:, :-distance]) / noise.var()
        assert correlation == pytest.approx(np.exp(-(distance**2) / 16.0), abs=0.05)
    white = smooth_noise(SHAPE, 0.0, np.random.default_rng(0))
    assert abs(np.mean(white[:, 1:] * white[:, :-1])) < 0.02


def test_depth_comes_in_the_steps_of_disparity():
    ramp = np.linspace(0.6, 0.8, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    found = np.unique(measured(ramp, disparity_step_px=1 / 32))
    disparity = 424.0 * 0.050 / found
    np.testing.assert_allclose(disparity * 32, np.round(disparity * 32), atol=1e-3)
    # At 0.7 m a step is depth² / (focal · baseline) / 32 = 0.72 mm, so nothing is off by more than half of that.
    assert np.abs(measured(ramp, disparity_step_px=1 / 32) - ramp).max() < 0.5 * 0.8**2 / 21.2 / 32 + 1e-6
    assert 200 < len(found) < 300


def test_edges_get_depths_between_their_sides():
    found = measured(step(), edge_mixing=0.5)
    beside = (found != step()).nonzero()
    between = found[beside]
    assert ((between > 0.6) & (between < 0.9)).all()
    edge = 2 * 2 * (120 + 80)  # pixels on both sides of the outline
    assert len(between) == pytest.approx(0.5 * edge, rel=0.15)
    rows, columns = beside
    assert rows.min() >= 59
    assert rows.max() <= 180
    assert columns.min() >= 119
    assert columns.max() <= 200
    np.testing.assert_array_equal(measured(plane(0.7), edge_mixing=0.5), plane(0.7))


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_holes_cover_their_share_in_spots(share):
    lost = measured(plane(0.7), hole_share=share, hole_width_px=6.0) == 0
    assert lost.mean() == pytest.approx(share, rel=0.02)
    # Spots, not single pixels: a lost pixel's neighbour is mostly lost too.
    assert (lost[:, 1:] & lost[:, :-1]).sum() / lost.sum() > 0.6


def test_a_strip_beside_near_things_is_seen_by_one_imager_only():
    lost = measured(step(), shadows=True) == 0
    # Its width is the difference of the two disparities, in pixels of the picture: 300 px · 5 cm · (1/0.6 - 1/0.9) = 8.3.
    rows, columns = lost.nonzero()
    assert set(rows) == set(range(60, 180))
    assert columns.min() == 112
    assert columns.max() == 119
    assert not (measured(plane(0.7), shadows=True) == 0).any()


def test_grazing_surfaces_are_not_measured():
    # A plane seen under an angle: depth = z0 / (1 - slope · y / f), whose normal has a cosine of 1 / √(1 + slope²) to the axis.
    y = (np.arange(240) - 119.5)[:, None] / 300.0
    for slope, is_lost in ((5.0, False), (12.0, True)):
        tilted = np.broadcast_to(0.7 / (1 + slope * y), SHAPE)[118:122].astype(np.float32)
        lost = measure_depth(tilted, CAMERA, replace(NO_FAULTS, grazing_cos=0.12), np.random.default_rng(0)) == 0
        assert lost.all() == is_lost
        assert lost.any() == is_lost
    # A step is no surface.
    assert not (measured(step(), grazing_cos=0.12) == 0).any()


def test_nothing_is_measured_too_near_or_too_far():
    depth = np.broadcast_to(np.linspace(0.1, 3.0, 320, dtype=np.float32), SHAPE)
    found = measured(depth, near=0.2, far=1.5)
    np.testing.assert_array_equal(found > 0, (depth >= 0.2) & (depth <= 1.5))


def test_depth_lies_beside_the_colour_picture_by_the_offset():
    moved = measured(step(), offset_px=(3.0, -2.0))
    np.testing.assert_array_equal(moved[:-2, 3:], step()[2:, :-3])


def test_depth_is_taken_later_than_colour_and_frames_jitter():
    frames = expose(2.0, 30.0, DepthFaults(delay=0.004, time_jitter=0.001), np.random.default_rng(0))
    assert len(frames) == 61
    time = np.array([frame.time for frame in frames])
    assert all(frame.color_time == frame.time and frame.depth_time == frame.time + 0.004 for frame in frames)
    assert 0.0005 < np.std(time - np.arange(61) / 30) < 0.0015
    assert (np.diff(time) > 0).all()


def test_frames_are_dropped_and_repeated_in_their_shares():
    frames = expose(100.0, 30.0, DepthFaults(dropped=0.1, repeated=0.2), np.random.default_rng(0))
    assert len(frames) == pytest.approx(0.9 * 3001, rel=0.03)
    again = [late for early, late in itertools.pairwise(frames) if late.color_time == early.color_time]
    assert len(again) == pytest.approx(0.2 * len(frames), rel=0.1)
    assert all(frame.time > frame.color_time == frame.depth_time for frame in again)
    assert frames[0].time == frames[0].color_time == 0.0


def test_the_same_generator_measures_the_same():
    first, again = (measure_depth(step(), CAMERA, D435, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"hole_share": 1.5}, "hole_share is 1.5; it is a share"),
        ({"dropped": -0.1}, "dropped is -0.1; it is a share"),
        ({"baseline": 0.0}, "baseline is 0.0; it must be above 0"),
        ({"disparity_noise_px": -1.0}, "disparity_noise_px is -1.0; it must not be negative"),
    ],
)
def test_faults_that_cannot_be_are_refused(faults, message):
    with pytest.raises(SchemaError, match=message):
        DepthFaults(**faults)
