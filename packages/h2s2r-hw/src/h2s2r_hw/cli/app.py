"""All verbs together.

In:  the command line.   Out: the exit code.
Not here: single verbs (a module each).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from h2s2r_hw.cli import ack, doctor, emulate, estop, faults, home, keys, log, rehearse, selftest, serve, soak, status
from h2s2r_schemas.errors import H2S2RError

#: In the order of the help.
VERBS = (serve, selftest, keys, status, estop, ack, home, doctor, log, emulate, faults, soak, rehearse)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="h2s2r-hw", description="Real-time server for a KUKA LBR iiwa and an Allegro hand, and its emulated cell."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.run(chosen)
    except H2S2RError as error:
        print(f"h2s2r-hw: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"h2s2r-hw: {error}", file=sys.stderr)
        return 2
