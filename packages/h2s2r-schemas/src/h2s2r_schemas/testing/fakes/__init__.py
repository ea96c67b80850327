"""Small, correct implementations of the three contracts, for tests that need one and no more.

In:  sizes.   Out: ``FirstOrderRobot``, ``RecurrentPolicy``, ``PointMassEnv``.
Not here: the checks they pass (robot, policy, vec_env).
"""

from h2s2r_schemas.testing.fakes.policy import RecurrentPolicy, fake_policy_spec
from h2s2r_schemas.testing.fakes.robot import FirstOrderRobot, fake_robot_spec
from h2s2r_schemas.testing.fakes.vec_env import PointMassEnv, fake_task

__all__ = [
    "FirstOrderRobot",
    "PointMassEnv",
    "RecurrentPolicy",
    "fake_policy_spec",
    "fake_robot_spec",
    "fake_task",
]
