"""``convert``: a recording of another tool into a ``Demo`` folder.

In:  a folder or video.   Out: a ``Demo`` folder.
Not here: reading and writing it (convert).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, bar
from h2s2r_perception.convert import FORMS, ConvertCfg
from h2s2r_perception.convert import convert as convert_recording


def run(chosen: argparse.Namespace) -> int:
    """A recording of another tool to a ``Demo``."""
    cfg = ConvertCfg(
        form=chosen.form,
        intrinsics=None if chosen.intrinsics is None else tuple(chosen.intrinsics),
        rate_hz=chosen.rate_hz,
        depth_unit=chosen.depth_unit,
        name=chosen.name,
        licence=chosen.licence,
        overwrite=chosen.overwrite,
    )
    demo = convert_recording(chosen.source, chosen.out, cfg, bar("converting"))
    time = demo.meta.time
    print(f"{len(demo)} frames, {time[-1]:.2f} s{'' if demo.meta.time_measured else ' (times from a nominal rate)'}")
    print(f"written: {chosen.out}")
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    into = verbs.add_parser("convert", help="a recording of another tool into a Demo folder")
    into.add_argument("source", type=Path, help="folder or video")
    into.add_argument("--out", type=Path, required=True, help="folder of the new recording")
    into.add_argument("--form", choices=FORMS, default="", help="what it is, if it is not found out")
    into.add_argument("--intrinsics", type=float, nargs=4, metavar=("FX", "FY", "CX", "CY"), help="[px]")
    into.add_argument("--rate-hz", type=float, help="frame rate, where the source stores no times")
    into.add_argument("--depth-unit", type=float, help="[m] of one count of depth, if not what the format prescribes")
    into.add_argument("--name", default="", help="of the recording; that of its folder if none")
    into.add_argument("--licence", default="not stated", help="of the pictures, in words")
    into.add_argument("--overwrite", action="store_true", help="replace a recording that is there already")
    into.set_defaults(run=run)
