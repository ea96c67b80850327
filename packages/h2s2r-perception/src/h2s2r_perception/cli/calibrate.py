"""``calibrate``: where the camera stands, written into its recordings.

In:  a ``Demo`` of a board, or of a table.   Out: a file with a ``Calibration``; with ``apply``, a recording that has it.
Not here: finding it (calibrate).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from h2s2r_perception.cli.values import Verbs, bar
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


def run(chosen: argparse.Namespace) -> int:
    """By a board at a known place, or one that the robot holds."""
    from h2s2r_perception.calibrate import BoardCfg, calibrate_board, calibrate_hand_eye, read_flange_poses  # noqa: PLC0415

    board = BoardCfg(chosen.kind, chosen.columns, chosen.rows, chosen.square, chosen.marker, chosen.dictionary)
    demo = open_demo(chosen.demo)
    if chosen.way == "board":
        wxyz = np.asarray(chosen.at[:4])
        if abs(np.linalg.norm(wxyz) - 1) > 1e-3:
            raise SchemaError(
                f"--at begins with the unit quaternion w x y z of the board; {chosen.at[:4]} has another length."
            )
        T_world_board = SE3.from_parts(wxyz, np.asarray(chosen.at[4:]))
        found = calibrate_board(demo, board, T_world_board, None, bar("looking for the board"))
    else:
        found = calibrate_hand_eye(demo, board, read_flange_poses(chosen.flange), None, bar("looking for the board"))
    print(f"{found.frames} frames, off by {found.residual_px:.2f} px, {1000 * found.residual:.2f} mm")
    if np.isfinite(found.depth_residual):
        print(f"depth says {1000 * found.depth_residual:+.1f} mm")
    return _written(found.calibration, chosen.out)


def level(chosen: argparse.Namespace) -> int:
    """A place that is chosen."""
    from h2s2r_perception.calibrate import level_camera  # noqa: PLC0415

    calibration = level_camera(open_demo(chosen.demo), chosen.frame, chosen.forward, tuple(chosen.at))
    print("This place is chosen, not measured: good for simulation, not for a robot.")
    return _written(calibration, chosen.out)


def _written(calibration: Calibration, out: Path) -> int:
    x, y, z = calibration.T_world_camera.translation
    print(f"the camera stands at ({x:.3f}, {y:.3f}, {z:.3f}) m")
    save(calibration, out)
    print(f"written: {out}")
    return 0


def apply(chosen: argparse.Namespace) -> int:
    """A copy of a recording whose camera stands where a calibration says."""
    demo, calibration = open_demo(chosen.demo), load(chosen.calibration, Calibration)
    old, new = demo.meta.calibration.color, calibration.color
    if (old.width, old.height) != (new.width, new.height) or not np.allclose(old.matrix(), new.matrix(), rtol=1e-3):
        raise SchemaError(
            f"The recording has {old.width}×{old.height} px, fx {old.fx:.1f}; the calibration "
            f"{new.width}×{new.height}, {new.fx:.1f}. Calibrate with the same camera and resolution as the recording."
        )
    with DemoWriter(chosen.out, demo.meta.replace(calibration=calibration)) as writer:
        for frame in demo:
            writer.append(frame.time, frame.rgb, frame.depth, frame.masks)
    print(f"written: {chosen.out}")
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    ways = verbs.add_parser("calibrate", help="where the camera stands").add_subparsers(required=True)
    board = ways.add_parser("board", help="by a printed board at a known place")
    board.add_argument(
        "--at", type=float, nargs=7, required=True, metavar=("W", "X", "Y", "Z", "PX", "PY", "PZ"), help="its pose [m]"
    )
    held = ways.add_parser("hand-eye", help="by a printed board that the robot holds")
    held.add_argument("--flange", type=Path, required=True, help="CSV: time,qw,qx,qy,qz,x,y,z of the flange")
    for name, parser in (("board", board), ("hand-eye", held)):
        parser.add_argument("demo", type=Path, help="recording of the board")
        parser.add_argument("--kind", choices=("charuco", "apriltag"), default="charuco")
        parser.add_argument("--columns", type=int, default=7, help="squares or tags along x")
        parser.add_argument("--rows", type=int, default=5, help="the same along y")
        parser.add_argument("--square", type=float, required=True, help="[m] edge of a square; tags: edge to same edge")
        parser.add_argument("--marker", type=float, required=True, help="[m] edge of a marker")
        parser.add_argument("--dictionary", default="DICT_5X5_100", help="of a ChArUco board")
        parser.add_argument("--out", type=Path, required=True, help="file for the Calibration")
        parser.set_defaults(run=run, way=name)
    chosen = ways.add_parser("level", help="a world that is chosen: level on the table")
    chosen.add_argument("demo", type=Path, help="folder of the recording")
    chosen.add_argument("--frame", type=int, default=0, help="in which the table is seen")
    chosen.add_argument("--forward", choices=("right", "left", "away", "near"), default="right", help="where x points")
    chosen.add_argument(
        "--at", type=float, nargs=2, default=(0.6, 0.0), metavar=("X", "Y"), help="middle of the picture"
    )
    chosen.add_argument("--out", type=Path, required=True, help="file for the Calibration")
    chosen.set_defaults(run=level)
    into = ways.add_parser("apply", help="a copy of a recording with a calibration")
    into.add_argument("demo", type=Path, help="folder of the recording")
    into.add_argument("calibration", type=Path, help="file with the Calibration")
    into.add_argument("--out", type=Path, required=True, help="folder of the copy")
    into.set_defaults(run=apply)
