"""The chain from a recording to a judged policy, stage by stage in a folder.

In:  a recording, an object, settings.   Out: a folder with one subfolder a stage; redone only where something changed.
Not here: the stages' work itself (the packages), the command line (cli).
"""

from h2s2r.chain.stage import Stage, StageError, Told, Work, run_stages

__all__ = ["Stage", "StageError", "Told", "Work", "run_stages"]
