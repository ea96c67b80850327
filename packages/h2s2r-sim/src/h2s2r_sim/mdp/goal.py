"""Where the object shall be: the reference as goal poses, and the clock that moves along it.

In:  the reference of a task, tracking errors.   Out: goal poses now and ahead, as indices into a path sampled once.
Not here: success (schemas), rewards (rewards).

The environment runs this with a batch of N, the runner with a batch of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp.tracking import TrackedObject, anchor_distance

CLOCKS = ("runs", "waits")
TARGETS = ("full", "fixed", "interpolated", "downsampled")


@dataclass(frozen=True)
class GoalCfg:
    """How the goal moves, and what the policy is told of it."""

    clock: str = "runs"
    """``runs``: with time. ``waits``: stands while the object, as seen, is further from the goal than ``wait_distance``."""
    wait_distance: float = 0.2
    """[m] mean anchor-point error above which a waiting clock stands (the published method's value)."""
    target: str = "full"
    """What is aimed at: the ``full`` reference, or for ablations its ``fixed`` end, a straight ``interpolated`` line to its
    end, or a ``downsampled`` reference of ``num_waypoints`` poses, each held until the next is due."""
    num_waypoints: int = 3
    """For ``downsampled``: how many poses besides the start."""

    def __post_init__(self) -> None:
        if self.clock not in CLOCKS or self.target not in TARGETS or self.num_waypoints < 1:
            raise SchemaError(
                f"clock {self.clock!r} is one of {', '.join(CLOCKS)}; target {self.target!r} one of {', '.join(TARGETS)}; "
                f"num_waypoints {self.num_waypoints} is at least 1."
            )

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> GoalCfg:
        """From what ``as_data`` gave, as stored in ``PolicySpec.goal_clock``.

        Raises:
            SchemaError: an unknown key or value.
        """
        try:
            return cls(**data)
        except TypeError as error:
            raise SchemaError(f"This goal cannot be read: {error}. Its keys are those of GoalCfg.") from error

    def as_data(self) -> dict[str, Any]:
        """The configuration as plain data."""
        return asdict(self)


class GoalPath:
    """The reference sampled at the policy's rate, aimed at as ``cfg`` says.

    Args:
        cfg: what is aimed at.
        reference: of the task, starting at time 0.
        control_dt: [s] between policy steps.
        tracked: gives the anchor points.
    """

    def __init__(self, cfg: GoalCfg, reference: ObjectTrajectory, control_dt: float, tracked: TrackedObject) -> None:
        self.cfg = cfg
        self.control_dt = control_dt
        self.duration = reference.duration
        # The last sample is the end itself, reached with the step that completes the duration.
        self.last = int(np.ceil(self.duration / control_dt - 1e-6))
        time = np.minimum(control_dt * np.arange(self.last + 1), self.duration)
        self.reference = tracked.placed(SE3(sample(reference, time)))
        """(T) the reference itself: what success is judged by."""
        self.target = tracked.placed(SE3(_target(cfg, self.reference.wxyz_xyz_world_object)))
        """(T) what is aimed at."""
        aimed = SE3(self.target.wxyz_xyz_world_object)
        followed = tracked.placed(SE3(self.reference.wxyz_xyz_world_object), aimed)
        self.gap = anchor_distance(followed.p_world_anchors, self.target.p_world_anchors)
        """(T) [m] mean anchor-point error that an object on the reference has: 0 for the ``full`` target."""

    def advance(self, index: Array, error: Array) -> Array:
        """The clock (N) after one step, at ``last`` when the reference has ended.

        Args:
            index: (N) the clock before.
            error: (N) [m] mean anchor-point error of the object as seen; only a waiting clock looks at it.
        """
        step = (error <= self.cfg.wait_distance) if self.cfg.clock == "waits" else (index >= 0)
        return arrays.minimum(index + step, self.last)

    def anchors(self, index: Array, like: Array) -> Array:
        """Anchor points (…, K, 3) [m] of what is aimed at, at steps (…) of the clock, as an array like ``like``."""
        held = arrays.minimum(index, self.last)
        table = arrays.like(self.target.p_world_anchors, like)
        return arrays.take(table, held.reshape(-1), 0).reshape(*held.shape, *table.shape[1:])

    def phase(self, index: Array) -> Array:
        """(N) how much of the reference is behind, in [0, 1]."""
        return index / self.last


def sample(reference: ObjectTrajectory, time: np.ndarray) -> np.ndarray:
    """Poses (T, 7) of the reference at any times [s] within it."""
    after = np.clip(np.searchsorted(reference.time, time, side="right"), 1, len(reference.time) - 1)
    start, end = reference.time[after - 1], reference.time[after]
    fraction = np.clip((time - start) / (end - start), 0.0, 1.0)
    Ts_world_object = reference.Ts_world_object
    return Ts_world_object[after - 1].interpolate(Ts_world_object[after], fraction).wxyz_xyz


def _target(cfg: GoalCfg, wxyz_xyz: np.ndarray) -> np.ndarray:
    last = len(wxyz_xyz) - 1
    if cfg.target == "fixed":
        return np.repeat(wxyz_xyz[-1:], last + 1, 0)
    if cfg.target == "interpolated":
        ends = SE3(wxyz_xyz[[0, -1]])
        start = SE3(np.repeat(ends.wxyz_xyz[:1], last + 1, 0))
        return start.interpolate(ends[1], np.arange(last + 1) / last).wxyz_xyz
    if cfg.target == "downsampled":
        due = np.ceil(np.arange(last + 1) * cfg.num_waypoints / last).astype(int)
        return wxyz_xyz[np.round(np.maximum(due, 1) * last / cfg.num_waypoints).astype(int)]
    return wxyz_xyz
