"""``see``: all that a recording of a demonstration tells, in one go.

In:  a ``Demo``, an ``ObjectModel``.   Out: a folder with the paths, the hand of the instant, the scene; a video, a plot.
Not here: looking (see), drawing (view).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from h2s2r_perception.cli.values import Verbs, bar, frame_range
from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import open_demo


def run(chosen: argparse.Namespace) -> int:
    """Path, hand, instant and scene of a recording."""
    from h2s2r_perception.see import see  # noqa: PLC0415 - slower to import than the other verbs
    from h2s2r_perception.view import Finding, overlay, plots  # noqa: PLC0415

    demo, model, out = open_demo(chosen.demo), load(chosen.object, ObjectModel), chosen.out
    seen = see(demo, model, frames=chosen.frames, progress=_one_bar())
    out.mkdir(parents=True, exist_ok=True)
    for name, message in (
        ("path", seen.path),
        ("hand", seen.hand),
        ("hand_pose", seen.premanip.hand),
        ("scene", seen.scene),
    ):
        save(message, out / f"{name}.h2s")
    print(f"object: lost in {int(seen.path.lost.sum())} of {len(seen.path.time)} frames")
    print(f"{seen.hand.side} hand: lost in {int(seen.hand.lost.sum())} of {len(seen.hand.time)} frames")
    print(seen.premanip.reason)
    for sentence in seen.left_out:
        print(f"not in the scene: {sentence}; if the object or the hand may touch it, describe it in a scene.toml")
    finding = Finding(demo, model, seen.path, seen.hand, seen.premanip)
    if chosen.video:
        overlay.save_overlay(finding, out / "overlay.mp4", chosen.frames, bar("drawing"))
    if chosen.plot:
        plots.save_paths(finding, out / "paths.png")
        plots.save_premanip(seen.premanip, out / "premanip.png")
    print(f"written: {out}")
    return 0


def _one_bar() -> Callable[[str, int, int], None]:
    """Object and hand are followed at once: one bar for both."""
    show, steps = bar("looking"), {}

    def advance(what: str, done: int, total: int) -> None:
        steps[what] = (done, total)
        every = list(steps.values())
        show(sum(one for one, _ in every), sum(all_of for _, all_of in every))

    return advance


def add(verbs: Verbs) -> None:
    """Its arguments."""
    see = verbs.add_parser("see", help="all of it in one go: object, hand, the instant before contact, scene")
    see.add_argument("demo", type=Path, help="folder of the recording")
    see.add_argument("object", type=Path, help="file with the ObjectModel of what is moved")
    see.add_argument("--out", type=Path, required=True, help="folder for what is found")
    see.add_argument("--frames", type=frame_range, metavar="FIRST:LAST", help="part of the recording to use")
    see.add_argument("--video", action="store_true", help="write overlay.mp4 too")
    see.add_argument("--plot", action="store_true", help="write paths.png and premanip.png too (extra view)")
    see.set_defaults(run=run)
