"""``h2s2r-perception VERB``: one module per verb, each with ``add(verbs)`` and ``run``.

In:  the command line.   Out: files and text; 2 for what cannot be done.
Not here: the work itself (convert, track, hand, premanip, scene, …).
"""

from h2s2r_perception.cli.app import main

__all__ = ["main"]
