"""Keypoints marked by a person, where no network finds the hand.

In:  a JSON file.   Out: the side, ``Landmarks`` by number of frame.
Not here: what is made of them (path).

The file: ``{"side": "left", "frames": {"31": [[u, v], …]}}``, 21 pixels of the colour picture for each frame, in the order of
``KEYPOINT_NAMES``: wrist, then thumb, index, middle, ring and little finger, each from its root to its tip. Those that cannot
be seen are marked where they must be.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from h2s2r_perception.hand.landmarks import Landmarks
from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.artifacts.poses import SIDES
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError


def read_keypoints(path: Path, demo: Demo) -> tuple[str, dict[int, Landmarks]]:
    """Side and landmarks by number of frame.

    Args:
        path: of the file.
        demo: the recording that was marked.

    Raises:
        SchemaError: the file is not as described, or names frames or pixels that the recording does not have.
        OSError: the file cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        side, frames = content["side"], content["frames"]
        given = {int(index): np.array(pixels, dtype=float) for index, pixels in frames.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SchemaError(
            f'{path} is not a file of keypoints ({error!r}); it holds {{"side": "left", "frames": {{"31": [[u, v], …]}}}}.'
        ) from error
    if side not in SIDES:
        raise SchemaError(f"{path}: side is {side!r}; it is {' or '.join(SIDES)}.")
    if not given:
        raise SchemaError(f"{path} marks no frame; mark at least one.")
    size = (demo.meta.calibration.color.width, demo.meta.calibration.color.height)
    for index, pixels in given.items():
        if not 0 <= index < len(demo):
            raise SchemaError(f"{path} marks frame {index}; the recording has 0 to {len(demo) - 1}.")
        if pixels.shape != (len(KEYPOINT_NAMES), 2) or not np.isfinite(pixels).all():
            raise SchemaError(f"{path}: frame {index} has keypoints {pixels.shape}; 21 pairs of pixels are needed.")
        if ((pixels < 0) | (pixels >= size)).any():
            raise SchemaError(f"{path}: frame {index} has keypoints outside its {size[0]}×{size[1]} pixels.")
    return side, {index: Landmarks(pixels, None, float(side == "right")) for index, pixels in given.items()}
