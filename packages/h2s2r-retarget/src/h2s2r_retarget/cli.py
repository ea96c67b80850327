"""``h2s2r-retarget fit|check|view``.

In:  the command line.   Out: files, text, a picture or a browser page; 1 for a robot with findings, 2 for what cannot be done.
Not here: the work itself (retarget, trajectory, check, view).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

import numpy as np

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.trajectory import retarget_hand_path
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, RobotPose, RobotTrajectory, Scene
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.errors import H2S2RError, SchemaError


def _fit(chosen: argparse.Namespace) -> int:
    """A file with a human hand to a file with a robot."""
    hand = load(chosen.hand)
    if not isinstance(hand, (HandPose, HandTrajectory)):
        raise SchemaError(f"{chosen.hand} holds a {type(hand).__name__}; a HandPose or a HandTrajectory is wanted.")
    embodiment = load_embodiment(chosen.robot, hand.side)
    scene = load(chosen.scene, Scene) if chosen.scene else None
    if isinstance(hand, HandPose):
        found = retarget_hand(hand, embodiment, scene=scene, avoid_collisions=chosen.avoid_collisions)
        for name, error, floor in zip(found.fingertip_names, found.fingertip_error, found.fingertip_floor, strict=True):
            print(f"{name:<24} {error * 1000:7.2f} mm, {floor * 1000:.2f} mm of it out of the hand's reach")
        print(f"palm {found.palm_position_error * 1000:.2f} mm, {np.rad2deg(found.palm_rotation_error):.2f}°")
    else:
        retargeter = Retargeter(embodiment, scene=scene)
        found = retarget_hand_path(retargeter, hand, _progress, chosen.drop_jumps, chosen.stretch_time)
        step = np.rad2deg(np.abs(np.diff(found.joint_pos, axis=0)).max(initial=0.0))
        print(f"{int(found.ok.sum())} of {len(found.ok)} frames reached; largest joint step {step:.1f}°")
    save(found, chosen.out)
    print(f"written: {chosen.out}")
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 20 == 0 or done == total):
        print(f"\r{done}/{total} frames", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _check(chosen: argparse.Namespace) -> int:
    """What is missing or implausible about a robot."""
    from h2s2r_retarget.check import check_embodiment  # noqa: PLC0415 - slower to import than the other verbs

    findings = check_embodiment(chosen.robot)
    for finding in findings:
        print(finding)
    print(f"{chosen.robot}: {len(findings) or 'nothing'} found.")
    if chosen.png:
        from h2s2r_retarget.check import draw_embodiment  # noqa: PLC0415 - needs the extra view

        draw_embodiment(load_embodiment(chosen.robot), chosen.png)
        print(f"written: {chosen.png}")
    return 1 if findings else 0


def _view(chosen: argparse.Namespace) -> int:
    """Robot and human hand, in the browser or as a PNG."""
    from h2s2r_retarget import view  # noqa: PLC0415 - needs the extra view

    hand, robot = load(chosen.hand), load(chosen.fitted)
    if isinstance(hand, HandPose) and isinstance(robot, RobotPose):
        keypoints, joint_pos = hand.p_world_keypoints, robot.joint_pos
    elif isinstance(hand, HandTrajectory) and isinstance(robot, RobotTrajectory):
        keypoints, joint_pos = hand.p_world_keypoints[~hand.lost], robot.joint_pos
    else:
        raise SchemaError(
            f"A {type(hand).__name__} with a {type(robot).__name__}: give what `fit` read and what it wrote."
        )
    embodiment = load_embodiment(chosen.robot or robot.robot_name, hand.side)
    scene = view.view_scene(embodiment, joint_pos, keypoints, hand.side)
    if chosen.png:
        print(f"written: {view.save_png(scene, chosen.png, chosen.frame)}")
        return 0
    server = view.show(scene, port=chosen.port)
    print(f"look at http://localhost:{chosen.port} (Ctrl-C ends it)")
    with suppress(KeyboardInterrupt):
        Event().wait()
    server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="h2s2r-retarget", description="From a human hand to any robot.")
    verbs = parser.add_subparsers(required=True)
    robot = f"one of {', '.join(embodiment_names())}, or a folder with robot.urdf and robot.toml"
    fit = verbs.add_parser("fit", help="human hand pose or path to robot configuration or path")
    fit.add_argument("hand", type=Path, help="a HandPose or HandTrajectory written by h2s2r-schemas")
    fit.add_argument("--robot", default="iiwa14_allegro", help=robot)
    fit.add_argument("--out", type=Path, required=True, help="file for the RobotPose or RobotTrajectory")
    fit.add_argument("--scene", type=Path, help="a Scene: what stands around the robot")
    fit.add_argument(
        "--avoid-collisions", action="store_true", help="of a pose: trade accuracy for distance instead of refusing"
    )
    fit.add_argument("--drop-jumps", action="store_true", help="of a path: leave out frames that jump")
    fit.add_argument("--stretch-time", action="store_true", help="of a path: keep to the joints' speeds")
    fit.set_defaults(run=_fit)
    check = verbs.add_parser("check", help="what is missing or implausible about a robot")
    check.add_argument("robot", help=robot)
    check.add_argument("--png", type=Path, help="also draw it, with its frames (extra view)")
    check.set_defaults(run=_check)
    view = verbs.add_parser("view", help="human hand and robot, in the browser or as a picture (extra view)")
    view.add_argument("hand", type=Path, help="what fit read")
    view.add_argument("fitted", type=Path, help="what fit wrote")
    view.add_argument("--robot", help="folder of the robot, if it is not one that comes with the package")
    view.add_argument("--png", type=Path, help="write a picture instead of opening a page")
    view.add_argument("--frame", type=int, default=0, help="which frame of a path the picture shows")
    view.add_argument("--port", type=int, default=8080, help="of the page")
    view.set_defaults(run=_view)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except (H2S2RError, OSError) as error:
        print(f"h2s2r-retarget: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
