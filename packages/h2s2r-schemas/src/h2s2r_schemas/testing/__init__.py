"""Conformance checks of the three contracts, and correct fakes of each: for everybody's tests.

In:  a function that makes a robot, a policy or an environment.   Out: nothing, or a ``ContractError``.
Not here: the contracts (contracts).
"""

from h2s2r_schemas.testing.clauses import clause_names
from h2s2r_schemas.testing.fakes import FirstOrderRobot, PointMassEnv, RecurrentPolicy
from h2s2r_schemas.testing.policy import check_policy
from h2s2r_schemas.testing.robot import check_robot
from h2s2r_schemas.testing.vec_env import check_vec_env

__all__ = [
    "FirstOrderRobot",
    "PointMassEnv",
    "RecurrentPolicy",
    "check_policy",
    "check_robot",
    "check_vec_env",
    "clause_names",
]
