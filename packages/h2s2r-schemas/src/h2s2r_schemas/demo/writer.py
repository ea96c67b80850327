"""Writing a recording frame by frame; the folder appears when it is complete.

In:  a ``DemoMeta`` and encoded pictures.   Out: a folder, renamed into place at the end.
Not here: reading it (folder).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Mapping

from h2s2r_schemas.artifacts.calibration import CameraIntrinsics
from h2s2r_schemas.codec.files import PathLike, sync_folder
from h2s2r_schemas.demo.meta import DemoMeta, to_json
from h2s2r_schemas.demo.pictures import PictureKind, check_depth, picture_kind
from h2s2r_schemas.errors import SchemaError


class DemoWriter:
    """Writes a recording: ``with DemoWriter(folder, meta) as writer: writer.append(...)``.

    Until the block ends well, the frames are in a temporary folder beside the target; after an error nothing is left.

    Args:
        folder: where the recording will be.
        meta: about the recording; its ``time`` is filled from the frames.
        overwrite: replace a recording that is already there.

    Raises:
        SchemaError: the folder exists and ``overwrite`` is false, or it exists and is not a recording.
    """

    def __init__(self, folder: PathLike, meta: DemoMeta, overwrite: bool = False) -> None:
        self._target, self._meta = Path(folder), meta
        if self._target.exists():
            if not overwrite:
                raise SchemaError(f"{folder} exists; choose another folder, or allow overwriting.")
            if not (self._target / "meta.json").is_file():
                raise SchemaError(f"{folder} exists and is not a recording (no meta.json): it is not overwritten.")
        self._times: list[float] = []
        self._cameras: dict[str, Any] = {}

    def __enter__(self) -> DemoWriter:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(prefix=f".{self._target.name}.", suffix=".tmp", dir=str(self._target.parent))
        self._folder = Path(made)
        for name in ("rgb", "depth", *(["mask"] if self._meta.mask_names else [])):
            (self._folder / name).mkdir()
        return self

    def append(self, time: float, rgb: bytes, depth: bytes, masks: Mapping[str, bytes] | None = None) -> None:
        """Add a frame.

        Args:
            time: [s] when it was taken.
            rgb: encoded colour picture, PNG or JPEG, of the size that the calibration says.
            depth: encoded depth picture, 16-bit grey PNG, in counts of ``depth_unit``.
            masks: by name, encoded 8-bit grey PNG; a frame without a mask of some name is allowed.

        Raises:
            SchemaError: a picture of another size or kind, a time that does not grow, or an unknown mask name.
        """
        index = len(self._times)
        if self._times and not time > self._times[-1]:
            raise SchemaError(
                f"Frame {index} was taken at {time} s, the one before at {self._times[-1]} s; time must grow."
            )
        where = f"frame {index} of {self._target.name}"
        suffix = self._sized(picture_kind(rgb, f"colour of {where}"), self._meta.calibration.color, where).suffix
        self._sized(check_depth(depth, f"depth of {where}"), self._meta.calibration.depth, where)
        files = {f"rgb/{index:06d}.{suffix}": rgb, f"depth/{index:06d}.png": depth}
        for name, mask in (masks or {}).items():
            if name not in self._meta.mask_names:
                raise SchemaError(
                    f"A mask of {name!r}; this recording has {', '.join(self._meta.mask_names) or 'none'}."
                )
            self._sized(picture_kind(mask, f"mask of {where}"), self._meta.calibration.color, where)
            files[f"mask/{index:06d}_{self._meta.mask_names.index(name):06d}.png"] = mask
        for path, data in files.items():
            (self._folder / path).write_bytes(data)
        self._times.append(float(time))
        # BOP: a depth value times depth_scale is in millimetres.
        matrix = self._meta.calibration.color.matrix().reshape(-1).tolist()
        self._cameras[str(index)] = {"cam_K": matrix, "depth_scale": self._meta.depth_unit * 1000.0}

    def _sized(self, kind: PictureKind, camera: CameraIntrinsics, where: str) -> PictureKind:
        if (kind.width, kind.height) != (camera.width, camera.height):
            raise SchemaError(
                f"A picture of {where} has {kind.width}×{kind.height} px; its intrinsics are for "
                f"{camera.width}×{camera.height} px. Use the intrinsics of this resolution."
            )
        return kind

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
        (self._folder / "scene_camera.json").write_text(json.dumps(self._cameras, indent=1) + "\n", encoding="utf-8")
        meta = self._meta.replace(time=self._times)
        (self._folder / "meta.json").write_text(to_json(meta), encoding="utf-8")
        old = self._folder.with_suffix(".old")
        if self._target.exists():
            self._target.replace(old)
        self._folder.replace(self._target)
        sync_folder(self._target.parent)
        shutil.rmtree(str(old), ignore_errors=True)
