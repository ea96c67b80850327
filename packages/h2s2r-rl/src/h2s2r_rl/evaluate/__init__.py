"""How good a policy is: success on fresh episodes, where it stops, and how it does it.

In:  a policy, a task, a robot.   Out: ``Evaluation`` and what is made of several.
Not here: training (train), comparison with other methods (experiment).
"""

from h2s2r_rl.evaluate.fresh import env_cfg_of, evaluate
from h2s2r_rl.evaluate.judge import Acts, Evaluation, Look, Trial, judge

__all__ = ["Acts", "Evaluation", "Look", "Trial", "env_cfg_of", "evaluate", "judge"]
