"""What a converter finds in a folder of another format, before anything is written.

In:  nothing.   Out: ``Source``: files, times, cameras.
Not here: finding them (tum, foundationpose, numbered, video), writing a ``Demo`` (convert).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.errors import SchemaError

#: What OpenCV reads as a colour picture among the files of such folders.
COLOUR_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class SourceFrame:
    """One frame that is still where it was found."""

    time: float
    """[s] on the clock of the source."""
    rgb: Callable[[], bytes]
    """Encoded colour picture: PNG or JPEG of three channels."""
    depth: Path
    """16-bit PNG of counts."""
    masks: Mapping[str, Path] = field(default_factory=dict)
    """Grey pictures by name."""


@dataclass(frozen=True)
class Source:
    """A recording of another format."""

    frames: Sequence[SourceFrame]
    """In order of time."""
    camera: CameraIntrinsics
    """Of colour, and of depth, which is aligned to it."""
    depth_unit: float
    """[m] of one count of depth, as the format says."""
    time_measured: bool
    """Whether the times came with the frames."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Anything else worth keeping."""
    wxyz_xyz_world_camera: np.ndarray | None = None
    """(7) pose of the camera in the world, where the source says so."""
    calibrated: bool = False
    """Whether that pose was measured."""


def pictures(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Pictures of a folder in the order of the numbers in their names.

    Raises:
        SchemaError: no such folder, no picture in it, a name without a number, or two with the same.
    """
    if not folder.is_dir():
        raise SchemaError(f"{folder} is missing. Check that the folder holds what its format needs.")
    found = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and not path.name.startswith(".")]
    if not found:
        raise SchemaError(f"{folder} holds no {', '.join(suffixes)} picture.")
    numbers = {path: _number(path) for path in found}
    if len(set(numbers.values())) != len(found):
        raise SchemaError(f"Two pictures in {folder} have the same number: their order is not known. Rename them.")
    return sorted(found, key=numbers.__getitem__)


def by_number(paths: Sequence[Path]) -> dict[int | float, Path]:
    """The same pictures by the number in their names."""
    return {_number(path): path for path in paths}


def _number(path: Path) -> int | float:
    digits = re.findall(r"\d+(?:\.\d+)?", path.stem)
    if not digits:
        raise SchemaError(f"{path} has no number in its name, so its place in time is not known. Number the pictures.")
    # Nanoseconds since 1970 have more digits than a float keeps.
    return float(digits[-1]) if "." in digits[-1] else int(digits[-1])


def colour_bytes(path: Path) -> bytes:
    """A colour picture as PNG or JPEG of three channels: the file as it is where it is one already.

    Raises:
        SchemaError: OpenCV cannot read it.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise SchemaError(f"{path} is not a picture that OpenCV can read. Copy it anew.")
    plain = picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8
    if plain and path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        return path.read_bytes()
    colour = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".png", np.asarray(colour))[1].tobytes()


def colour_size(path: Path) -> tuple[int, int]:
    """(width, height) [px] of a colour picture.

    Raises:
        SchemaError: OpenCV cannot read it.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SchemaError(f"{path} is not a picture that OpenCV can read. Copy it anew.")
    return picture.shape[1], picture.shape[0]


def intrinsics(matrix: np.ndarray, size: tuple[int, int], where: str) -> CameraIntrinsics:
    """Intrinsics from a camera matrix (3, 3) [px], checked against the picture's size (width, height) [px].

    Raises:
        SchemaError: not a camera matrix, or not one of pictures of this size.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.shape != (3, 3) or not np.allclose(matrix[2], (0, 0, 1)) or abs(matrix[0, 1]) > 1e-3:
        raise SchemaError(f"{where} is not a camera matrix (fx 0 cx; 0 fy cy; 0 0 1): {matrix.tolist()}.")
    (width, height), (cx, cy) = size, matrix[:2, 2]
    off = max(abs(cx / width - 0.5), abs(cy / height - 0.5))
    view = 2 * np.degrees(np.arctan(0.5 * width / matrix[0, 0])) if matrix[0, 0] > 0 else 180.0
    if off > 0.2 or not 15 < view < 130:
        raise SchemaError(
            f"{where}: fx {matrix[0, 0]:.1f}, cx {cx:.1f}, cy {cy:.1f} px do not fit pictures of {width}×{height} px "
            f"(they would see {view:.0f}° with the middle {off:.0%} off): were they made for another resolution?"
        )
    return CameraIntrinsics(
        width=width, height=height, fx=float(matrix[0, 0]), fy=float(matrix[1, 1]), cx=float(cx), cy=float(cy)
    )
