"""``h2s2r-hw ack``.

In:  the command line.   Out: the fault, a question, and what the robot is afterwards.
Not here: what follows (states): the robot is never moved by it.
"""

from __future__ import annotations

import argparse

from h2s2r_hw.cli.connection import add_connection, agreed, connect
from h2s2r_schemas.client import Session

#: [s] in which states must say so.
_SOON = 2.0


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("ack", help="acknowledge a fault, or reset the e-stop; needs an operator's key")
    add_connection(verb)
    verb.add_argument("--estop", action="store_true", help="reset the e-stop instead")
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    with connect(chosen) as robot:
        session = Session(robot)
        fault = session.state.fault
        if chosen.estop:
            text, kind = f"The robot is {session.state.server_state!r}.", "reset_estop"
        elif fault is None:
            print(f"no fault; the robot is {session.state.server_state!r}")
            return 0
        else:
            text, kind = f"{fault.code} at {fault.time:.3f} s: {fault.cause}\n{fault.remedy}", "acknowledge_fault"
        print(text)
        if not agreed("Is the cause removed, and is everybody out of reach?", chosen.yes):
            print("nothing done")
            return 1
        session.ask(kind)
        until = session.state.time + _SOON
        gone = "estop" if chosen.estop else "fault"
        while session.next_state().server_state == gone and session.state.time < until:
            pass
        print(f"the robot is {session.state.server_state!r}")
        return 1 if session.state.server_state == gone else 0
