"""Which frames of a path to keep, and how fast to follow them.

In:  keypoints or joint positions over time.   Out: masks of frames to keep, time stamps slow enough for the robot.
Not here: joint positions for a frame (trajectory).

The rules are those of the reference implementation of the method (Lum et al. 2025, human-to-robot retargeting script), so
that replay baselines can use the same frames.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.errors import SchemaError

#: [m] a keypoint may move per frame (reference implementation: 2 cm).
MAX_KEYPOINT_STEP = 0.02
#: [rad] a joint may move per frame (reference implementation: 15°).
MAX_JOINT_STEP = float(np.deg2rad(15.0))


def keep_steady(values: np.ndarray, max_step: float) -> np.ndarray:
    """Frames whose fastest value moved at most ``max_step`` per frame since the last one kept.

    The first frame is kept; a frame that jumps is dropped, and the allowance grows with every frame dropped since.

    Args:
        values: (T, …) keypoints (T, 21, 3) [m], of which the distance of each point counts, or joint positions (T, J)
            [rad or m], of which each counts by itself.
        max_step: [m or rad] per frame.

    Returns:
        (T) bool.
    """
    kept = np.zeros(len(values), dtype=bool)
    last = 0
    for frame in range(len(values)):
        moved = values[frame] - values[last]
        distance = np.linalg.norm(moved, axis=-1).max() if values.ndim == 3 else np.abs(moved).max(initial=0.0)
        if distance <= max_step * (frame - last):
            kept[frame], last = True, frame
    return kept


def stretch_time(time: np.ndarray, joint_pos: np.ndarray, velocity_limit: np.ndarray) -> np.ndarray:
    """Time stamps (T) [s] at which no joint exceeds its speed: intervals that are too short become longer.

    Args:
        time: (T) [s], strictly growing.
        joint_pos: (T, J) [rad or m].
        velocity_limit: (J) [rad/s or m/s].

    Raises:
        SchemaError: lengths that differ, or a limit that is not above zero.
    """
    if len(time) != len(joint_pos) or joint_pos.shape[-1:] != velocity_limit.shape:
        raise SchemaError(
            f"{len(time)} times, joint_pos {joint_pos.shape}, velocity_limit {velocity_limit.shape}: they differ."
        )
    if not (velocity_limit > 0).all():
        raise SchemaError(f"velocity_limit is {velocity_limit.tolist()}; every limit is above zero.")
    needed = (np.abs(np.diff(joint_pos, axis=0)) / velocity_limit).max(axis=-1, initial=0.0)
    return np.concatenate((time[:1], time[0] + np.cumsum(np.maximum(np.diff(time), needed))))
