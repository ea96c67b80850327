"""``h2s2r-hw status``.

In:  the command line.   Out: a live view, until Ctrl-C.
Not here: what it shows (operate.display).
"""

from __future__ import annotations

import argparse
import sys

from h2s2r_hw.cli.connection import add_connection, connect
from h2s2r_hw.operate.display import show
from h2s2r_schemas.client import Session


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("status", help="what the robot does, how fast, what it refused last and why")
    add_connection(verb)
    verb.add_argument("--once", action="store_true", help="look once, for a second, and end")
    verb.add_argument("--joints", action="store_true", help="a line for each joint")
    verb.add_argument("--every", type=float, default=0.5, help="[s] between two views")
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    clear = "\x1b[H\x1b[J" if sys.stdout.isatty() and not chosen.once else ""
    every = 1.0 if chosen.once else chosen.every
    with connect(chosen) as robot:
        session = Session(robot)
        before = session.state
        try:
            while True:
                state = session.next_state()
                if state.time - before.time >= every:
                    print(
                        clear + show(state, before, session.hello, chosen.joints),
                        end="\n" if clear else "\n\n",
                        flush=True,
                    )
                    before = state
                    if chosen.once:
                        return 1 if state.fault is not None else 0
        except KeyboardInterrupt:
            return 0
