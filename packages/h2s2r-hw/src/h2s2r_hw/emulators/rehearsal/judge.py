"""Cases with what is expected of them, and the verdict.

In:  ``Case``s.   Out: per case: figures, and which of them are not as declared.
Not here: the cases themselves (cases).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from h2s2r_hw.emulators.rehearsal.scene import Figure, Figures, Scene, settings
from h2s2r_hw.emulators.rehearsal.whole import RehearsalCfg

#: A value that must be so, or a smallest and a largest one.
Expected = Figure | tuple[float, float]

#: Expected of every case, unless it says otherwise: limits are kept on the wire, the cabinet's motion is mirrored to the bit, a
#: motion begins where the cabinet stands, the final guard has nothing to do, and every tick is in the log.
ALWAYS: Mapping[str, Expected] = {
    "limit_violations": 0,
    "mirror_error": 0.0,
    "reentry_step": (0.0, 1e-9),
    "arm_guard_holds": 0,
    "hand_guard_holds": 0,
    "log_wrong": 0,
    "log_lost": 0,
}


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong."""

    fault: int
    """Which of the 19 classes."""
    name: str
    """Within its class."""
    play: Callable[[Scene], None]
    """Makes it happen."""
    expect: Mapping[str, Expected]
    """What must be found then."""
    cfg: Callable[[], RehearsalCfg] = settings
    """What is rehearsed."""

    @property
    def title(self) -> str:
        """Class and name."""
        return f"{self.fault:02} {self.name}"


@dataclass
class Verdict:
    """Of one case."""

    case: Case
    """Which."""
    figures: Figures = field(default_factory=dict[str, Figure])
    """What was found."""
    wrong: list[str] = field(default_factory=list[str])
    """What is not as declared."""


def run_case(case: Case) -> Verdict:
    """Play one case in a folder of its own."""
    verdict = Verdict(case)
    with tempfile.TemporaryDirectory(prefix="case") as folder:
        scene = Scene(Path(folder), case.cfg())
        try:
            case.play(scene)
            verdict.figures = scene.figures()
        except Exception as error:  # noqa: BLE001 - whatever it is, this case failed and the others go on
            verdict.wrong.append(f"{type(error).__name__}: {error}")
            scene.close()
            return verdict
    for name, expected in {**ALWAYS, **case.expect}.items():
        value = verdict.figures.get(name, 0)
        if not _fits(value, expected):
            verdict.wrong.append(f"{name} is {value!r}, expected {expected!r}")
    return verdict


def _fits(value: Figure, expected: Expected) -> bool:
    if isinstance(expected, tuple):
        return not isinstance(value, str) and expected[0] <= value <= expected[1]
    return value == expected
