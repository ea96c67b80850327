"""Something about a robot that is missing or implausible.

In:  what, why, and what to do.   Out: ``Finding``, and one error for several.
Not here: what is looked for (table for what a robot cannot do without, check for what is implausible).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or probably wrong, with a robot folder."""

    kind: str
    """Short stable name, e.g. ``"home"``."""
    subject: str
    """What it is about: a joint, a link, a key of robot.toml."""
    cause: str
    """What was found, with its value and what is allowed."""
    remedy: str
    """What to do about it."""
    severity: str = "error"
    """``error``: the robot cannot be used; ``warning``: it can, but look."""

    def __str__(self) -> str:
        return f"{self.severity} ({self.kind}) {self.subject}: {self.cause} {self.remedy}"


def raise_findings(where: str, findings: Sequence[Finding]) -> None:
    """Nothing if none of the findings is an error.

    Raises:
        SchemaError: some are; its message lists them all.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        lines = "".join(f"\n- {each.subject}: {each.cause} {each.remedy}" for each in errors)
        raise SchemaError(f"{where} cannot be used; run `h2s2r-retarget check` on it for everything there is:{lines}")
