"""What several verbs take and show: a range of frames, a bar with the time left.

In:  arguments of the command line.   Out: values; a bar on standard error.
Not here: the verbs (their modules).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TypeAlias

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
