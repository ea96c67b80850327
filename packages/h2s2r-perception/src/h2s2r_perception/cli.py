"""``h2s2r-perception convert|track``.

In:  the command line.   Out: files and text; 2 for what cannot be done.
Not here: the work itself (convert, track).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from h2s2r_perception.convert import FORMS, ConvertCfg, convert
from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import H2S2RError, SchemaError


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        print(f"\r{done}/{total} frames", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _convert(chosen: argparse.Namespace) -> int:
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
    demo = convert(chosen.source, chosen.out, cfg, _progress)
    time = demo.meta.time
    print(f"{len(demo)} frames, {time[-1]:.2f} s{'' if demo.meta.time_measured else ' (times from a nominal rate)'}")
    print(f"written: {chosen.out}")
    return 0


def _track(chosen: argparse.Namespace) -> int:
    """The object's path through a recording."""
    from h2s2r_perception.track.offline import track_object  # noqa: PLC0415 - slower to import than the other verbs

    model = load(chosen.object)
    if not isinstance(model, ObjectModel):
        raise SchemaError(f"{chosen.object} holds a {type(model).__name__}; an ObjectModel is wanted.")
    path = track_object(
        open_demo(chosen.demo), model, frames=chosen.frames, mask=chosen.mask or None, progress=_progress
    )
    save(path, chosen.out)
    lost = [str(index) for index in path.lost.nonzero()[0]]
    print(f"{len(path.time)} frames, {len(lost)} lost{': ' if lost else ''}{' '.join(lost)}")
    print(f"written: {chosen.out}")
    return 0


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    try:
        return int(first), int(last)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST:LAST, two frame numbers") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="h2s2r-perception", description="From one RGB-D recording to an object path, a scene and a hand."
    )
    verbs = parser.add_subparsers(required=True)
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
    into.set_defaults(run=_convert)
    track = verbs.add_parser("track", help="the object's path through a recording")
    track.add_argument("demo", type=Path, help="folder of the recording")
    track.add_argument("object", type=Path, help="file with its ObjectModel")
    track.add_argument("--out", type=Path, required=True, help="file for the ObjectTrajectory")
    track.add_argument("--frames", type=_range, metavar="FIRST:LAST", help="part of the recording to use")
    track.add_argument("--mask", default="", help="name of masks in the recording that show the object, to start from")
    track.set_defaults(run=_track)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except (H2S2RError, OSError) as error:
        print(f"h2s2r-perception: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
