"""From a tracked object path to the reference of a task: gaps filled, smoothed in time, trimmed, evenly sampled.

In:  ``ObjectTrajectory`` as tracked: any frame rate, lost frames.   Out: ``ObjectTrajectory`` from time 0, none lost.
Not here: whether the path goes through things (clearance), which frames are lost (perception).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class ReferenceCfg:
    """How a tracked path becomes a reference."""

    rate_hz: float = 60.0
    """[Hz] of the result, whatever the camera's rate was."""
    smoothing: float = 0.07
    """[s] standard deviation of the Gaussian low-pass: lets pass what a hand does (below 2 Hz), not tracker noise. 0: none."""
    max_gap: float = 0.5
    """[s] longest stretch without a frame that is filled by interpolation; a hand can turn round in a longer one."""
    still_speed: float = 0.02
    """[m/s] of the anchor points: slower than this at the start and at the end counts as standing still."""
    min_motion: float = 0.01
    """[m] an anchor point must move somewhere, or there is no task."""
    lead: float = 0.25
    """[s] of standing still that is kept before and after the motion."""


def make_reference(
    trajectory: ObjectTrajectory, anchor_points: np.ndarray, cfg: ReferenceCfg | None = None
) -> tuple[ObjectTrajectory, float]:
    """The reference, and when [s] in the recording it starts.

    Args:
        trajectory: as tracked, in the world.
        anchor_points: (K, 3) [m] in the object frame; their speed tells when the object moves, turns included.
        cfg: see ``ReferenceCfg``.

    Raises:
        SchemaError: fewer than two frames seen, a gap longer than ``max_gap``, or an object that never moves.
    """
    cfg = cfg or ReferenceCfg()
    time, wxyz_xyz = _seen(trajectory, cfg.max_gap)
    count = int(np.floor((time[-1] - time[0]) * cfg.rate_hz + 1e-6)) + 1
    grid = time[0] + np.arange(count) / cfg.rate_hz
    if count < 2:
        raise SchemaError(f"A path of {time[-1] - time[0]:.3f} s is too short for a task at {cfg.rate_hz} Hz.")
    smooth = _interpolated(time, wxyz_xyz, grid) if cfg.smoothing == 0 else _smoothed(time, wxyz_xyz, grid, cfg)
    first, last = _motion(SE3(smooth), anchor_points, cfg)
    kept = smooth[first : last + 1]
    reference = ObjectTrajectory(
        object_name=trajectory.object_name,
        time=np.arange(len(kept)) / cfg.rate_hz,
        wxyz_xyz_world_object=kept,
        confidence=np.ones(len(kept)),
        lost=np.zeros(len(kept), bool),
    )
    return reference, float(grid[first])


def _seen(trajectory: ObjectTrajectory, max_gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Times (T) and poses (T, 7) of the frames seen, short gaps filled."""
    seen = ~trajectory.lost
    time, wxyz_xyz = trajectory.time[seen], trajectory.wxyz_xyz_world_object[seen]
    if len(time) < 2:
        raise SchemaError(f"The object was seen in {len(time)} of {len(seen)} frames; a path needs at least 2.")
    step = np.diff(time)
    if float(step.max()) > max_gap:
        at = int(np.argmax(step))
        raise SchemaError(
            f"The object was lost for {step[at]:.2f} s from {time[at]:.2f} s on; at most {max_gap} s are filled. "
            "Track it again, or record it without hiding it so long."
        )
    # A gap gets as many frames as its neighbours have, so that it weighs in the smoothing what it is long.
    usual = float(np.median(step))
    filled = np.concatenate([[time[0]]] + [a + (b - a) * np.arange(1, n + 1) / n for a, b, n in _pieces(time, usual)])
    return filled, _interpolated(time, wxyz_xyz, filled)


def _pieces(time: np.ndarray, usual: float) -> list[tuple[float, float, int]]:
    return [(a, b, max(1, round((b - a) / usual))) for a, b in itertools.pairwise(time)]


def _interpolated(time: np.ndarray, wxyz_xyz: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Poses (G, 7) at times ``at``: straight lines and shortest turns between frames."""
    left = np.clip(np.searchsorted(time, at, side="right") - 1, 0, len(time) - 2)
    fraction = np.clip((at - time[left]) / (time[left + 1] - time[left]), 0.0, 1.0)
    return SE3(wxyz_xyz[left]).interpolate(SE3(wxyz_xyz[left + 1]), fraction).wxyz_xyz


def _smoothed(time: np.ndarray, wxyz_xyz: np.ndarray, at: np.ndarray, cfg: ReferenceCfg) -> np.ndarray:
    """Poses (G, 7) at times ``at``: at each, the line that fits the frames around it best, weighted by a Gaussian.

    A frame weighs as much as the time it stands for, so the result does not depend on the frame rate; and a line, unlike
    a mean, does not shrink the path at its ends.
    """
    # Of the two quaternions of a rotation, each frame takes the one near the frame before.
    wxyz_xyz = wxyz_xyz.copy()
    flips = np.where((wxyz_xyz[1:, :4] * wxyz_xyz[:-1, :4]).sum(-1) < 0, -1.0, 1.0)
    wxyz_xyz[1:, :4] *= np.cumprod(flips)[:, None]
    out = np.empty((len(at), 7))
    stands_for = np.gradient(time)
    for index, now in enumerate(at):
        start, stop = np.searchsorted(time, [now - 4 * cfg.smoothing, now + 4 * cfg.smoothing])
        start, stop = min(start, len(time) - 2), max(stop, 2)
        dt = time[start:stop] - now
        weight = stands_for[start:stop] * np.exp(-0.5 * (dt / cfg.smoothing) ** 2)
        values = wxyz_xyz[start:stop]
        s0, s1, s2 = weight.sum(), weight @ dt, weight @ (dt * dt)
        out[index] = (s2 * (weight @ values) - s1 * ((weight * dt) @ values)) / (s0 * s2 - s1 * s1)
    return SE3.from_parts(out[:, :4], out[:, 4:]).wxyz_xyz


def _motion(Ts_world_object: SE3, anchor_points: np.ndarray, cfg: ReferenceCfg) -> tuple[int, int]:
    """First and last sample of the motion, with ``lead`` on both sides as far as there is any."""
    p_world_anchor = SE3(Ts_world_object.wxyz_xyz[:, None, :]).apply(anchor_points)
    moved = np.linalg.norm(p_world_anchor - p_world_anchor[0], axis=-1).mean(axis=-1)
    if float(moved.max()) < cfg.min_motion:
        raise SchemaError(
            f"The object moves by {moved.max() * 1e3:.1f} mm at most; a task needs {cfg.min_motion * 1e3:.0f} mm. "
            "Check that the tracker follows this object."
        )
    remaining = np.linalg.norm(p_world_anchor - p_world_anchor[-1], axis=-1).mean(axis=-1)
    speed = np.linalg.norm(np.gradient(p_world_anchor, axis=0), axis=-1).mean(axis=-1) * cfg.rate_hz
    slow = speed < cfg.still_speed
    lead = round(cfg.lead * cfg.rate_hz)
    # From where it has certainly left its place, back to where it was last slow; the same from the end.
    left = int(np.argmax(moved >= cfg.min_motion))
    before = np.flatnonzero(slow[: left + 1])
    first = int(before[-1]) - lead if before.size else 0
    away = np.flatnonzero(remaining >= cfg.min_motion)
    arrived = int(away[-1]) if away.size else left
    after = np.flatnonzero(slow[arrived:])
    last = arrived + int(after[0]) + lead if after.size else len(speed) - 1
    return max(first, 0), min(last, len(speed) - 1)
