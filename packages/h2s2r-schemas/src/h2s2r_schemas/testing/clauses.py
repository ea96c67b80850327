"""What a conformance check says when an implementation breaks its contract.

In:  the clause, what was seen, what is allowed, what to do.   Out: the ``ContractError`` to raise.
Not here: the clauses (contracts), the checks (robot, policy, vec_env).
"""

from __future__ import annotations

import re
from typing import Any

from h2s2r_schemas.errors import ContractError


def broken(clause: str, found: str, allowed: str, remedy: str) -> ContractError:
    """The one form of a conformance error.

    Args:
        clause: contract and clause, e.g. ``"Robot.lease"``.
        found: what was seen, with the value.
        allowed: what the clause allows.
        remedy: what whoever wrote the implementation does next.
    """
    return ContractError(f"Clause {clause} is broken: {found} Allowed: {allowed} What to do: {remedy}")


def clause_names(contract: Any) -> tuple[str, ...]:
    """Names of the clauses in the docstring of a contract, e.g. ``"Robot.lease"``, in order."""
    return tuple(f"{contract.__name__}.{name}" for name in re.findall(r"\*\*(\w+)\*\*:", contract.__doc__ or ""))
