"""The command line as a whole: verbs register here.

In:  the command line.   Out: the exit status: 0, 1 for a run that did not succeed, 2 for what cannot be done.
Not here: the verbs (verbs, experiments).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tyro.extras import SubcommandApp

from h2s2r_schemas.errors import H2S2RError

app = SubcommandApp()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    chosen = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        return int(app.cli(prog="h2s2r-rl", description="Policies that learn in minutes.", args=chosen))
    except ModuleNotFoundError as error:
        print(f"h2s2r-rl: {error}: this needs pip install 'h2s2r-rl[train]'", file=sys.stderr)
        return 2
    except (H2S2RError, OSError) as error:
        print(f"h2s2r-rl: {error}", file=sys.stderr)
        return 2
