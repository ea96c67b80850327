"""Landmarks by MediaPipe: extra ``mediapipe``.

In:  pictures, and the path of a ``.task`` file if the models are not in the wheel.   Out: ``Landmarks``.
Not here: where in a picture to look (finder).

Two faces of the same networks. The wheel 0.10.21 carries its models; newer ones do not, and want the file
``hand_landmarker.task`` of MediaPipe's own site.
"""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_perception.hand.landmarks import Landmarker, Landmarks
from h2s2r_schemas.errors import H2S2RError

#: Least confidence at which it says that there is a hand; what is not one does not fit depth, and is dropped there.
_CONFIDENCE = 0.3
#: The same where it looks for a hand that was there in the picture before.
_STILL_THERE = 0.5
#: [ms] between pictures that follow one another; MediaPipe wants them to grow, and does nothing else with them.
_LATER = 33


def open_landmarker(task: Path | None = None, hands: int = 2) -> Landmarker:
    """MediaPipe's hand landmarks.

    Args:
        task: file with the models; none to take those in the wheel.
        hands: how many to find at most.

    Raises:
        H2S2RError: MediaPipe is not installed, or has no models and was given none, or they cannot be read.
    """
    # It writes to standard error by itself, at every start.
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        mediapipe: Any = import_module("mediapipe")
    except ImportError as error:
        raise H2S2RError(
            "Hands are found with MediaPipe, which is not installed: pip install 'h2s2r-perception[mediapipe]', or give "
            "keypoints by hand (--keypoints)."
        ) from error
    if task is not None:
        return _Tasks(mediapipe, task, hands)
    if not hasattr(mediapipe, "solutions"):
        raise H2S2RError(
            f"This MediaPipe ({mediapipe.__version__}) carries no models. Give its hand_landmarker.task (--task), or install "
            "the version that does: pip install 'h2s2r-perception[mediapipe]'."
        )
    return _Solutions(mediapipe, hands)


class _Solutions:
    """The interface up to 0.10.21, with models in the wheel."""

    def __init__(self, mediapipe: Any, hands: int, following: bool = False) -> None:
        self._again = partial(_Solutions, mediapipe, 1, following=True)
        self._hands = mediapipe.solutions.hands.Hands(
            static_image_mode=not following,
            max_num_hands=hands,
            model_complexity=1,
            min_detection_confidence=_CONFIDENCE,
            min_tracking_confidence=_STILL_THERE,
        )

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        result = self._hands.process(np.ascontiguousarray(rgb))
        return [
            # This interface takes every picture for one of a mirror.
            _landmarks(pixels.landmark, local.landmark, side.classification[0], rgb, mirrored=True)
            for pixels, local, side in zip(
                result.multi_hand_landmarks or (),
                result.multi_hand_world_landmarks or (),
                result.multi_handedness or (),
                strict=True,
            )
        ]

    def follow(self) -> Landmarker:
        return self._again()

    def close(self) -> None:
        self._hands.close()


class _Tasks:
    """The interface of newer versions, with models in a file of the user's."""

    def __init__(self, mediapipe: Any, task: Path, hands: int, following: bool = False) -> None:
        if not task.is_file():
            raise H2S2RError(f"{task} is not a file; give MediaPipe's hand_landmarker.task.")
        self._image = lambda rgb: mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        # Which side a label means differs between the two interfaces, and between their ages.
        self._mirrored = tuple(int(part) for part in mediapipe.__version__.split(".")[:2]) < (1, 0)
        tasks: Any = import_module("mediapipe.tasks.python")
        self._again = partial(_Tasks, mediapipe, task, 1, following=True)
        self._time: int | None = 0 if following else None
        options = tasks.vision.HandLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(task)),
            running_mode=tasks.vision.RunningMode.VIDEO if following else tasks.vision.RunningMode.IMAGE,
            num_hands=hands,
            min_hand_detection_confidence=_CONFIDENCE,
            min_tracking_confidence=_STILL_THERE,
        )
        try:
            self._hands = tasks.vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, TypeError) as error:
            raise H2S2RError(
                f"MediaPipe {mediapipe.__version__} cannot read {task} as a hand model. Give the hand_landmarker.task of "
                "MediaPipe's site, and a MediaPipe of 1.0 or newer; older ones read it only with the protobuf they ask for."
            ) from error

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        image = self._image(np.ascontiguousarray(rgb))
        if self._time is None:
            result = self._hands.detect(image)
        else:
            self._time += _LATER
            result = self._hands.detect_for_video(image, self._time)
        return [
            _landmarks(pixels, local, side[0], rgb, self._mirrored)
            for pixels, local, side in zip(
                result.hand_landmarks, result.hand_world_landmarks, result.handedness, strict=True
            )
        ]

    def follow(self) -> Landmarker:
        return self._again()

    def close(self) -> None:
        self._hands.close()


def _landmarks(pixels: Any, local: Any, side: Any, rgb: np.ndarray, mirrored: bool) -> Landmarks:
    size = (rgb.shape[1], rgb.shape[0])
    label = getattr(side, "label", None) or side.category_name
    right = (label == "Right") != mirrored
    return Landmarks(
        np.array([(each.x, each.y) for each in pixels]) * size,
        np.array([(each.x, each.y, each.z) for each in local]),
        float(side.score if right else 1.0 - side.score),
    )
