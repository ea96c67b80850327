"""The conformance check of ``Robot``.

In:  a function that makes a robot.   Out: nothing, or a ``ContractError``.
Not here: a correct robot to try it on (fakes).
"""

from h2s2r_schemas.testing.robot.check import check_robot

__all__ = ["check_robot"]
