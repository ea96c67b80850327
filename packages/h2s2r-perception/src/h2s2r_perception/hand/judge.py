"""How far a found hand is from the truth of a rendered recording.

In:  ``HandTrajectory``, ``DemoTruth``.   Out: figures by name.
Not here: finding it (path), what the figures must be (the benchmark).

Only frames count in which the camera sees all of the hand; of those, what is not flagged (lost) is compared keypoint by
keypoint. A flip is a palm that looks more than 90° away from the true one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from h2s2r_perception.frames import project
from h2s2r_perception.hand.doubt import palm_normal
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, Calibration, HandTrajectory
from h2s2r_schemas.demo import DemoTruth
from h2s2r_schemas.errors import SchemaError

_TIPS = [index for index, name in enumerate(KEYPOINT_NAMES) if name.endswith("_tip")]


def keypoint_errors(found: HandTrajectory, truth: DemoTruth) -> np.ndarray:
    """(T, 21) [m] distance of each keypoint from its true place; NaN in lost frames.

    Raises:
        SchemaError: the frames are not those of the truth.
    """
    true = truth.hand_trajectory
    if len(found.time) != len(true.time) or not np.allclose(found.time, true.time):
        raise SchemaError(
            f"The path has {len(found.time)} frames, the truth {len(true.time)}, or at other times: judge whole recordings."
        )
    return np.linalg.norm(found.p_world_keypoints - true.p_world_keypoints, axis=-1)


def in_picture(truth: DemoTruth, calibration: Calibration) -> np.ndarray:
    """(T) bool: the frames whose picture holds all keypoints."""
    camera = calibration.color
    p_camera = calibration.T_world_camera.inv().apply(truth.hand_trajectory.p_world_keypoints)
    pixels = project(camera, p_camera)
    inside = (pixels >= 0) & (pixels <= (camera.width - 1, camera.height - 1)) & (p_camera[..., 2:] > 0)
    return np.asarray(inside.all(axis=(1, 2)))


def judge(found: HandTrajectory, truth: DemoTruth, calibration: Calibration) -> dict[str, np.ndarray]:
    """What each frame that shows the whole hand contributes: arrays (N), to be gathered over recordings by ``figures``.

    Args:
        found: of a whole recording.
        truth: of that recording.
        calibration: of its camera.

    Raises:
        SchemaError: as ``keypoint_errors``.
    """
    error, true = keypoint_errors(found, truth), truth.hand_trajectory
    facing = palm_normal(found.p_world_keypoints, found.side) * palm_normal(true.p_world_keypoints, true.side)
    shown = in_picture(truth, calibration)
    kept = ~found.lost
    return {
        "mean": error.mean(axis=1)[shown],
        "fingertip": error[:, _TIPS].mean(axis=1)[shown],
        "flagged": found.lost[shown],
        "flip": (kept & (facing.sum(axis=-1) < 0))[shown],
        "wrong_side": (kept & (found.side != true.side))[shown],
    }


def figures(recordings: Sequence[Mapping[str, np.ndarray]]) -> dict[str, float]:
    """Over all frames of all recordings; distances in millimetres, flips and wrong sides counted in frames.

    Args:
        recordings: of ``judge``, at least one frame between them that is not flagged.
    """
    every = {name: np.concatenate([one[name] for one in recordings]) for name in recordings[0]}
    kept = ~every["flagged"]
    return {
        "hand_mean_mm": 1e3 * float(every["mean"][kept].mean()),
        "hand_fingertip_mm": 1e3 * float(every["fingertip"][kept].mean()),
        "hand_p95_mm": 1e3 * float(np.percentile(every["mean"][kept], 95)),
        "hand_flips_unflagged": int(every["flip"].sum()),
        "hand_wrong_side_unflagged": int(every["wrong_side"].sum()),
        "hand_flagged": float(every["flagged"].mean()),
        "hand_frames": len(kept),
    }
