"""``h2s2r-hw rehearse``.

In:  the command line.   Out: what was found, as lines, as JSON, or in a file; 0 unless it could not be played.
Not here: the work itself (emulators.rehearsal.real_time).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from h2s2r_schemas.codec import write_whole


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser(
        "rehearse", help="the server's own processes on an emulated cell by the wall clock: reported, not judged"
    )
    verb.add_argument("--seconds", type=float, default=60.0, help="that the first client follows")
    verb.add_argument("--send-period", type=int, default=5, help="[ms] of the cabinet's datagrams")
    verb.add_argument("--plant", choices=("ideal", "twin"), default="ideal", help="what moves")
    verb.add_argument("--priority", type=int, default=75, help="SCHED_FIFO of the emulated cell; 0 for none")
    verb.add_argument("--no-realtime", action="store_true", help="ask for no real-time priorities of the server")
    verb.add_argument(
        "--silence", type=float, default=0.03, help="[s] of the hand's loop after which the guardian ends it"
    )
    verb.add_argument("--report", type=Path, default=None, help="file for the figures (JSON)")
    verb.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    from h2s2r_hw.emulators.rehearsal.real_time import RealTimeCfg, rehearse  # noqa: PLC0415 - no emulator needed before

    cfg = RealTimeCfg(
        chosen.seconds, chosen.send_period, chosen.plant, chosen.priority, not chosen.no_realtime, chosen.silence
    )
    with tempfile.TemporaryDirectory(prefix="rehearse") as folder:
        figures = rehearse(Path(folder), cfg, lambda line: print(line, flush=True, file=sys.stderr))
    text = json.dumps(figures, indent=2)
    if chosen.report is not None:
        write_whole(chosen.report, text.encode() + b"\n")
    print(text if chosen.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0
