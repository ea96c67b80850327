"""``hand``: the hand's path through a recording.

In:  a ``Demo``; a ``.task`` file or keypoints marked by a person, if wished.   Out: a file with a ``HandTrajectory``.
Not here: finding it (hand).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, bar, frame_range
from h2s2r_schemas.artifacts import HandTrajectory
from h2s2r_schemas.artifacts.poses import SIDES
from h2s2r_schemas.codec import save
from h2s2r_schemas.demo import Demo, open_demo
from h2s2r_schemas.errors import H2S2RError


def run(chosen: argparse.Namespace) -> int:
    """The hand's path through a recording."""
    demo = open_demo(chosen.demo)
    path = _marked(chosen, demo) if chosen.keypoints else _found(chosen, demo)
    save(path, chosen.out)
    lost = [str(index + (chosen.frames or (0, 0))[0]) for index in path.lost.nonzero()[0]]
    print(f"{path.side} hand, {len(path.time)} frames, {len(lost)} lost{': ' if lost else ''}{' '.join(lost)}")
    print(f"written: {chosen.out}")
    return 0


def _found(chosen: argparse.Namespace, demo: Demo) -> HandTrajectory:
    from h2s2r_perception.hand.mediapipe_hands import open_landmarker  # noqa: PLC0415 - not needed for marked keypoints
    from h2s2r_perception.hand.path import track_hand  # noqa: PLC0415 - slower to import than the other verbs

    landmarker = open_landmarker(chosen.task)
    try:
        return track_hand(
            demo, landmarker, frames=chosen.frames, side=chosen.side or None, progress=bar("looking for the hand")
        )
    finally:
        landmarker.close()


def _marked(chosen: argparse.Namespace, demo: Demo) -> HandTrajectory:
    from h2s2r_perception.hand.given import read_keypoints  # noqa: PLC0415 - slower to import than the other verbs
    from h2s2r_perception.hand.path import fit_path, from_landmarks  # noqa: PLC0415

    if chosen.task or chosen.side or chosen.frames:
        raise H2S2RError("--keypoints says itself which hand and which frames: leave out --task, --side and --frames.")
    side, given = read_keypoints(chosen.keypoints, demo)
    return fit_path(demo, from_landmarks(demo, given), side=side, fewest=1)


def add(verbs: Verbs) -> None:
    """Its arguments."""
    hand = verbs.add_parser("hand", help="the hand's path through a recording")
    hand.add_argument("demo", type=Path, help="folder of the recording")
    hand.add_argument("--out", type=Path, required=True, help="file for the HandTrajectory")
    hand.add_argument("--frames", type=frame_range, metavar="FIRST:LAST", help="part of the recording to use")
    hand.add_argument("--side", choices=SIDES, default="", help="which hand, if it is known")
    hand.add_argument("--task", type=Path, help="hand_landmarker.task of a MediaPipe whose wheel has no models")
    hand.add_argument("--keypoints", type=Path, help="JSON file of keypoints marked by a person, instead of MediaPipe")
    hand.set_defaults(run=run)
