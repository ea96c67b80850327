"""A reference is the demonstrated path: frame-rate independent, smooth, without gaps and without the still head."""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.artifacts import ObjectTrajectory, anchor_error
from h2s2r_schemas.artifacts.geometry import Symmetry
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.task.reference import ReferenceCfg, make_reference

ANCHORS = np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [-0.1, 0.0, 0.05]])
HEAD, MOVE = 1.5, 3.0


def true_path(time: np.ndarray) -> SE3:
    """Still for HEAD, then 30 cm and 40° in MOVE seconds (minimum jerk), then still."""
    s = np.clip((time - HEAD) / MOVE, 0.0, 1.0)
    u = s**3 * (10 - 15 * s + 6 * s * s)
    twist = np.zeros((len(time), 6))
    twist[:, 4] = np.deg2rad(40.0) * u
    turn = SE3.exp(twist)
    return SE3.from_parts(turn.wxyz, np.stack([0.5 + 0.0 * u, -0.1 + 0.3 * u, 0.03 + 0.1 * u], axis=-1))


def tracked(
    rate_hz: float, noise: float = 0.0, lost: tuple[float, float] | None = None, seed: int = 0
) -> ObjectTrajectory:
    rng = np.random.default_rng(seed)
    time = 2.0 + np.cumsum(np.full(round(6.0 * rate_hz), 1 / rate_hz) * rng.uniform(0.8, 1.2, round(6.0 * rate_hz)))
    poses = true_path(time - 2.0)
    if noise:
        size = np.concatenate([np.full(3, noise), np.full(3, noise * 10)])
        jitter = SE3.exp(rng.normal(0.0, 1.0, (len(time), 6)) * size)
        poses = SE3.from_parts((poses @ jitter).wxyz, poses.translation + jitter.translation)
    hidden = np.zeros(len(time), bool) if lost is None else (time > 2.0 + lost[0]) & (time < 2.0 + lost[1])
    wxyz_xyz = poses.wxyz_xyz.copy()
    wxyz_xyz[hidden] = np.nan
    return ObjectTrajectory("box", time, wxyz_xyz, np.where(hidden, 0.0, 1.0), hidden)


def error_to_truth(trajectory: ObjectTrajectory, cfg: ReferenceCfg | None = None) -> np.ndarray:
    """Anchor error (T) [m] of the reference made from ``trajectory``."""
    reference, start = make_reference(trajectory, ANCHORS, cfg)
    truth = true_path(reference.time + start - 2.0)
    return anchor_error(reference.Ts_world_object, truth, ANCHORS, Symmetry())


@pytest.mark.requirement("H07")
@pytest.mark.parametrize("rate_hz", [15.0, 30.0, 60.0, 200.0])
def test_any_frame_rate_gives_the_same_reference(rate_hz: float) -> None:
    reference, start = make_reference(tracked(rate_hz), ANCHORS)
    assert np.allclose(np.diff(reference.time), 1 / 60)
    assert reference.time[0] == 0.0 and not reference.lost.any()
    assert start == pytest.approx(2.0 + HEAD, abs=0.35)
    assert error_to_truth(tracked(rate_hz)).max() < 1.5e-3


@pytest.mark.requirement("H07")
def test_smoothing_removes_noise_and_keeps_the_motion() -> None:
    noisy = tracked(30.0, noise=2e-3)
    raw = error_to_truth(noisy, ReferenceCfg(smoothing=0.0))
    smooth = error_to_truth(noisy)
    assert smooth.mean() < 0.55 * raw.mean()
    assert smooth.max() < 5e-3


def test_a_short_gap_is_filled_and_a_long_one_refused() -> None:
    assert error_to_truth(tracked(30.0, lost=(2.5, 2.9))).max() < 6e-3
    with pytest.raises(SchemaError, match=r"lost for 0\.\d+ s from 4\.\d+ s"):
        make_reference(tracked(30.0, lost=(2.5, 3.2)), ANCHORS)


def test_lost_frames_at_both_ends_are_cut() -> None:
    whole = tracked(30.0)
    hidden = (whole.time < 2.8) | (whole.time > 7.5)
    poses = np.where(hidden[:, None], np.nan, whole.wxyz_xyz_world_object)
    cut = ObjectTrajectory("box", whole.time, poses, np.where(hidden, 0.0, 1.0), hidden)
    assert error_to_truth(cut).max() < 2e-3


@pytest.mark.requirement("H09")
def test_starts_and_ends_standing_still() -> None:
    reference, start = make_reference(tracked(30.0, noise=2e-3), ANCHORS)
    moved = anchor_error(reference.Ts_world_object, reference.Ts_world_object[0], ANCHORS, Symmetry())
    assert moved[: round(0.2 * 60)].max() < 5e-3
    assert moved[-1] > 0.3
    assert reference.duration + 0.7 > MOVE and reference.duration < MOVE + 0.6
    assert start > 2.0 + HEAD - 0.3


def test_a_pure_turn_is_a_motion() -> None:
    time = np.arange(120) / 30.0
    twist = np.zeros((120, 6))
    twist[:, 5] = np.clip(time - 1.0, 0.0, 1.0) * 0.5
    turning = ObjectTrajectory("box", time, SE3.exp(twist).wxyz_xyz, np.ones(120), np.zeros(120, bool))
    reference, _ = make_reference(turning, ANCHORS)
    assert reference.Ts_world_object[0].distance(reference.Ts_world_object[-1])[1] == pytest.approx(0.5, abs=0.01)


def test_an_object_that_never_moves_is_refused() -> None:
    time = np.arange(90) / 30.0
    still = ObjectTrajectory("box", time, SE3.identity((90,)).wxyz_xyz, np.ones(90), np.zeros(90, bool))
    with pytest.raises(SchemaError, match=r"moves by 0\.0 mm at most"):
        make_reference(still, ANCHORS)
    seen_once = ObjectTrajectory(
        "box", time[:2], [[1, 0, 0, 0, 0, 0, 0], [np.nan] * 7], np.array([1.0, 0.0]), np.array([False, True])
    )
    with pytest.raises(SchemaError, match="seen in 1 of 2 frames"):
        make_reference(seen_once, ANCHORS)
