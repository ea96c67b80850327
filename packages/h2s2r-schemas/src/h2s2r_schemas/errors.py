"""The errors of every h2s2r package.

In:  nothing.   Out: exception classes.
Not here: the codes a robot answers with (wire).
"""


class H2S2RError(Exception):
    """Root of every error this software raises on purpose.

    A message says what was wrong, the value, what is allowed, and what to do next.
    """


class SchemaError(H2S2RError, ValueError):
    """A file, a message or a field does not have the form its schema asks for."""


class ContractError(H2S2RError):
    """An implementation of ``Robot``, ``Policy`` or ``VecEnv`` breaks its contract."""


class RobotFault(H2S2RError):
    """The robot side refused or stopped.

    Attributes:
        code: short stable name of the reason, e.g. ``"stale_command"``.
        remedy: what the operator or the caller can do about it.
    """

    def __init__(self, code: str, cause: str, remedy: str) -> None:
        super().__init__(f"{code}: {cause} What to do: {remedy}")
        self.code = code
        self.cause = cause
        self.remedy = remedy
