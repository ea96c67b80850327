"""Learning a policy with rsl_rl: needs the extra ``[train]``.

In:  a task and a robot.   Out: checkpoints; a trained ``Actor``.
Not here: judging it (evaluate).
"""

from h2s2r_rl.train.actor import Actor
from h2s2r_rl.train.checkpoint import load_checkpoint, save_checkpoint
from h2s2r_rl.train.learner import CHECKPOINT, TrainingError, learn, train
from h2s2r_rl.train.progress import Progress

__all__ = [
    "CHECKPOINT",
    "Actor",
    "Progress",
    "TrainingError",
    "learn",
    "load_checkpoint",
    "save_checkpoint",
    "train",
]
