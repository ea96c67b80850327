"""Running a policy on a robot, simulated, emulated or real.

In:  a policy, a ``Robot``, a source of ``ObjectState``.   Out: a ``Rollout``.
Not here: training, physics, networks.
"""

from h2s2r_rl.runner.config import RunCfg, RunError
from h2s2r_rl.runner.newest import Newest
from h2s2r_rl.runner.run import RunResult, run_policy

__all__ = ["Newest", "RunCfg", "RunError", "RunResult", "run_policy"]
