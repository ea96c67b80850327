"""``live``: where the object is now, to whoever listens.

In:  a RealSense or a recording, an ``ObjectModel``.   Out: ``ObjectState``s on a socket (extra [live]); a line a second.
Not here: tracking and sockets (live, schemas.client).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from h2s2r_perception.cli.values import Verbs
from h2s2r_schemas.artifacts import Calibration, ObjectModel
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.wire import ObjectState

_ADDRESS = "tcp://127.0.0.1:5720"


def run(chosen: argparse.Namespace) -> int:
    """Follow an object until the stream ends or somebody interrupts."""
    from h2s2r_perception.live import LiveReport, follow  # noqa: PLC0415 - slower to import than the other verbs
    from h2s2r_perception.record import RealSenseCamera, RecordedCamera  # noqa: PLC0415

    try:
        client = importlib.import_module("h2s2r_schemas.client.objects")
    except ImportError as error:
        raise SchemaError("Publishing needs pyzmq: pip install 'h2s2r-perception[live]'.") from error
    played = chosen.recording is not None
    T_world_camera = None if chosen.calibration is None else load(chosen.calibration, Calibration).T_world_camera
    if not played and T_world_camera is None:
        raise SchemaError("A camera does not know where it stands: give --calibration, made by `calibrate`.")
    camera = RecordedCamera(open_demo(chosen.recording)) if played else RealSenseCamera(chosen.file)

    def watch(state: ObjectState, report: LiveReport) -> None:
        if sys.stderr.isatty():
            said = "lost" if state.lost else f"confidence {state.confidence:.2f}"
            print(f"\r{report.frames} frames, {report.missed} missed, {said}   ", end="", file=sys.stderr, flush=True)

    publisher = client.ObjectPublisher(chosen.address)
    try:
        report = follow(
            camera, load(chosen.object, ObjectModel), T_world_camera, publisher.publish, None, chosen.frames, watch
        )
    except KeyboardInterrupt:
        return 0
    finally:
        publisher.close()
    print(f"{report.frames} frames, {report.missed} missed, {report.lost} lost, found {report.registered} times")
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    live = verbs.add_parser("live", help="where the object is now, as ObjectStates on a socket")
    live.add_argument("object", type=Path, help="file with its ObjectModel")
    live.add_argument("--recording", type=Path, help="a recording to play instead of a camera")
    live.add_argument("--file", type=Path, help="a .bag or .db3 to play instead of a camera")
    live.add_argument("--calibration", type=Path, help="file with where the camera stands; a recording has its own")
    live.add_argument("--address", default=_ADDRESS, help=f"to publish at; {_ADDRESS} if not said")
    live.add_argument("--frames", type=int, help="after how many to stop")
    live.set_defaults(run=run)
