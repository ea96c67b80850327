"""What several verbs take and show: a range of frames, a part of a path, a bar with the time left.

In:  arguments of the command line.   Out: values; a bar on standard error.
Not here: the verbs (their modules).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import SchemaError

#: What ``add`` of a verb gets: argparse has no public name for it.
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_BAR = 30


def frame_range(text: str) -> tuple[int, int]:
    """``FIRST:LAST`` as two frame numbers, both included; for ``type=`` of an argument."""
    first, _, last = text.partition(":")
    try:
        return int(first), int(last)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST:LAST, two frame numbers") from error


def part_of(demo: Path, path: ObjectTrajectory, frames: tuple[int, int] | None) -> tuple[ObjectTrajectory, int]:
    """The part of a path that lies in some frames of its recording, and the frame it begins with.

    Raises:
        SchemaError: the path is not one of this recording, or has no such frames.
    """
    index = np.searchsorted(open_demo(demo).meta.time, path.time - 1e-6)
    if not np.array_equal(index, np.arange(len(index)) + index[0]):
        raise SchemaError("The times of this path are not those of frames in a row of the recording: is it another's?")
    if frames is None:
        return path, int(index[0])
    kept = (index >= frames[0]) & (index <= frames[1])
    if not kept.any():
        raise SchemaError(f"The path has frames {index[0]} to {index[-1]}, none of {frames[0]} to {frames[1]}.")
    part = path.replace(
        time=path.time[kept],
        wxyz_xyz_world_object=path.wxyz_xyz_world_object[kept],
        confidence=path.confidence[kept],
        lost=path.lost[kept],
    )
    return part, int(index[kept][0])


def bar(what: str) -> Callable[[int, int], None]:
    """A callback for ``progress``: a bar with the time left on standard error, where that is a terminal."""
    began, shown = time.monotonic(), -1.0

    def show(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if not sys.stderr.isatty() or (done < total and now - shown < 0.2):
            return
        shown = now
        full = _BAR * done // max(total, 1)
        left = (now - began) * (total - done) / max(done, 1)
        line = f"\r{what} {'█' * full}{'·' * (_BAR - full)} {done}/{total} frames, {left:.0f} s left "
        print(line, end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show
