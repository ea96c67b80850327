"""One command for all formats: find out which it is, check it, write a ``Demo``.

In:  a folder or a video, and what its format does not say.   Out: a ``Demo``.
Not here: the formats themselves (tum, foundationpose, numbered, video).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from h2s2r_perception.convert.depth_units import check_depth_unit
from h2s2r_perception.convert.foundationpose import read_foundationpose
from h2s2r_perception.convert.numbered import read_numbered
from h2s2r_perception.convert.source import Source, SourceFrame
from h2s2r_perception.convert.tum import read_tum
from h2s2r_perception.convert.video import VIDEO_SUFFIXES, read_video
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.demo import Demo, DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError

FORMS = ("tum", "foundationpose", "numbered", "video")
_USUAL_HZ = 30.0


@dataclass(frozen=True)
class ConvertCfg:
    """What a format does not say, or what to believe instead of it."""

    form: str = ""
    """One of ``FORMS``; empty to find out."""
    intrinsics: tuple[float, float, float, float] | None = None
    """fx fy cx cy [px]; none for what the source says."""
    rate_hz: float | None = None
    """Frame rate where no times are stored; none for what the source says, else 30."""
    depth_unit: float | None = None
    """[m] of one count of depth; none for what the format prescribes."""
    name: str = ""
    """Name of the recording; empty for that of its folder."""
    licence: str = "not stated"
    """Licence of the pictures, in words."""
    overwrite: bool = False
    """Replace a recording that is already at the target."""


def detect_form(source: Path) -> str:
    """Which format a folder or file is of.

    Raises:
        SchemaError: none of ``FORMS``.
    """
    if source.suffix.lower() in VIDEO_SUFFIXES and source.is_file():
        return "video"
    if (source / "rgb.txt").is_file() and (source / "depth.txt").is_file():
        return "tum"
    if (source / "camera.json").is_file():
        return "numbered"
    if (source / "rgb").is_dir() and (source / "depth").is_dir():
        return "foundationpose"
    raise SchemaError(
        f"{source} is none of {', '.join(FORMS)}: no video, no rgb.txt and depth.txt, no camera.json, no rgb/ and depth/."
    )


def convert(
    source: Path, target: Path, cfg: ConvertCfg = ConvertCfg(), progress: Callable[[int, int], None] | None = None
) -> Demo:
    """Convert a recording of another tool.

    Args:
        source: folder or video.
        target: folder of the new recording.
        cfg: what the format does not say.
        progress: called with frames done and frames in all.

    Raises:
        SchemaError: the source is incomplete, its intrinsics do not fit its pictures, its depth is not in its unit, or
            ``target`` exists.
    """
    found = _read(source, cfg)
    unit = found.depth_unit if cfg.depth_unit is None else cfg.depth_unit
    names = sorted({name for frame in found.frames for name in frame.masks}, key=("object", "hand").index)
    meta = DemoMeta(
        name=cfg.name or source.resolve().stem,
        calibration=Calibration(
            color=found.camera,
            depth=found.camera,
            wxyz_xyz_world_camera=found.wxyz_xyz_world_camera,
            calibrated=found.calibrated,
        ),
        depth_unit=unit,
        licence=cfg.licence,
        mask_names=tuple(names),
        source=f"converted from {cfg.form or detect_form(source)}",
        notes=dict(found.notes),
        time_measured=found.time_measured,
    )
    frames = _in_order(found.frames, source)
    with DemoWriter(target, meta, cfg.overwrite) as writer:
        for done, frame in enumerate(frames, start=1):
            depth = frame.depth.read_bytes()
            if done in (1, len(frames)):
                _check_counts(depth, unit, str(frame.depth))
            masks = {name: _mask_bytes(path) for name, path in frame.masks.items()}
            writer.append(frame.time - frames[0].time, frame.rgb(), depth, masks)
            if progress is not None:
                progress(done, len(frames))
    return open_demo(target)


def _read(source: Path, cfg: ConvertCfg) -> Source:
    matrix = None
    if cfg.intrinsics is not None:
        fx, fy, cx, cy = cfg.intrinsics
        matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    form = cfg.form or detect_form(source)
    if form == "tum":
        return read_tum(source, matrix)
    if form == "foundationpose":
        return read_foundationpose(source, matrix, cfg.rate_hz or _USUAL_HZ)
    if form == "numbered":
        return read_numbered(source, matrix, cfg.rate_hz)
    if form == "video":
        return read_video(source, matrix, cfg.rate_hz)
    raise SchemaError(f"No format is called {form!r}; there are {', '.join(FORMS)}.")


def _in_order(frames: Sequence[SourceFrame], source: Path) -> list[SourceFrame]:
    """The same frames, refused where the clock goes back; a frame with the time of the one before is a repeat, left out."""
    kept: list[SourceFrame] = []
    for frame in frames:
        if kept and frame.time < kept[-1].time:
            raise SchemaError(
                f"{source}: the clock jumps back from {kept[-1].time:.6f} to {frame.time:.6f} s at frame {len(kept)}. "
                "Cut the recording there, or give it a nominal rate by renaming its pictures."
            )
        if not kept or frame.time > kept[-1].time:
            kept.append(frame)
    return kept


def _check_counts(data: bytes, unit: float, where: str) -> None:
    counts = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if counts is None or counts.dtype != np.uint16 or counts.ndim != 2:
        kind = "no picture" if counts is None else f"{counts.dtype} of shape {counts.shape}"
        raise SchemaError(
            f"{where} is {kind}; depth is a 16-bit grey PNG. Export it so (metres × 1000 for millimetres)."
        )
    check_depth_unit(counts, unit, where)


def _mask_bytes(path: Path) -> bytes:
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SchemaError(f"{path} is not a picture that OpenCV can read. Copy it anew.")
    return cv2.imencode(".png", np.where(mask > 0, 255, 0).astype(np.uint8))[1].tobytes()
