"""``record``: a RealSense, or a file of one, into a ``Demo`` folder.

In:  a camera, or a ``.bag`` or ``.db3``.   Out: a ``Demo`` folder, how many frames were dropped; a preview on the way.
Not here: taking and writing pictures (record).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2

from h2s2r_perception.cli.values import Verbs
from h2s2r_perception.frames import RGBDFrame

#: Frames between two previews.
_EVERY = 10


def run(chosen: argparse.Namespace) -> int:
    """A recording from a camera."""
    from h2s2r_perception.record import FilmCfg, FilmReport, RealSenseCamera, film  # noqa: PLC0415
    from h2s2r_perception.record.film import preview_picture  # noqa: PLC0415
    from h2s2r_perception.record.realsense import RealSenseCfg  # noqa: PLC0415

    def show(frame: RGBDFrame, report: FilmReport) -> None:
        if chosen.preview is not None and report.frames % _EVERY == 1:
            cv2.imwrite(str(chosen.preview), preview_picture(frame, report)[..., ::-1])
        if sys.stderr.isatty():
            said = f"\r{report.seconds:.1f} s, {report.frames} frames, {report.dropped} dropped, depth {report.depth_share:.0%}"
            print(said, end="", file=sys.stderr, flush=True)

    camera = RealSenseCamera(chosen.file, RealSenseCfg(chosen.serial, chosen.width, chosen.height, chosen.rate_hz))
    cfg = FilmCfg(chosen.seconds, chosen.name, chosen.licence, overwrite=chosen.overwrite)
    _, report = film(camera, chosen.out, cfg, show)
    print(f"{report.frames} frames in {report.seconds:.2f} s ({report.rate_hz:.1f} Hz), {report.dropped} dropped")
    print(f"written: {chosen.out}")
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    record = verbs.add_parser("record", help="a RealSense, or its .bag or .db3 file, into a Demo folder")
    record.add_argument("--out", type=Path, required=True, help="folder of the new recording")
    record.add_argument("--file", type=Path, help="a .bag or .db3 to read; the camera that is plugged in if none")
    record.add_argument("--seconds", type=float, default=10.0, help="[s] after which it ends")
    record.add_argument("--preview", type=Path, help="picture that is renewed while recording: colour, depth, drops")
    record.add_argument("--serial", default="", help="serial number, where several cameras are plugged in")
    record.add_argument("--width", type=int, default=640, help="[px]")
    record.add_argument("--height", type=int, default=480, help="[px]")
    record.add_argument("--rate-hz", type=int, default=30, help="[Hz]")
    record.add_argument("--name", default="", help="of the recording; that of its folder if none")
    record.add_argument("--licence", default="not stated", help="of the pictures, in words")
    record.add_argument("--overwrite", action="store_true", help="replace a recording that is there already")
    record.set_defaults(run=run)
