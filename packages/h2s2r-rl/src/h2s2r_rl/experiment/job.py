"""One entry of a table or a curve: a method on a task with a seed, and what it showed.

In:  ``Job``.   Out: ``Result``, a small JSON file that says how it was made.
Not here: running jobs (work), several of them (campaign), tables and curves (report, curves).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from h2s2r_rl.baselines import BASELINES
from h2s2r_rl.config import PRESETS
from h2s2r_rl.evaluate import Evaluation
from h2s2r_rl.interval import wilson
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import ABLATIONS

#: Raised by one when the meaning of what is in a result changes.
VERSION = 1
POLICY = "policy"
#: Names of scores that are no transfer checks: at both levels of noise, and of a cloned policy where it was shown what to do.
AT_STANDARD, AT_PAPER, WHERE_SHOWN = "standard", "paper", "where_shown"
METHODS = (POLICY, *BASELINES)
#: Evaluations are seeded from here on: far from all seeds of trainings.
EVALUATION_SEED = 7_000_000


@dataclass(frozen=True)
class Job:
    """What is to be trained and judged."""

    task: str
    """Name of a bundled task."""
    method: str = POLICY
    """One of ``METHODS``."""
    seed: int = 0
    """Of the training; the evaluation's is made from it."""
    robot: str = "iiwa14_allegro"
    """Name of a bundled robot."""
    ablation: str = ""
    """A name of ``h2s2r_sim.config.ABLATIONS``, or nothing."""
    preset: str = "fast"
    """A name of ``h2s2r_rl.config.PRESETS``."""
    steps: int = 0
    """Policy steps of the training; 0 for the preset's."""
    episodes: int = 256
    """How many are judged."""
    transfer: bool = False
    """Whether to judge in other physics too."""

    def __post_init__(self) -> None:
        for what, value, known in (
            ("method", self.method, METHODS), ("ablation", self.ablation, ("", *ABLATIONS)), ("preset", self.preset, PRESETS)
        ):  # fmt: skip
            if value not in known:
                raise SchemaError(
                    f"There is no {what} {value!r}; there are: {', '.join(each for each in known if each)}."
                )
        if self.ablation and self.method != POLICY:
            raise SchemaError(f"Ablations are of the policy; {self.method} has none.")

    @property
    def name(self) -> str:
        """Names files; different jobs have different ones, but for their number of steps and episodes."""
        parts = (self.task, self.method, self.robot, self.ablation, str(self.seed))
        return "-".join(part for part in parts if part)

    @property
    def evaluation_seed(self) -> int:
        """Of the judged episodes: other ones for each training, the same for all methods."""
        return EVALUATION_SEED + 1000 * self.seed


@dataclass(frozen=True)
class Score:
    """An ``Evaluation`` as it is kept."""

    episodes: int
    """How many were judged."""
    successes: int
    """How many succeeded."""
    failures: dict[str, int]
    """How many failed, by kind."""
    seed: int
    """Of the episodes."""
    stages: dict[str, int] = field(default_factory=dict)
    """How many came through each stage of the reference, in order."""

    @classmethod
    def of(cls, found: Evaluation) -> Score:
        """What is kept of an evaluation."""
        return cls(found.episodes, found.successes, found.failures, found.seed, found.stages)

    @property
    def success(self) -> float:
        """Share of the episodes that succeeded."""
        return self.successes / self.episodes

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of ``success``."""
        return wilson(self.successes, self.episodes)


@dataclass(frozen=True)
class Result:
    """What a job showed, and how it was made."""

    job: Job
    """What was asked."""
    scores: dict[str, Score]
    """By noise level, ``standard`` and ``paper``; by transfer check; of a cloned policy ``where_shown``."""
    command: str
    """That makes it anew."""
    machine: str
    """On which it was made."""
    sources: str
    """Hash of the sources and assets it was made with (``benchmark.sources``)."""
    cpu_seconds: float = 0.0
    """[s] of CPU time of the training; 0 without one."""
    steps: int = 0
    """Policy steps of the training."""
    curve: list[list[float]] = field(default_factory=list)
    """Steps, share of successes while exploring (-1 where no episode ended), mean reward, CPU time [s]."""

    @property
    def checks(self) -> dict[str, Score]:
        """By transfer check."""
        return {name: score for name, score in self.scores.items() if name not in (AT_STANDARD, AT_PAPER, WHERE_SHOWN)}

    @property
    def transfer_drop(self) -> float | None:
        """By how much the worst transfer check is below ``standard``; none without checks."""
        others = [score.success for score in self.checks.values()]
        return self.scores[AT_STANDARD].success - min(others) if others else None

    def to_json(self) -> str:
        """As it is kept in a file."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str | Path) -> Result:
        """What ``to_json`` gave.

        Raises:
            SchemaError: it is something else, or of another version.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            version = data.pop("version")
            if version != VERSION:
                raise SchemaError(f"{where} is a result of version {version}; this h2s2r-rl reads version {VERSION}.")
            job, scores = Job(**data.pop("job")), data.pop("scores")
            return cls(job, {name: Score(**score) for name, score in scores.items()}, **data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SchemaError(f"{where} is no result of an experiment: {error!r}.") from error
