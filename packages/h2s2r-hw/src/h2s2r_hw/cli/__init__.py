"""``h2s2r-hw VERB``: one module per verb, each with ``add(verbs)``.

In:  the command line.   Out: text and files; 2 for what cannot be done.
Not here: the work itself (processes, selftest, bus.log, server, emulators, …).
"""

from h2s2r_hw.cli.app import main

__all__ = ["main"]
