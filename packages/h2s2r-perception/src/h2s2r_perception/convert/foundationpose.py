"""Folders of FoundationPose, YCBInEOAT and the reference implementation: ``rgb/ depth/ cam_K.txt``, masks optional.

In:  a folder, and its frame rate (the format holds none).   Out: ``Source``.
Not here: writing a ``Demo`` (convert), checking that depth is in millimetres (depth_units).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from h2s2r_perception.convert.source import (
    COLOUR_SUFFIXES,
    Source,
    SourceFrame,
    by_number,
    colour_bytes,
    colour_size,
    intrinsics,
    pictures,
)
from h2s2r_schemas.errors import SchemaError

#: [m] of one count, in all three.
DEPTH_UNIT = 0.001
#: Folders of masks and what they show. FoundationPose has one mask, of the first frame.
MASKS = {"masks": "object", "hand_masks": "hand"}
#: YCBInEOAT names its pictures by nanoseconds since 1970.
_NANOSECONDS = 1e15


def read_foundationpose(folder: Path, camera_matrix: np.ndarray | None, rate_hz: float) -> Source:
    """Such a folder.

    Args:
        folder: with ``rgb/``, ``depth/`` and ``cam_K.txt``.
        camera_matrix: (3, 3) [px], used instead of ``cam_K.txt``; none for that file.
        rate_hz: frame rate for times, where file names do not tell.

    Raises:
        SchemaError: something of it is missing, colour and depth do not go together, or wrong intrinsics.
    """
    colour, depth = pictures(folder / "rgb", COLOUR_SUFFIXES), by_number(pictures(folder / "depth", (".png",)))
    unpaired = sorted(set(by_number(colour)) ^ set(depth))
    if unpaired:
        raise SchemaError(
            f"{folder}: {len(colour)} colour and {len(depth)} depth pictures; number {unpaired[0]:.0f} has only one of the "
            "two. Delete the pictures that have no partner."
        )
    matrix = _camera_matrix(folder / "cam_K.txt") if camera_matrix is None else camera_matrix
    masks = {
        name: by_number(pictures(folder / sub, COLOUR_SUFFIXES))
        for sub, name in MASKS.items()
        if (folder / sub).is_dir()
    }
    numbers = list(by_number(colour))
    stamped = numbers[0] > _NANOSECONDS
    frames = [
        SourceFrame(
            (number - numbers[0]) * 1e-9 if stamped else index / rate_hz,
            partial(colour_bytes, path),
            depth[number],
            {name: found[number] for name, found in masks.items() if number in found},
        )
        for index, (number, path) in enumerate(zip(numbers, colour, strict=True))
    ]
    camera = intrinsics(matrix, colour_size(colour[0]), str(folder / "cam_K.txt"))
    return Source(frames, camera, DEPTH_UNIT, time_measured=stamped)


def _camera_matrix(path: Path) -> np.ndarray:
    try:
        return np.array(path.read_text(encoding="utf-8").split(), dtype=float).reshape(3, 3)
    except FileNotFoundError as error:
        raise SchemaError(f"{path} is missing: give fx fy cx cy of the camera (--intrinsics).") from error
    except ValueError as error:
        raise SchemaError(f"{path} does not hold nine numbers, a camera matrix row by row.") from error
