"""``premanip``: the hand just before it moves the object; ``clips``: the demonstrations in a long recording.

In:  a ``Demo``, paths of object and hand.   Out: a file with a ``HandPose``, a plot; frames of clips.
Not here: the search (premanip), the paths (track, hand).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, frame_range, part_of
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory
from h2s2r_schemas.codec import load, save


def run(chosen: argparse.Namespace) -> int:
    """The instant, and why it is that one."""
    from h2s2r_perception.premanip import find_premanip  # noqa: PLC0415 - slower to import than other verbs
    from h2s2r_perception.view.plots import save_premanip  # noqa: PLC0415

    path, first = part_of(chosen.demo, load(chosen.path, ObjectTrajectory), chosen.frames)
    found = find_premanip(path, load(chosen.object, ObjectModel), load(chosen.hand, HandTrajectory), first=first)
    print(found.reason)
    save(found.hand, chosen.out)
    print(f"written: {chosen.out}")
    if chosen.plot is not None:
        print(f"written: {save_premanip(found, chosen.plot)}")
    return 0


def run_clips(chosen: argparse.Namespace) -> int:
    """One line for each demonstration."""
    from h2s2r_perception.premanip import find_clips  # noqa: PLC0415 - slower to import than other verbs

    path, first = part_of(chosen.demo, load(chosen.path, ObjectTrajectory), None)
    hand = None if chosen.hand is None else load(chosen.hand, HandTrajectory)
    clips = find_clips(path, load(chosen.object, ObjectModel), hand, first=first)
    for clip in clips:
        print(f"--frames {clip}   moves at about frame {clip.moves}")
    if not clips:
        print("The object is never moved from one place of rest to another.")
    return 0


def add(verbs: Verbs) -> None:
    """Their arguments."""
    premanip = verbs.add_parser("premanip", help="the hand just before it moves the object")
    clips = verbs.add_parser("clips", help="the demonstrations in a long recording, for --frames")
    for verb in (premanip, clips):
        verb.add_argument("demo", type=Path, help="folder of the recording")
        verb.add_argument("path", type=Path, help="file with the ObjectTrajectory: h2s2r-perception track")
        verb.add_argument("object", type=Path, help="file with its ObjectModel")
    premanip.add_argument("hand", type=Path, help="file with the HandTrajectory: h2s2r-perception hand")
    premanip.add_argument("--out", type=Path, required=True, help="file for the HandPose")
    premanip.add_argument("--frames", type=frame_range, metavar="FIRST:LAST", help="part of the recording to use")
    premanip.add_argument("--plot", type=Path, help="PNG that shows why it is that instant (extra view)")
    premanip.set_defaults(run=run)
    clips.add_argument("--hand", type=Path, help="file with the HandTrajectory, to tell where the hand is away")
    clips.set_defaults(run=run_clips)
