"""``scene``: table, walls and boxes of a recording, or of a ``scene.toml``.

In:  a ``Demo`` or a ``scene.toml``.   Out: a file with a ``Scene``.
Not here: finding and reading them (scene).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, frame_range
from h2s2r_schemas.artifacts import ObjectModel, ObjectTrajectory, Scene
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import open_demo


def _written(scene: Scene, out: Path) -> int:
    save(scene, out)
    for body in scene.bodies:
        x, y, z = body.T_world_body.translation
        sizes = " + ".join(f"{shape.kind} {' × '.join(f'{edge:.3f}' for edge in shape.size)}" for shape in body.shapes)
        print(f"{body.name}: {sizes} m at ({x:.3f}, {y:.3f}, {z:.3f}) m")
    if not scene.calibrated:
        print("The camera's place was chosen, not calibrated: this world is not a robot's.")
    print(f"written: {out}")
    return 0


def from_recording(chosen: argparse.Namespace) -> int:
    """What never moves in a recording."""
    from h2s2r_perception.scene import find_scene  # noqa: PLC0415 - slower to import than the other verbs

    tracked = None
    if chosen.track:
        tracked = (load(chosen.track[0], ObjectModel), load(chosen.track[1], ObjectTrajectory))
    found = find_scene(open_demo(chosen.demo), None, chosen.frames, chosen.mask, tracked)
    for sentence in found.left_out:
        print(f"left out: {sentence}; if the object or the hand may touch it, describe it in a scene.toml")
    return _written(found.scene, chosen.out)


def from_toml(chosen: argparse.Namespace) -> int:
    """A scene written by hand."""
    from h2s2r_perception.scene import read_scene  # noqa: PLC0415 - slower to import than the other verbs

    return _written(read_scene(chosen.toml), chosen.out)


def add(verbs: Verbs) -> None:
    """Its arguments."""
    ways = verbs.add_parser("scene", help="table, walls and boxes into a Scene").add_subparsers(required=True)
    seen = ways.add_parser("from-recording", help="what never moves in a recording")
    seen.add_argument("demo", type=Path, help="folder of the recording")
    seen.add_argument("--out", type=Path, required=True, help="file for the Scene")
    seen.add_argument("--frames", type=frame_range, metavar="FIRST:LAST", help="part of the recording to use")
    seen.add_argument("--mask", default="", help="name of masks in the recording that show the object")
    seen.add_argument(
        "--track",
        type=Path,
        nargs=2,
        metavar=("OBJECT", "PATH"),
        help="files with its ObjectModel and ObjectTrajectory: taken out of the pictures",
    )
    seen.set_defaults(run=from_recording)
    written = ways.add_parser("from-toml", help="a scene written by hand")
    written.add_argument("toml", type=Path, help="file as `h2s2r_perception.scene.toml_file` describes it")
    written.add_argument("--out", type=Path, required=True, help="file for the Scene")
    written.set_defaults(run=from_toml)
