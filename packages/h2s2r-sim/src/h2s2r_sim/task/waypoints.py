"""A smooth path of an object through a few way-points.

In:  times [s], positions [m] and orientations at way-points.   Out: an ``ObjectTrajectory`` sampled evenly.
Not here: smoothing of recorded paths (reference).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: [s] between samples: fine enough that what lies between two is straight.
SAMPLE_TIME = 1.0 / 120.0


def path_through(object_name: str, time: np.ndarray, Ts_world_waypoint: SE3) -> ObjectTrajectory:
    """The path through all way-points that starts and ends at rest and never overshoots between two of them.

    Position and rotation vector (from the first way-point, so turns stay under 180°) are monotone cubic in time
    (Fritsch and Carlson, SIAM J. Numer. Anal. 17(2), 1980): a path whose way-points do not go below the table does not.

    Args:
        object_name: name of the object that moves.
        time: (W) [s] at the way-points, from 0 and growing.
        Ts_world_waypoint: (W) object poses in the world.

    Raises:
        SchemaError: fewer than two way-points, times that do not grow from 0, or a turn of 170° or more from the start.
    """
    time = np.asarray(time, float)
    if len(time) < 2 or time[0] != 0.0 or not bool((np.diff(time) > 0).all()):
        raise SchemaError(f"Way-points need at least two times that grow from 0 s; these are {time.tolist()}.")
    T_world_waypoint = Ts_world_waypoint[0]
    rotvec = (SE3.from_parts(T_world_waypoint.wxyz, np.zeros(3)).inv() @ Ts_world_waypoint).log()[:, 3:]
    if float(np.linalg.norm(rotvec, axis=-1).max()) > np.deg2rad(170.0):
        raise SchemaError(
            "A way-point is turned by more than 170° from the first; way-points cannot tell which way round."
        )
    grid = np.arange(round(float(time[-1]) / SAMPLE_TIME) + 1) * SAMPLE_TIME
    values = _monotone_cubic(time, np.concatenate([Ts_world_waypoint.translation, rotvec], axis=-1), grid)
    turned = SE3.exp(np.concatenate([np.zeros_like(values[:, :3]), values[:, 3:]], axis=-1))
    Ts_world_object = SE3.from_parts((T_world_waypoint @ turned).wxyz, values[:, :3])
    return ObjectTrajectory(
        object_name=object_name,
        time=grid,
        wxyz_xyz_world_object=Ts_world_object.wxyz_xyz,
        confidence=np.ones(len(grid)),
        lost=np.zeros(len(grid), bool),
    )


def _monotone_cubic(time: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values (G, D) at times ``at`` (G) of the cubics through ``values`` (W, D), at rest at both ends."""
    step = np.diff(time)[:, None]
    slope = np.diff(values, axis=0) / step
    tangent = np.zeros_like(values)
    before, after, width, next_width = slope[:-1], slope[1:], step[:-1], step[1:]
    same_way = before * after > 0
    # Weighted harmonic mean of the two slopes; zero where the direction changes.
    weight, next_weight = 2 * next_width + width, next_width + 2 * width
    safe_before, safe_after = np.where(same_way, before, 1.0), np.where(same_way, after, 1.0)
    mean = (weight + next_weight) / (weight / safe_before + next_weight / safe_after)
    tangent[1:-1] = np.where(same_way, mean, 0.0)
    left = np.clip(np.searchsorted(time, at, side="right") - 1, 0, len(time) - 2)
    h = step[left]
    s = (at - time[left])[:, None] / h
    return (
        (1 + 2 * s) * (1 - s) ** 2 * values[left]
        + s * (1 - s) ** 2 * h * tangent[left]
        + s * s * (3 - 2 * s) * values[left + 1]
        + s * s * (s - 1) * h * tangent[left + 1]
    )
