"""A list of faulty implementations, each with the clause it breaks, and the judgement of the message that catches it.

In:  classes, by decorator.   Out: parameters for pytest.
Not here: the faulty classes themselves (faulty_*).
"""

from __future__ import annotations

import pytest

from h2s2r_schemas.errors import ContractError


class Faults(list):
    """Faulty classes of one contract; decorate a class with ``faulty(clause, *words in the message, **options)``."""

    def __init__(self, contract):
        super().__init__()
        self.contract = contract

    def __call__(self, clause, *words, **options):
        def register(kind):
            self.append(pytest.param(kind, f"{self.contract}.{clause}", words, options, id=kind.__name__))
            return kind

        return register


def clauses_of(faults):
    """The clauses that some of these break."""
    return {fault.values[1] for fault in faults}


def assert_caught(check, clause, words):
    """``check()`` raises a ``ContractError`` that names the clause, holds the words, and says what to do."""
    with pytest.raises(ContractError) as caught:
        check()
    message = str(caught.value)
    assert message.startswith(f"Clause {clause} is broken: ")
    assert "Allowed: " in message
    assert "What to do: " in message
    assert [word for word in words if word not in message] == []
