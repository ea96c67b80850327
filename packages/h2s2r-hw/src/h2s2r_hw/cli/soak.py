"""``h2s2r-hw soak``.

In:  the command line.   Out: a line every ten minutes of virtual time, a file of figures; 1 if something is not as it must be.
     Ctrl-C or SIGTERM end it in order, with the figures of the hours there were.
Not here: the work itself (emulators.rehearsal.soak).
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from pathlib import Path


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("soak", help="the whole server on an emulated cell for hours of virtual time")
    verb.add_argument("--hours", type=float, default=24.0, help="of virtual time")
    verb.add_argument("--seed", type=int, default=0, help="decides what is asked for")
    verb.add_argument("--report", type=Path, default=Path("soak.json"), help="file for the figures")
    verb.set_defaults(run=_run)


def _say(line: str) -> None:
    print(line, flush=True)


def _run(chosen: argparse.Namespace) -> int:
    from h2s2r_hw.emulators.rehearsal.soak import run_soak  # noqa: PLC0415 - the server's other verbs need no emulator

    # In lock-step one runs at a time; threads that wake each other across cores take half as long again.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, frame: ended.append(got))
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        figures = run_soak(Path(folder), chosen.hours, chosen.seed, chosen.report, _say, lambda: bool(ended))
    print(f"{figures['hours']:.2f} h: {figures['failure'] or 'everything that was sent was replied to and logged'}")
    return 1 if figures["failures"] else 0
