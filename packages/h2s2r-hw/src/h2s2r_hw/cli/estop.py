"""``h2s2r-hw estop``.

In:  the command line.   Out: a line once the robot says that it is stopped; 1 if it does not.
Not here: what the e-stop does (states, loops). The red button at the cabinet needs no network.
"""

from __future__ import annotations

import argparse

from h2s2r_hw.cli.connection import add_connection, connect
from h2s2r_schemas.client import Session

#: [s] in which states must say so.
_SOON = 1.0


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("estop", help="stop now; any allowed key may (the red button needs no network)")
    add_connection(verb)
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    with connect(chosen) as robot:
        session = Session(robot)
        # Asked first, looked at afterwards.
        session.ask("estop")
        state = session.wait(lambda state: state.server_state == "estop", _SOON, "The e-stop")
        print(f"stopped and latched at {state.time:.3f} s; h2s2r-hw ack --estop resets it")
    return 0
