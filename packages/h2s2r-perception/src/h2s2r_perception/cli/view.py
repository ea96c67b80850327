"""``view``: what was found in a recording, as a video, as plots, or in the browser.

In:  a ``Demo``, files with what was found in it.   Out: MP4, PNG; or a page until interrupted.
Not here: drawing (view).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, bar, frame_range, part_of
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import SchemaError


def run(chosen: argparse.Namespace) -> int:
    """Draw what was asked for."""
    from h2s2r_perception.premanip import find_premanip  # noqa: PLC0415 - slower to import than other verbs
    from h2s2r_perception.view import Finding, browser, overlay, plots  # noqa: PLC0415

    model = None if chosen.object is None else load(chosen.object, ObjectModel)
    path = None if chosen.path is None else load(chosen.path, ObjectTrajectory)
    hand = None if chosen.hand is None else load(chosen.hand, HandTrajectory)
    premanip = None
    if chosen.premanip:
        if model is None or path is None or hand is None:
            raise SchemaError("--premanip needs --object, --path and --hand.")
        part, first = part_of(chosen.demo, path, chosen.frames)
        premanip = find_premanip(part, model, hand, first=first)
    finding = Finding(open_demo(chosen.demo), model, path, hand, premanip)
    if chosen.video is not None:
        print(f"written: {overlay.save_overlay(finding, chosen.video, chosen.frames, bar('drawing'))}")
    if chosen.plot is not None:
        print(f"written: {plots.save_paths(finding, chosen.plot)}")
    if chosen.port is not None:
        server = browser.show(finding, chosen.host, chosen.port)
        print(f"http://{chosen.host}:{chosen.port}   (stop with Ctrl+C)")
        try:
            while True:
                time.sleep(1.0)
        except KeyboardInterrupt:
            server.stop()
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    view = verbs.add_parser("view", help="what was found in a recording: video, plots, browser")
    view.add_argument("demo", type=Path, help="folder of the recording")
    view.add_argument("--object", type=Path, help="file with the ObjectModel")
    view.add_argument("--path", type=Path, help="file with the ObjectTrajectory")
    view.add_argument("--hand", type=Path, help="file with the HandTrajectory")
    view.add_argument("--premanip", action="store_true", help="show the pre-manipulation instant too")
    view.add_argument("--video", type=Path, help="MP4 to write")
    view.add_argument("--frames", type=frame_range, metavar="FIRST:LAST", help="part of the recording to show")
    view.add_argument("--plot", type=Path, help="PNG of the paths over time to write (extra view)")
    view.add_argument("--port", type=int, help="serve it in the browser on this port (extra view)")
    view.add_argument("--host", default="localhost", help="address to serve on")
    view.set_defaults(run=run)
