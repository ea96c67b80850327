"""Whether a hand tracker finds our hands, and how fast recordings are made: ``h2s2r bench recordings``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the issue says).

The tracker is MediaPipe, which was trained on real hands and knows nothing of ours: extra ``bench``. It sees each frame on
its own. A frame counts where all 21 keypoints are in the picture; a hand counts as found where its landmarks are on average
within ``FOUND_PX`` of the truth, so that finds elsewhere do not count. Every task, three seeds, two frames a second.

``frames_per_s`` is per second of processor time, all threads together: what one idle core does. ``frames_per_s_waited`` is by
the clock on the wall, whatever else the machine was doing.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import Demo, DemoTruth, truth_path
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim.demonstrate.hand.skin import make_skin
from h2s2r_sim.demonstrate.record import RecordCfg, record_demo
from h2s2r_sim.task.files import task_names

#: Which requirement each figure shows.
SHOWS = {"hand_found": ["H01"]}
#: [px] of 640 by 480.
FOUND_PX = 35.0
#: Least confidence at which MediaPipe says that there is a hand.
_CONFIDENCE = 0.3
_SEEDS, _SEEDS_SLOW = (101, 102, 103), tuple(range(101, 111))
_RATE_HZ = 2.0


def run(slow: bool = False) -> dict[str, Any]:
    """All figures of rendered recordings.

    Args:
        slow: ten seeds of each task instead of three.

    Raises:
        H2S2RError: MediaPipe is not installed.
    """
    errors: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory(prefix="h2s2r-bench-") as folder, _Tracker() as tracker:
        for task in task_names():
            found = [
                tracker.errors(record_demo(task, seed, Path(folder) / f"{task}-{seed}", RecordCfg(rate_hz=_RATE_HZ)))
                for seed in (_SEEDS_SLOW if slow else _SEEDS)
            ]
            errors[task] = np.concatenate(found)
        speed = _speed(Path(folder) / "speed")
    everything = np.concatenate(list(errors.values()))
    good = everything[everything <= FOUND_PX]
    return {
        "hand_found": len(good) / len(everything),
        "landmark_px": float(good.mean()),
        "frames": len(everything),
        **{f"hand_found_{task}": float((each <= FOUND_PX).mean()) for task, each in errors.items()},
        **speed,
    }


def _speed(folder: Path) -> dict[str, float]:
    """Frames of a whole recording at full size and rate, start-up included: per second of processor time, and as waited for."""
    make_skin()  # what a process does once is not counted
    before = (time.process_time(), time.perf_counter())
    demo = record_demo("snackbox_push", _SEEDS[0], folder)
    after = (time.process_time(), time.perf_counter())
    return {
        "frames_per_s": len(demo) / (after[0] - before[0]),
        "frames_per_s_waited": len(demo) / (after[1] - before[1]),
    }


class _Tracker:
    """MediaPipe's hand landmarks on single pictures."""

    def __init__(self) -> None:
        # It writes to standard error by itself, at every start.
        os.environ.setdefault("GLOG_minloglevel", "2")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            hands: Any = import_module("mediapipe").solutions.hands
        except ImportError as error:
            raise H2S2RError(
                "The benchmark looks with MediaPipe, which is not installed: pip install 'h2s2r-sim[bench]'."
            ) from error
        self._hands = hands.Hands(
            static_image_mode=True, max_num_hands=1, model_complexity=1, min_detection_confidence=_CONFIDENCE
        )

    def __enter__(self) -> _Tracker:
        return self

    def __exit__(self, *_: object) -> None:
        self._hands.close()

    def errors(self, demo: Demo) -> np.ndarray:
        """(N) [px] mean distance of landmarks from truth in each frame that shows all of the hand; infinity for no hand."""
        truth = load(truth_path(demo.folder), DemoTruth)
        camera, T_world_camera = demo.meta.calibration.color, demo.meta.calibration.T_world_camera
        p_camera = T_world_camera.inv().apply(truth.hand_trajectory.p_world_keypoints)
        pixels = p_camera[..., :2] / p_camera[..., 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        shown = ((pixels >= 0) & (pixels <= (camera.width - 1, camera.height - 1))).all(axis=(1, 2))
        return np.array([self._error(demo[int(index)].rgb, pixels[index]) for index in np.flatnonzero(shown)])

    def _error(self, jpeg: bytes, pixels: np.ndarray) -> float:
        picture = np.asarray(import_module("PIL.Image").open(io.BytesIO(jpeg)))
        result = self._hands.process(picture)
        if not result.multi_hand_landmarks:
            return float("inf")
        found = np.array([[point.x, point.y] for point in result.multi_hand_landmarks[0].landmark])
        size = (picture.shape[1], picture.shape[0])
        return float(np.linalg.norm(found * size - pixels, axis=-1).mean())
