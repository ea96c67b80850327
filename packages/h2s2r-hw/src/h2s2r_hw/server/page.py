"""The page "why did it refuse", made from the tables of codes.

In:  the tables of refusals and faults.   Out: Markdown.
Not here: the tables (refusals, states.faults); a test compares the page that is committed with this one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from h2s2r_hw.server.refusals import REFUSALS
from h2s2r_hw.states import FAULTS

_HEAD = """# Why did it refuse?

*Made from the tables in the code (`h2s2r_hw.server.refusals`, `h2s2r_hw.states.faults`); a test keeps both the same.
After a change there: `python -m h2s2r_hw.server.page docs/why-did-it-refuse.md`.*

A **refusal** changes nothing: the robot does what it did before. Every refused command is counted under its code in
`RobotState.counters`, the last one is `RobotState.last_refusal`, and its sender gets a reply with the cause, with the value
that was wrong (`RobotClient.refusals`; at most 20 a second). A refused request is answered, and counted as
`request.CODE`. `h2s2r-hw status` shows all of it.

A **fault** stops the robot and is latched until an operator acknowledges it (`h2s2r-hw ack`). Nothing that a client sends
causes one.

Somebody who is not let in at all gets no code, as there is nobody to tell yet: `RobotClient` says `no_server`, and the
server counts `connections.unknown_key`, `connections.failed_handshakes` or `connections.too_many_connections`.
`h2s2r-hw doctor` looks for the reason step by step.
"""
_OF = {
    "message": "any message",
    "command": "commands",
    "request": "requests",
    "both": "commands and requests",
}


def why_did_it_refuse() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_refusals(), "", *_faults(), ""])


def _refusals() -> Iterator[str]:
    yield "## Refusals\n"
    yield "| code | of | when | what to do |"
    yield "|---|---|---|---|"
    for code, row in REFUSALS.items():
        yield f"| `{code}` | {_OF[row.of]} | {row.meaning} | {row.remedy} |"


def _faults() -> Iterator[str]:
    yield "## Faults\n"
    yield "| code | of | what happened | what to do |"
    yield "|---|---|---|---|"
    for code, kind in FAULTS.items():
        yield f"| `{code}` | {kind.part} | {_plain(kind.cause)} | {kind.remedy} |"


def _plain(cause: str) -> str:
    """A cause without its value."""
    return cause.format(value=_Dots(), joint="A joint")


class _Dots:
    """Stands for whatever value there was, in any format."""

    def __format__(self, how: str) -> str:
        return "…"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(why_did_it_refuse(), encoding="utf-8")
