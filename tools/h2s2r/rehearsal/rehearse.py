"""Many episodes of a rehearsal, some at a time.

In:  a task, a robot, an exported policy, settings.   Out: ``Rehearsed``: success with its interval, what the server did.
Not here: one episode (episode).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r.rehearsal.config import WORDS, RehearsalCfg
from h2s2r.rehearsal.episode import Episode, play
from h2s2r.rehearsal.judge import Judge
from h2s2r.rehearsal.process import PolicyProcess
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.interval import wilson
from h2s2r_rl.policy import SPEC, TASK
from h2s2r_schemas.artifacts import PolicySpec, TaskSpec
from h2s2r_schemas.codec import load

#: Told of each episode that is over.
Tell = Callable[[Episode], None]


@dataclass(frozen=True)
class Rehearsed:
    """What all of them came to."""

    cfg: RehearsalCfg
    """How it was done."""
    episodes: tuple[Episode, ...]
    """In the order of their seeds."""

    @property
    def successes(self) -> int:
        """How many succeeded."""
        return sum(each.success for each in self.episodes)

    @property
    def success(self) -> float:
        """Share that did."""
        return self.successes / len(self.episodes)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, of 95 %."""
        return wilson(self.successes, len(self.episodes))

    @property
    def failures(self) -> dict[str, int]:
        """How many failed, by kind; ``stopped`` for those that ended early or never began."""
        kinds = (each.failure or "stopped" for each in self.episodes if not each.success)
        return dict(sorted(Counter(kinds).items()))

    def record(self) -> dict[str, Any]:
        """For a file: as documented in the chain's README."""
        low, high = self.interval
        counted: Counter[str] = Counter()
        for each in self.episodes:
            counted.update(each.counters)
        thinking = np.array([step for each in self.episodes for step in each.thinking] or [0.0])
        return {
            "what": WORDS,
            "success": self.success,
            "interval": [low, high],
            "episodes": len(self.episodes),
            "seed": self.cfg.seed,
            "noise": self.cfg.noise,
            "object_pose_from": "tracked pictures of the twin"
            if self.cfg.tracked
            else "the twin, with the noise of training",
            "failures": self.failures,
            "stopped": sorted({each.stopped for each in self.episodes if each.stopped}),
            "server_faults": dict(sorted(Counter(code for each in self.episodes for code in each.faults).items())),
            "largest_external_torque": max(each.external_torque for each in self.episodes),
            "commands_accepted": counted["accepted"],
            "commands_refused": refused(counted),
            "targets_clamped": counted["arm.clamped_position"] + counted["hand.clamped_position"],
            "policy_step_p50_ms": 1e3 * float(np.median(thinking)),
            "policy_step_p99_ms": 1e3 * float(np.quantile(thinking, 0.99)),
            "each": [_row(each) for each in self.episodes],
        }


def refused(counters: Mapping[str, int]) -> dict[str, int]:
    """Of what a server counted: commands that were refused, by code."""
    return {name: count for name, count in sorted(counters.items()) if name.isidentifier() and name != "accepted"}


def _row(episode: Episode) -> dict[str, Any]:
    keys = ("seed", "success", "failure", "stopped", "position_error", "rotation_error", "external_torque", "seconds")
    values = {key: getattr(episode, key) for key in keys}
    return {key: None if value != value else value for key, value in values.items()}  # noqa: PLR0124 - NaN


def rehearse(policy: Path, robot: str, cfg: RehearsalCfg | None = None, tell: Tell = lambda episode: None) -> Rehearsed:
    """Have a policy drive emulated cells, each in lock-step.

    Args:
        policy: folder of the exported policy.
        robot: name or folder of its robot.
        cfg: how many cells, and how they differ from the model.
        tell: told of each episode that is over.

    Raises:
        H2S2RError: a policy that cannot be loaded, or whose process died.
        StartError: a cell's start cannot be reached.
    """
    cfg = cfg or RehearsalCfg()
    seeds = range(cfg.seed, cfg.seed + cfg.episodes)
    workers = min(cfg.workers, cfg.episodes)
    done: dict[int, Episode] = {}
    if workers == 1:
        with _Worker(policy, robot, cfg) as worker:
            for seed in seeds:
                done[seed] = worker.play(seed)
                tell(done[seed])
    else:
        arguments = (policy, robot, cfg)
        with ProcessPoolExecutor(workers, get_context("spawn"), _Worker.start, arguments) as pool:
            running = [pool.submit(_Worker.play_here, seed) for seed in seeds]
            for future in as_completed(running):
                episode = future.result()
                done[episode.seed] = episode
                tell(episode)
    return Rehearsed(cfg, tuple(done[seed] for seed in seeds))


class _Worker:
    """A process for the policy, and what its episodes have in common."""

    _here: _Worker

    def __init__(self, policy: Path, robot: str, cfg: RehearsalCfg) -> None:
        self._cfg, self._task = cfg, load(policy / TASK, TaskSpec)
        self._embodiment = load_embodiment(robot, self._task.side)
        self._judge = Judge(load(policy / SPEC, PolicySpec), self._task, self._embodiment)
        self._process = PolicyProcess(policy, robot)

    def play(self, seed: int) -> Episode:
        """One episode."""
        return play(self._task, self._embodiment, self._cfg, seed, self._process, self._judge)

    @classmethod
    def start(cls, policy: Path, robot: str, cfg: RehearsalCfg) -> None:
        """In a process that is to play some."""
        cls._here = cls(policy, robot, cfg)

    @classmethod
    def play_here(cls, seed: int) -> Episode:
        """One episode, in such a process."""
        return cls._here.play(seed)

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.close()
