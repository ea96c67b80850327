"""The whole chain on somebody's own recording.

In:  ``RunCfg``, a folder.   Out: the folder, stage by stage; ``Result``.
Not here: the stages (seeing, learning), what is printed (cli).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from h2s2r.chain.asking import Ask, ask_along
from h2s2r.chain.config import Progress, RunCfg
from h2s2r.chain.corrections import load_corrections
from h2s2r.chain.files import EVALUATION, FILM, NO_REHEARSAL, REHEARSAL
from h2s2r.chain.learning import learning
from h2s2r.chain.record import write_record
from h2s2r.chain.rehearsing import hw_version, rehearsing
from h2s2r.chain.seeing import seeing
from h2s2r.chain.stage import Stage, Told, Work, run_stages
from h2s2r.report import INDEX, REPORT, write_report
from h2s2r_retarget.embodiment import load_embodiment

#: What the stages are done by: another version does them anew.
_PACKAGES = ("h2s2r-schemas", "h2s2r-retarget", "h2s2r-sim", "h2s2r-rl", "h2s2r-perception")


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    folder: Path
    """Of all stages."""
    done: tuple[str, ...]
    """Stages that had to be done this time."""
    seen: tuple[str, ...]
    """Of a recording: which instant was taken, and where the task was put; a sentence each."""
    evaluation: dict[str, Any]
    """As in ``judge/evaluation.json``."""
    film: Path | None
    """Of the policy; none where nothing here can draw."""
    rehearsal: dict[str, Any] | None
    """As in ``rehearse/rehearsal.json``; none where it was left out, or the robot cannot be emulated."""

    @property
    def summary(self) -> str:
        """A few lines for people."""
        lines = [
            *self.seen,
            f"Film of it: {self.film}" if self.film else (self.folder / "film" / "no_film.txt").read_text().strip(),
            f"Policy: {self.folder / 'export'}",
        ]
        if self.seen:
            lines.append(f"What was seen: {self.folder / 'seen' / 'seen.mp4'}")
        lines.append(f"Report: {self.folder / REPORT / INDEX}")
        return "\n".join([*lines, *self._outcome])

    @property
    def _outcome(self) -> list[str]:
        """Success in simulation and in the rehearsal, one below the other."""
        lines = [f"In simulation:                  {_share(self.evaluation)}"]
        if self.rehearsal is not None:
            seed = f"seed {self.rehearsal['seed']}"
            lines.append(f"Zero-shot to the emulated robot: {_share(self.rehearsal)}; {seed}")
        elif (said := self.folder / "rehearse" / NO_REHEARSAL).is_file():
            lines.append(said.read_text().strip())
        return lines


def stages_of(cfg: RunCfg, progress: Progress) -> list[Stage]:
    """All stages of a run, in their order.

    Raises:
        SchemaError: no such recording or robot.
    """
    load_embodiment(cfg.robot)  # a robot that is not there is said before the work, not after it
    stages = [*([] if cfg.task is not None else seeing(cfg, progress)), *learning(cfg, progress)]
    if cfg.rehearsals:
        at = [stage.name for stage in stages].index("judge") + 1
        stages.insert(at, rehearsing(cfg, progress))
    report = Stage("report", "writes the report", _report, tuple(stage.name for stage in stages))
    return [replace(stage, settings={**(stage.settings or {}), "versions": _versions()}) for stage in (*stages, report)]


def _report(work: Work) -> None:
    write_report(work.chain)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}


def run_chain(
    cfg: RunCfg,
    folder: Path,
    tell: Callable[[Told], None] = lambda told: None,
    progress: Progress = lambda what, done, total, note: None,
    start: str | None = None,
    ask: Ask | None = None,
) -> Result:
    """From a recording to a judged policy; what is done already, from the same, is kept.

    Args:
        cfg: what is asked for.
        folder: of all stages, made if need be.
        tell: told of every stage.
        progress: told of what takes long.
        start: a stage that is done anew, with all after it.
        ask: asked where a person may want to correct; corrections stay with the folder.

    Raises:
        SchemaError: no such recording or robot.
        StageError: a stage could not be done; it names the stage, the cause, and what to do.
        OSError: the folder cannot be written to.
    """
    cfg = replace(cfg, corrections=load_corrections(folder))
    stages = stages_of(cfg, progress)
    if ask is not None and cfg.recording is not None:
        write_record(cfg, folder, stages, _versions() | hw_version())
        cfg = ask_along(cfg, folder, lambda cfg: stages_of(cfg, progress), tell, ask)
        stages = stages_of(cfg, progress)
    write_record(cfg, folder, stages, _versions() | hw_version())
    done = run_stages(stages, folder, tell, start)
    film, rehearsal = folder / "film" / FILM, folder / "rehearse" / REHEARSAL
    return Result(
        folder=folder,
        done=done,
        seen=() if cfg.task is not None else _seen(folder),
        evaluation=json.loads((folder / "judge" / EVALUATION).read_text()),
        film=film if film.is_file() else None,
        rehearsal=json.loads(rehearsal.read_text()) if cfg.rehearsals and rehearsal.is_file() else None,
    )


def _share(judged: dict[str, Any]) -> str:
    low, high = judged["interval"]
    failed = ", ".join(f"{count} {kind}" for kind, count in judged["failures"].items()) or "none"
    return (
        f"success {100 * judged['success']:.1f} % of {judged['episodes']} fresh episodes (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}); noise: {judged['noise']}; failed: {failed}"
    )


def _seen(folder: Path) -> tuple[str, ...]:
    premanip = json.loads((folder / "premanip" / "premanip.json").read_text())["reason"]
    return premanip, (folder / "task" / "place.txt").read_text().strip()
