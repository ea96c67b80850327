"""Reading a recording frame by frame.

In:  a folder.   Out: ``Demo``, which yields ``Frame`` with encoded pictures; memory holds one frame at a time.
Not here: writing one (writer), decoding pictures (the caller's image library).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Mapping

import numpy as np

from h2s2r_schemas.codec.files import PathLike
from h2s2r_schemas.demo.meta import DemoMeta, from_json
from h2s2r_schemas.demo.pictures import check_depth, picture_kind
from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class Frame:
    """One moment of a recording."""

    index: int
    """Counted from 0."""
    time: float
    """[s] since the start of the recording."""
    rgb: bytes
    """Encoded colour picture, PNG or JPEG."""
    depth: bytes
    """Encoded depth picture, 16-bit grey PNG in counts of ``DemoMeta.depth_unit``."""
    masks: Mapping[str, bytes]
    """Encoded 8-bit grey PNG by name; only those this frame has."""


class Demo:
    """A recording on disk. Make one with ``open_demo``."""

    def __init__(self, folder: Path, meta: DemoMeta, rgb: list[Path]) -> None:
        self.folder, self.meta, self._rgb = folder, meta, rgb

    def __len__(self) -> int:
        return len(self._rgb)

    def __getitem__(self, index: int) -> Frame:
        """One frame, read now.

        Raises:
            IndexError: there is no such frame.
            SchemaError: one of its pictures is damaged or of another kind.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"Frame {index} of a recording of {len(self)}.")
        index %= len(self)
        depth = self.folder / "depth" / f"{index:06d}.png"
        frame = Frame(index, float(self.meta.time[index]), _read(self._rgb[index]), _read(depth), self._masks(index))
        picture_kind(frame.rgb, str(self._rgb[index]))
        check_depth(frame.depth, str(depth))
        return frame

    def __iter__(self) -> Iterator[Frame]:
        return (self[index] for index in range(len(self)))

    def _masks(self, index: int) -> Mapping[str, bytes]:
        paths = {
            name: self.folder / "mask" / f"{index:06d}_{number:06d}.png"
            for number, name in enumerate(self.meta.mask_names)
        }
        return {name: _read(path) for name, path in paths.items() if path.is_file()}

    def hash(self) -> str:
        """SHA-256 over all pictures and ``meta.json``: two recordings with the same hash are the same."""
        digest = hashlib.sha256((self.folder / "meta.json").read_bytes())
        for frame in self:
            for name, data in [("rgb", frame.rgb), ("depth", frame.depth), *sorted(frame.masks.items())]:
                digest.update(f"{frame.index} {name} {len(data)} ".encode())
                digest.update(data)
        return digest.hexdigest()


def open_demo(folder: PathLike) -> Demo:
    """A recording, checked as far as is possible without reading every picture.

    Raises:
        SchemaError: not a recording, frames missing, of another number than the time stamps, or intrinsics in
            ``scene_camera.json`` that differ from ``meta.json``.
    """
    root = Path(folder)
    if not (root / "meta.json").is_file():
        raise SchemaError(f"{folder} is not a recording: it has no meta.json. Convert other formats to one first.")
    meta = from_json((root / "meta.json").read_text(encoding="utf-8"), f"{folder}/meta.json")
    rgb = sorted((root / "rgb").glob("[0-9]*.*"))
    depth = sorted((root / "depth").glob("[0-9]*.png"))
    expected = [f"{index:06d}" for index in range(len(meta.time))]
    for kind, paths in (("rgb", rgb), ("depth", depth)):
        names = [path.stem for path in paths]
        if names != expected:
            odd = sorted(set(names) ^ set(expected))[:1] or ["a frame twice"]
            raise SchemaError(
                f"{folder}/{kind} has {len(names)} pictures for {len(expected)} time stamps; first difference: {odd[0]}. "
                "The recording is incomplete: record or convert it anew."
            )
    _check_cameras(root, meta)
    return Demo(root, meta, rgb)


def _check_cameras(root: Path, meta: DemoMeta) -> None:
    path = root / "scene_camera.json"
    try:
        cameras: Any = json.loads(path.read_text(encoding="utf-8"))
        ours = meta.calibration.color.matrix().reshape(-1)
        for index in range(len(meta.time)):
            camera = cameras[str(index)]
            same_matrix = np.allclose(camera["cam_K"], ours)
            if not same_matrix or not np.isclose(camera["depth_scale"], meta.depth_unit * 1000.0):
                raise SchemaError(f"{path}: frame {index} has other intrinsics or depth scale than meta.json.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(f"{path} is missing or damaged ({error!r}): BOP tools need it.") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}.") from error
