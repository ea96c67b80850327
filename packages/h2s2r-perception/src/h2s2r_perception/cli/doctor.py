"""``doctor``: what is installed, what is missing, under whose licence.

In:  this environment.   Out: a line per part.
Not here: looking (networks.doctor).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_perception.cli.values import Verbs
from h2s2r_perception.networks.doctor import examine


def run(chosen: argparse.Namespace) -> int:
    """A line per part; what is missing is no failure."""
    for finding in examine(chosen.exchange):
        print(f"{'ready  ' if finding.ready else 'missing'} {finding.name}: {finding.says} [{finding.licence}]")
    return 0


def add(verbs: Verbs) -> None:
    """Its arguments."""
    doctor = verbs.add_parser("doctor", help="what is installed, what is missing, under whose licence")
    doctor.add_argument(
        "--exchange",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="in which a network's server may run",
    )
    doctor.set_defaults(run=run)
