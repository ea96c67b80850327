"""The conformance check of ``VecEnv``.

In:  a function that makes an environment.   Out: nothing, or a ``ContractError``.
Not here: a correct environment to try it on (fakes).
"""

from h2s2r_schemas.testing.vec_env.check import check_vec_env

__all__ = ["check_vec_env"]
