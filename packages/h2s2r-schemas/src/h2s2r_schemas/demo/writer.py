"""Writing a recording frame by frame; the folder appears when it is complete.

In:  a ``DemoMeta`` and encoded pictures.   Out: a folder, renamed into place at the end.
Not here: reading it (folder).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Mapping

from h2s2r_schemas.codec.whole import PathLike, sync_folder
from h2s2r_schemas.demo.layout import CAMERAS, DEPTH, MASK, META, OLD_SUFFIX, RGB, depth_path, mask_path, rgb_path
from h2s2r_schemas.demo.meta import DemoMeta, to_json
from h2s2r_schemas.demo.pictures import check_colour, check_depth, check_mask
from h2s2r_schemas.errors import SchemaError


class DemoWriter:
    """Writes a recording: ``with DemoWriter(folder, meta) as writer: writer.append(...)``.

    Until the block ends well, the frames are in a temporary folder beside the target; after an error nothing is left.
    A process killed meanwhile leaves that folder, ``.NAME.….tmp``, which may be deleted.

    Args:
        folder: where the recording will be.
        meta: about the recording; its ``time`` is filled from the frames.
        overwrite: replace a recording that is already there, and everything else in its folder.

    Raises:
        SchemaError: the folder exists and ``overwrite`` is false, or it exists and is not a recording.
    """

    def __init__(self, folder: PathLike, meta: DemoMeta, overwrite: bool = False) -> None:
        self._target, self._meta, self._overwrite = Path(folder), meta, overwrite
        self._folder = self._target.with_name(f".{self._target.name}.{secrets.token_hex(8)}.tmp")
        self._times: list[float] = []
        self._suffix = ""
        self._check_target()

    def _check_target(self) -> None:
        if self._target.exists():
            if not self._overwrite:
                raise SchemaError(f"{self._target} exists; choose another folder, or allow overwriting.")
            if not (self._target / META).is_file():
                raise SchemaError(f"{self._target} exists and is not a recording (no {META}): it is not overwritten.")

    @property
    def folder(self) -> Path:
        """The temporary folder: files that go with the recording (``truth.h2s``, …) may be put beside the frames."""
        return self._folder

    def __enter__(self) -> DemoWriter:
        self._folder.mkdir(parents=True)
        for name in (RGB, DEPTH, *([MASK] if self._meta.mask_names else [])):
            (self._folder / name).mkdir()
        return self

    def append(self, time: float, rgb: bytes, depth: bytes, masks: Mapping[str, bytes] | None = None) -> None:
        """Add a frame. One that is refused is not added, and the caller may go on without it.

        Args:
            time: [s] when it was taken.
            rgb: encoded colour picture, PNG or JPEG (one of them throughout), of the size that the calibration says.
            depth: encoded depth picture, 16-bit grey PNG, in counts of ``depth_unit``.
            masks: of what can be seen of each thing, by name, encoded 8-bit grey PNG, 0 outside and 255 inside; a frame
                without a mask of some name is allowed.

        Raises:
            SchemaError: a picture of another size or kind, a time that does not grow, or an unknown mask name.
            OSError: it cannot be written (disk full, …).
        """
        index, meta = len(self._times), self._meta
        before = self._times[-1] if self._times else -math.inf
        if not before < time < math.inf:
            raise SchemaError(f"Frame {index} was taken at {time} s, the one before at {before} s; time must grow.")
        where = f"frame {index} of {self._target.name}"
        suffix = check_colour(rgb, meta.calibration.color, f"The colour picture of {where}").suffix
        if suffix != (self._suffix or suffix):
            raise SchemaError(
                f"The colour picture of {where} is a {suffix}; those before are {self._suffix}. Convert it."
            )
        check_depth(depth, meta.calibration.depth, f"The depth picture of {where}")
        files = {rgb_path(index, suffix): rgb, depth_path(index): depth}
        for name, mask in (masks or {}).items():
            if name not in meta.mask_names:
                raise SchemaError(f"A mask of {name!r}; this recording has {', '.join(meta.mask_names) or 'none'}.")
            check_mask(mask, meta.calibration.color, f"The mask of {name!r} of {where}")
            files[mask_path(index, meta.mask_names.index(name))] = mask
        self._write(files)
        self._times.append(float(time))
        self._suffix = suffix

    def _write(self, files: Mapping[str, bytes]) -> None:
        try:
            for path, data in files.items():
                (self._folder / path).write_bytes(data)
        except BaseException:
            for path in files:
                with contextlib.suppress(OSError):
                    (self._folder / path).unlink()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            shutil.rmtree(str(self._folder), ignore_errors=True)

    def _finish(self) -> None:
        if not self._times:
            raise SchemaError(f"A recording without frames is not written to {self._target}.")
        calibration = self._meta.calibration
        # BOP: a depth value times depth_scale is in millimetres.
        camera = {
            "cam_K": calibration.color.matrix().reshape(-1).tolist(),
            "depth_scale": self._meta.depth_unit * 1000.0,
        }
        cameras: dict[str, Any] = {str(index): camera for index in range(len(self._times))}
        (self._folder / CAMERAS).write_text(json.dumps(cameras), encoding="utf-8")
        meta = self._meta.replace(time=self._times)
        (self._folder / META).write_text(to_json(meta), encoding="utf-8")
        _sync(self._folder)
        self._check_target()
        self._swap()
        sync_folder(self._target.parent)

    def _swap(self) -> None:
        """Put the folder in place of the target. Killed between the two renames, the old one stays as ``.NAME.….old``."""
        if not self._target.exists():
            self._folder.replace(self._target)
            return
        old = self._folder.with_suffix(OLD_SUFFIX)
        try:
            self._target.replace(old)
            self._folder.replace(self._target)
        except BaseException:
            if not self._target.exists():
                old.replace(self._target)
            raise
        shutil.rmtree(str(old), ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make every file below ``folder`` durable: only then may its name be."""
    for place, _, names in os.walk(str(folder)):
        for name in names:
            with open(os.path.join(place, name), "rb") as stream:
                os.fsync(stream.fileno())
        sync_folder(Path(place))
