"""What the rehearsal came to, for the page.

In:  the folder of stage ``rehearse``.   Out: ``Rehearsal``, or none where it was not run.
Not here: rehearsing.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from h2s2r.report.folder import Folder

STAGE = "rehearse"


@dataclass(frozen=True)
class Rehearsal:
    """Figures and a film."""

    success: float | None
    """Share of episodes."""
    interval: tuple[float, float] | None
    """Of 95 %."""
    episodes: int | None
    """How many."""
    figures: tuple[tuple[str, str], ...]
    """Everything else that is one value: name and value, as text."""
    film: str | None
    """File name in the report's folder."""


def rehearsal_of(run: Folder, target: Path) -> Rehearsal | None:
    """What is there of it."""
    if not run.done(STAGE):
        return None
    folder = run.path / STAGE
    records = [run.json(STAGE, each.name) for each in sorted(folder.glob("*.json")) if each.name not in _STATE]
    values: dict[str, Any] = {}
    for record in records:
        values |= record if isinstance(record, dict) else {}
    film = next(iter(sorted(folder.glob("*.mp4"))), None)
    if film is not None:
        shutil.copyfile(film, target / "rehearsal.mp4")
    success, interval, episodes = (values.pop(name, None) for name in ("success", "interval", "episodes"))
    return Rehearsal(
        success=float(success) if isinstance(success, (int, float)) else None,
        interval=(float(interval[0]), float(interval[1]))
        if isinstance(interval, list) and len(interval) == 2
        else None,
        episodes=episodes if isinstance(episodes, int) else None,
        figures=tuple((_words(name), _text(value)) for name, value in values.items() if _is_figure(value)),
        film=None if film is None else "rehearsal.mp4",
    )


_STATE = ("begun.json", "done.json")


def _is_figure(value: Any) -> bool:
    flat = isinstance(value, dict) and all(isinstance(each, (int, float, str)) for each in value.values())
    return isinstance(value, (bool, int, float, str)) or flat


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_text(each)} {name}" for name, each in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
