"""``h2s2r-hw faults``.

In:  the command line.   Out: a line per case, or figures as JSON; 1 if something is not as declared.
Not here: the work itself (emulators.rehearsal).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser(
        "faults", help="everything that goes wrong, in virtual time, and whether the server then does what is declared"
    )
    verb.add_argument("--only", default="", metavar="TEXT", help="cases whose title contains this; none for '-'")
    verb.add_argument(
        "--ticks", type=int, default=None, help="of the arm's loop under random orders (default: 1000000)"
    )
    verb.add_argument("--evaluations", type=int, default=None, help="of the corrections' clamp (default: 10000000)")
    verb.add_argument("--seed", type=int, default=0, help="of what is random")
    verb.add_argument("--workers", type=int, default=1, help="processes that play, e.g. one for each core")
    verb.add_argument("--keep", type=Path, default=None, help="file for what is done, from which a stopped run goes on")
    verb.add_argument("--json", action="store_true", help="figures alone, as JSON")
    verb.add_argument("--list", action="store_true", help="titles of all cases, and what is expected of them")
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    from h2s2r_hw.emulators.rehearsal import faults  # noqa: PLC0415 - the server's other verbs need no emulator

    cases = [] if chosen.only == "-" else faults.choose(chosen.only)
    if chosen.list:
        for case in cases:
            print(f"{case.title}: {', '.join(f'{name} {value}' for name, value in case.expect.items())}")
        return 0

    def tell(text: str) -> None:
        print(text, flush=True, file=sys.stderr if chosen.json else sys.stdout)

    # Who asks for some cases alone does not want to wait for the rest.
    ticks = chosen.ticks if chosen.ticks is not None else 0 if chosen.only else faults.TICKS
    evaluations = chosen.evaluations if chosen.evaluations is not None else 0 if chosen.only else faults.EVALUATIONS
    figures = faults.run_faults(cases, ticks, evaluations, chosen.seed, tell, chosen.workers, chosen.keep)
    if chosen.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 1 if any(figures.get(name, 0) for name in faults.NONE) else 0
