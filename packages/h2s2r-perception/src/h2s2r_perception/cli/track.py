"""``track``: the object's path through a recording.

In:  a ``Demo``, an ``ObjectModel``.   Out: a file with an ``ObjectTrajectory``.
Not here: tracking (track).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, bar, frame_range
from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import open_demo


def run(chosen: argparse.Namespace) -> int:
    """The object's path through a recording."""
    from h2s2r_perception.track.offline import track_object  # noqa: PLC0415 - slower to import than the other verbs

    model = load(chosen.object, ObjectModel)
    path = track_object(
        open_demo(chosen.demo), model, frames=chosen.frames, mask=chosen.mask or None, progress=bar("tracking")
    )
    save(path, chosen.out)
    lost = [str(index) for index in path.lost.nonzero()[0]]
    print(f"{len(path.time)} frames, {len(lost)} lost{': ' if lost else ''}{' '.join(lost)}")
    print(f"written: {chosen.out}")
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    track = verbs.add_parser("track", help="the object's path through a recording")
    track.add_argument("demo", type=Path, help="folder of the recording")
    track.add_argument("object", type=Path, help="file with its ObjectModel")
    track.add_argument("--out", type=Path, required=True, help="file for the ObjectTrajectory")
    track.add_argument("--frames", type=frame_range, metavar="FIRST:LAST", help="part of the recording to use")
    track.add_argument("--mask", default="", help="name of masks in the recording that show the object, to start from")
    track.set_defaults(run=run)
