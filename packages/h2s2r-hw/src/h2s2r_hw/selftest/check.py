"""One thing that was looked at.

In:  nothing.   Out: ``Check``.
Not here: looking (the other modules).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One line of a selftest."""

    name: str
    """What was looked at."""
    ok: bool
    """Whether the server can do its work with it."""
    found: str
    """What was found."""
    remedy: str = ""
    """What to change where it is not ok."""

    def __str__(self) -> str:
        line = f"{'ok  ' if self.ok else 'FAIL'}  {self.name}: {self.found}"
        return line if self.ok else f"{line}\n      {self.remedy}"
