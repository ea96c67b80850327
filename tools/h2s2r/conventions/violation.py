"""One broken convention.

In:  where and what.   Out: a line for a person.
Not here: finding it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A line that breaks a convention."""

    path: str
    """File, relative to the root."""
    line: int
    """Counted from 1."""
    rule: str
    """Short name of the convention."""
    message: str
    """What was found and what is asked for."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"
