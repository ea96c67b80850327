"""Reading a recording frame by frame.

In:  a folder.   Out: ``Demo``, which yields ``Frame`` with encoded pictures; memory holds one frame at a time.
Not here: writing one (writer), decoding pictures (the caller's image library).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import AbstractSet, Any, Iterator, Mapping

import numpy as np

from h2s2r_schemas.codec.whole import PathLike
from h2s2r_schemas.demo.layout import CAMERAS, DEPTH, MASK, META, OLD_SUFFIX, RGB, depth_path, mask_path, rgb_path
from h2s2r_schemas.demo.meta import DemoMeta, from_json
from h2s2r_schemas.demo.pictures import check_colour, check_depth, check_mask
from h2s2r_schemas.errors import SchemaError

#: Largest single file of a recording that is read.
MAX_FILE = 256 * 2**20


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
    """Encoded grey PNG by name, of what can be seen of each thing; only those this frame has."""


class Demo:
    """A recording on disk. Make one with ``open_demo``."""

    def __init__(self, folder: Path, meta: DemoMeta, rgb_suffix: str, masks: AbstractSet[str]) -> None:
        self.folder, self.meta, self._rgb_suffix, self._masks = folder, meta, rgb_suffix, masks

    def __len__(self) -> int:
        return len(self.meta.time)

    def __getitem__(self, index: int) -> Frame:
        """One frame, read and checked now.

        Raises:
            IndexError: there is no such frame.
            SchemaError: one of its pictures cannot be read, is damaged, or of another kind or size than ``meta`` says.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"Frame {index} of a recording of {len(self)}.")
        index %= len(self)
        color, depth = self.meta.calibration.color, self.meta.calibration.depth
        masks: dict[str, bytes] = {}
        for number, name in enumerate(self.meta.mask_names):
            path = mask_path(index, number)
            if path in self._masks:
                masks[name] = self._read(path)
                check_mask(masks[name], color, str(self.folder / path))
        rgb, deep = rgb_path(index, self._rgb_suffix), depth_path(index)
        frame = Frame(index, float(self.meta.time[index]), self._read(rgb), self._read(deep), masks)
        check_colour(frame.rgb, color, str(self.folder / rgb))
        check_depth(frame.depth, depth, str(self.folder / deep))
        return frame

    def __iter__(self) -> Iterator[Frame]:
        return (self[index] for index in range(len(self)))

    def frames_with_mask(self, name: str) -> list[int]:
        """Which frames have a mask of that name; no picture is read.

        Raises:
            SchemaError: this recording has no masks of that name.
        """
        if name not in self.meta.mask_names:
            raise SchemaError(f"No masks of {name!r}; this recording has {', '.join(self.meta.mask_names) or 'none'}.")
        number = self.meta.mask_names.index(name)
        return [index for index in range(len(self)) if mask_path(index, number) in self._masks]

    def hash(self) -> str:
        """SHA-256 over all pictures and ``meta.json``: two recordings with the same hash are the same.

        Raises:
            SchemaError: as for a frame; all are read.
        """
        digest = hashlib.sha256(self._read(META))
        for frame in self:
            for name, data in [("rgb", frame.rgb), ("depth", frame.depth), *sorted(frame.masks.items())]:
                digest.update(f"{frame.index} {name} {len(data)} ".encode())
                digest.update(data)
        return digest.hexdigest()

    def _read(self, path: str) -> bytes:
        return _read(self.folder / path)


def open_demo(folder: PathLike) -> Demo:
    """A recording, checked as far as is possible without reading every picture.

    Raises:
        SchemaError: not a recording; pictures missing, or more of them than time stamps or mask names; intrinsics in
            ``scene_camera.json`` that differ from ``meta.json``.
    """
    root = Path(folder)
    if not (root / META).is_file():
        raise SchemaError(f"{folder} is not a recording: it has no {META}. {_remedy(root)}")
    meta = from_json(_read(root / META), str(root / META))
    names = _names(root / RGB)
    suffix = "jpg" if any(name.endswith(".jpg") for name in names) else "png"
    frames = range(len(meta.time))
    _compare(root / RGB, names, {Path(rgb_path(index, suffix)).name for index in frames})
    _compare(root / DEPTH, _names(root / DEPTH), {Path(depth_path(index)).name for index in frames})
    masks = {f"{MASK}/{name}" for name in (_names(root / MASK) if meta.mask_names else ())}
    odd = masks - {mask_path(index, number) for index in frames for number in range(len(meta.mask_names))}
    if odd:
        raise SchemaError(
            f"{root / min(odd)} belongs to no frame (0 to {len(frames) - 1}) and mask (0 to {len(meta.mask_names) - 1}) of "
            "this recording. Delete it, or name the mask in meta.json."
        )
    _check_cameras(root / CAMERAS, meta)
    return Demo(root, meta, suffix, masks)


def _remedy(root: Path) -> str:
    kept = sorted(root.absolute().parent.glob(f".{root.absolute().name}.*{OLD_SUFFIX}"))
    if kept:
        return f"It was being replaced when the computer stopped: rename {kept[0]} to it to have the old one back."
    return "Give the folder that holds it, or convert another format to one first."


def _names(folder: Path) -> set[str]:
    """Files in a folder, but for hidden ones, which some systems add by themselves."""
    try:
        return {name for name in os.listdir(str(folder)) if not name.startswith(".")}
    except OSError as error:
        raise SchemaError(f"{folder} cannot be read: {error.strerror}. Record, convert or copy it anew.") from error


def _compare(folder: Path, names: set[str], expected: set[str]) -> None:
    odd = sorted(names ^ expected)
    if odd:
        raise SchemaError(
            f"{folder} has {len(names)} pictures for {len(expected)} time stamps; {odd[0]} is "
            f"{'missing' if odd[0] in expected else 'one too many'}. Record, convert or copy it anew."
        )


def _check_cameras(path: Path, meta: DemoMeta) -> None:
    ours = meta.calibration.color.matrix().reshape(-1)
    try:
        cameras: Any = json.loads(_read(path).decode("utf-8"))
        fits = [
            np.allclose(cameras[str(index)]["cam_K"], ours)
            and np.isclose(cameras[str(index)]["depth_scale"], meta.depth_unit * 1000.0)
            for index in range(len(meta.time))
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(f"{path} is damaged ({error!r}): copy it anew, BOP tools need it.") from error
    if not all(fits):
        raise SchemaError(
            f"{path}: frame {fits.index(False)} has other intrinsics or another depth scale than {META}. One of the two was "
            "changed by hand: make them equal (depth_scale is in millimetres, depth_unit in metres)."
        )


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise SchemaError(f"{path} has {size} bytes; a file of a recording has at most {MAX_FILE}.")
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}. Record, convert or copy it anew.") from error
