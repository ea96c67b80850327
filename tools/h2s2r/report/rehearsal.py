"""What the rehearsal came to, for the page.

In:  the folder of stage ``rehearse`` (chain.rehearsing says what is in it).   Out: ``Rehearsal``, or none where it was not run.
Not here: rehearsing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from h2s2r.chain.files import NO_REHEARSAL, REHEARSAL, REHEARSAL_FILM
from h2s2r.report.folder import Folder

STAGE = "rehearse"
#: What is shown of the record, besides success, and how it is called.
_SHOWN = {
    "failures": "Failed",
    "stopped": "Stopped because",
    "seed": "Seed of the first cell",
    "noise": "Physics and camera",
    "object_pose_from": "Object's pose from",
    "server_faults": "Faults of the server",
    "commands_accepted": "Commands accepted",
    "commands_refused": "Commands refused",
    "targets_clamped": "Targets cut to limits",
    "largest_external_torque": "Largest torque from outside",
    "policy_step_p50_ms": "A step of the policy",
    "policy_step_p99_ms": "… 99 of 100 steps",
}


@dataclass(frozen=True)
class Rehearsal:
    """Figures and a film."""

    success: float
    """Share of episodes."""
    interval: tuple[float, float]
    """Of 95 %."""
    episodes: int
    """How many."""
    figures: tuple[tuple[str, str], ...]
    """What else there is: name and value, as text."""
    film: str | None
    """File name in the report's folder: of the first episode that succeeded, or of the first."""


def rehearsal_of(run: Folder, target: Path) -> Rehearsal | str:
    """What is there of it, or why there is nothing."""
    record = run.json(STAGE, REHEARSAL)
    try:
        low, high = record["interval"]
        return Rehearsal(
            success=float(record["success"]),
            interval=(float(low), float(high)),
            episodes=int(record["episodes"]),
            figures=tuple((said, _text(name, record[name])) for name, said in _SHOWN.items() if name in record),
            film=_film(run.file(STAGE, REHEARSAL_FILM), target),
        )
    except (TypeError, KeyError, ValueError):
        return run.text(STAGE, NO_REHEARSAL) or "Not run."


def _film(file: Path | None, target: Path) -> str | None:
    if file is None:
        return None
    shutil.copyfile(file, target / REHEARSAL_FILM)
    return REHEARSAL_FILM


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {kind}" for kind, count in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none was"
    if name.endswith("_ms"):
        return f"{value:.1f} ms"
    if name.endswith("_torque"):
        return f"{value:.1f} N·m at a joint of the arm"
    return f"{value:,}" if isinstance(value, int) and name != "seed" else str(value)
