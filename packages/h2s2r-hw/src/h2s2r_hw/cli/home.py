"""``h2s2r-hw home``.

In:  the command line.   Out: how far each joint has to go, a question, how it went.
Not here: the motion (motion, loops), the procedure (operate.homing).
"""

from __future__ import annotations

import argparse

from h2s2r_hw.cli.connection import add_connection, agreed, connect
from h2s2r_hw.operate.homing import describe, go_home
from h2s2r_schemas.client import Session


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser(
        "home", help="slowly to the robot's resting configuration, on a straight path of the joints"
    )
    add_connection(verb)
    verb.add_argument("--seconds", type=float, default=120.0, help="of the robot's time it may take")
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    with connect(chosen) as robot:
        session = Session(robot)
        print("\n".join(describe(session)) or "every joint is at home already")
        if not agreed("The joints move on a straight path, whatever is in between. Is it free?", chosen.yes):
            print("nothing done")
            return 1
        state = go_home(session, chosen.seconds, print)
        print(f"at home, {state.server_state}")
    return 0
