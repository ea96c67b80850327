"""Comparisons: every method on every task with several seeds, and what changes when one thing is left out.

In:  tasks, seeds, a folder.   Out: results as small files, tables, curves.
Not here: one training (train), one judgement (evaluate).
"""

from h2s2r_rl.experiment.campaign import ablation_jobs, run_jobs, table_jobs
from h2s2r_rl.experiment.job import Job, Result, Score
from h2s2r_rl.experiment.work import do, load_result

__all__ = ["Job", "Result", "Score", "ablation_jobs", "do", "load_result", "run_jobs", "table_jobs"]
