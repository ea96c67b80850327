"""``h2s2r-rl VERB``.

In:  the command line.   Out: text and files.
Not here: the work itself (train, evaluate, export, runner, experiment).
"""

from h2s2r_rl.cli import experiments, running, verbs
from h2s2r_rl.cli.app import main

__all__ = ["experiments", "main", "running", "verbs"]
