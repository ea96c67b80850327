"""TUM RGB-D folders: ``rgb.txt`` and ``depth.txt`` list time stamps and files.

In:  a folder, and the camera's intrinsics (the format holds none).   Out: ``Source``.
Not here: writing a ``Demo`` (convert).

Format: https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats: 16-bit depth, 5000 counts a metre.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from h2s2r_perception.convert.source import Source, SourceFrame, colour_bytes, colour_size, intrinsics
from h2s2r_schemas.errors import SchemaError

#: [m] of one count.
DEPTH_UNIT = 1.0 / 5000.0
#: [s] largest distance in time between a colour picture and the depth picture that goes with it.
MAX_APART = 0.02


def read_tum(folder: Path, camera_matrix: np.ndarray | None) -> Source:
    """A TUM folder.

    Args:
        folder: with ``rgb.txt`` and ``depth.txt``.
        camera_matrix: (3, 3) [px].

    Raises:
        SchemaError: no intrinsics, a list that is damaged or goes back in time, or no pair closer than 20 ms.
    """
    if camera_matrix is None:
        raise SchemaError("A TUM folder holds no intrinsics: give fx fy cx cy of its camera (--intrinsics).")
    colour, depth = _list(folder, "rgb.txt"), _list(folder, "depth.txt")
    depth_times = np.array([time for time, _ in depth])
    frames = []
    for time, path in colour:
        nearest = int(np.abs(depth_times - time).argmin())
        if abs(depth_times[nearest] - time) <= MAX_APART:
            frames.append(SourceFrame(time, partial(colour_bytes, path), depth[nearest][1]))
    if not frames:
        raise SchemaError(
            f"{folder}: no colour picture has a depth picture within {MAX_APART} s. Do both lists use one clock?"
        )
    camera = intrinsics(camera_matrix, colour_size(colour[0][1]), "The intrinsics given")
    notes = {"unpaired_colour_pictures": str(len(colour) - len(frames))}
    return Source(frames, camera, DEPTH_UNIT, time_measured=True, notes=notes)


def _list(folder: Path, name: str) -> list[tuple[float, Path]]:
    path = folder / name
    if not path.is_file():
        raise SchemaError(f"{path} is missing: a TUM folder lists its pictures there.")
    entries: list[tuple[float, Path]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        try:
            entries.append((float(words[0]), folder / words[1]))
        except (ValueError, IndexError) as error:
            raise SchemaError(
                f"{path}, line {number}: {line.strip()!r} is not a time stamp [s] and a file name."
            ) from error
    if not entries:
        raise SchemaError(f"{path} lists no picture.")
    return entries
