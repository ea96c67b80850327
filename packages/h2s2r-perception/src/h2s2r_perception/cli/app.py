"""All verbs, put together: a verb is a module of this folder that is named in ``_VERBS``.

In:  the command line.   Out: the exit status: 0, or 2 for what cannot be done.
Not here: the verbs (their modules).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from h2s2r_perception.cli import (
    calibrate,
    convert,
    doctor,
    hand,
    live,
    objects,
    premanip,
    record,
    scene,
    see,
    segment,
    track,
    view,
)
from h2s2r_schemas.errors import H2S2RError

#: In the order in which the help lists them.
_VERBS = (record, convert, calibrate, objects, segment, see, track, hand, premanip, scene, view, live, doctor)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="h2s2r-perception", description="From one RGB-D recording to an object path, a scene and a hand."
    )
    verbs = parser.add_subparsers(required=True)
    for verb in _VERBS:
        verb.add(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except (H2S2RError, OSError) as error:
        print(f"h2s2r-perception: {error}", file=sys.stderr)
        return 2
    return status
