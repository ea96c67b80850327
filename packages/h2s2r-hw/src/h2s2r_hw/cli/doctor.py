"""``h2s2r-hw doctor``.

In:  the command line.   Out: a line per step on the way to the robot; 1 if one failed.
Not here: the steps (operate.doctor), the robot PC itself (selftest).
"""

from __future__ import annotations

import argparse

from h2s2r_hw.cli.connection import add_connection
from h2s2r_hw.operate.doctor import examine


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("doctor", help="why can I not reach or move the robot: keys, network, states, lease")
    add_connection(verb)
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    failed = 0
    for check in examine(chosen.address, chosen.keys.expanduser(), chosen.timeout):
        print(check, flush=True)
        failed += not check.ok
    print(f"{failed} steps failed" if failed else "the robot can be reached and armed")
    return 1 if failed else 0
