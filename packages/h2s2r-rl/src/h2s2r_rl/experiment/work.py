"""Doing one job: train what has to be trained, judge it, and keep the result.

In:  ``Job``, a folder.   Out: ``Result``, and its file.
Not here: what a job is (job), several at once (campaign).
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_rl.baselines import REPLAYS, replay_env, replay_policy
from h2s2r_rl.benchmark.sources import sources_hash
from h2s2r_rl.config import PRESETS, TrainCfg
from h2s2r_rl.evaluate import Acts, evaluate
from h2s2r_rl.evaluate.transfer import CHECKS, check_transfer
from h2s2r_rl.experiment.job import AT_PAPER, AT_STANDARD, POLICY, WHERE_SHOWN, Job, Result, Score
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg, ablated
from h2s2r_sim.perturbation import PAPER
from h2s2r_sim.task import load_task

RESULTS, RUNS = "results", "runs"
#: Points that are kept of a learning curve.
_POINTS = 100

Say = Callable[[str], None]


def result_path(folder: Path, job: Job) -> Path:
    """Where the result of a job is kept."""
    return folder / RESULTS / f"{job.name}.json"


def load_result(path: Path) -> Result:
    """A kept result.

    Raises:
        OSError: it cannot be read.
        SchemaError: it is something else.
    """
    return Result.from_json(path.read_text(encoding="utf-8"), path)


def do(job: Job, folder: Path, say: Say = lambda text: None) -> Result:
    """Do a job, or go on with it where it was stopped; nothing is done twice.

    Args:
        job: what.
        folder: of the experiment.
        say: told what is being done.

    Raises:
        SchemaError, TrainingError, OSError: as training, evaluation and files do.
    """
    path = result_path(folder, job)
    if path.exists():
        found = load_result(path)
        if found.job == job and found.sources == sources_hash(job.task):
            return found
    task = load_task(job.task)
    embodiment = load_embodiment(job.robot, task.side)
    result = (
        _trained(job, task, embodiment, folder, say)
        if job.method == POLICY
        else _baseline(job, task, embodiment, folder, say)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all.
    temporary = path.with_suffix(".tmp")
    temporary.write_text(result.to_json(), encoding="utf-8")
    temporary.replace(path)
    return result


def train_cfg(job: Job) -> TrainCfg:
    """How the policy of a job is trained: as everywhere, on one thread."""
    cfg = PRESETS[job.preset]()
    env = replace(ablated(cfg.env, job.ablation) if job.ablation else cfg.env, num_threads=1)
    return replace(cfg, seed=job.seed, env=env, steps=job.steps or cfg.steps)


def run_folder(folder: Path, job: Job) -> Path:
    """Of the checkpoint of a job."""
    return folder / RUNS / job.name


def _trained(job: Job, task: TaskSpec, embodiment: Embodiment, folder: Path, say: Say) -> Result:
    from h2s2r_rl.train import CHECKPOINT, load_checkpoint, train  # noqa: PLC0415 - torch, which replays do without

    cfg, run = train_cfg(job), run_folder(folder, job)
    run.mkdir(parents=True, exist_ok=True)
    with (run / "curve.jsonl").open("a", encoding="utf-8") as log:

        def watch(progress: object) -> None:
            log.write(json.dumps(asdict(progress)) + "\n")  # type: ignore[call-overload]
            log.flush()
            say(f"iteration {progress.iteration} of {progress.iterations}, success {progress.success:.0%}")  # type: ignore[attr-defined]

        actor = train(task, embodiment, cfg, run, watch, resume=True)
    env = replace(cfg.env, perturbation=PRESETS[job.preset]().env.perturbation)
    scores = _judged(job, actor, task, embodiment, env, say)
    seconds = float(load_checkpoint(run / CHECKPOINT)["cpu_seconds"])
    return _result(job, scores, cpu_seconds=seconds, steps=cfg.steps, curve=read_curve(run / "curve.jsonl"))


def _baseline(job: Job, task: TaskSpec, embodiment: Embodiment, folder: Path, say: Say) -> Result:
    cfg = replace(PRESETS[job.preset]().env, num_threads=1)
    if job.method in REPLAYS:
        policy = replay_policy(job.method, task, embodiment, cfg)
        return _result(job, _judged(job, policy, task, embodiment, replay_env(job.method, cfg), say))
    from h2s2r_rl.baselines.cloning import clone  # noqa: PLC0415 - torch
    from h2s2r_rl.train import CHECKPOINT, Actor  # noqa: PLC0415

    say("cloning")
    source = run_folder(folder, replace(job, method=POLICY)) / CHECKPOINT
    if not source.exists():
        raise SchemaError(
            f"{job.name} clones a policy, and there is none: do {replace(job, method=POLICY).name} first."
        )
    cloned = clone(Actor.load(source), task, embodiment, cfg, seed=job.seed)
    scores = _judged(job, cloned.policy, task, embodiment, cfg, say) | {WHERE_SHOWN: Score.of(cloned.shown)}
    return _result(job, scores, cpu_seconds=cloned.cpu_seconds, steps=cloned.steps)


def _judged(job: Job, policy: Acts, task: TaskSpec, embodiment: Embodiment, cfg: EnvCfg, say: Say) -> dict[str, Score]:
    """At both levels of noise, and in other physics if asked for."""
    say("judging")
    nominal = evaluate(policy, task, embodiment, cfg, job.episodes, job.evaluation_seed)
    harder = replace(cfg, perturbation=PAPER)
    scores = {
        AT_STANDARD: Score.of(nominal),
        AT_PAPER: Score.of(evaluate(policy, task, embodiment, harder, job.episodes, job.evaluation_seed)),
    }
    if job.transfer:
        say("judging in other physics")
        found = check_transfer(
            policy, task, embodiment, cfg, job.episodes, job.evaluation_seed, tuple(CHECKS), nominal
        )  # fmt: skip
        scores |= {name: Score.of(each) for name, each in found.checks.items()}
    return scores


def _result(job: Job, scores: dict[str, Score], **training: object) -> Result:
    changed = {name: value for name, value in asdict(job).items() if value != getattr(Job(job.task), name)}
    flags = [f"--{name} {value}".removesuffix(" True") for name, value in changed.items()]
    command = " ".join(["h2s2r-rl experiment one", job.task, *flags])
    machine = (
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, MuJoCo {version('mujoco')}"
    )
    return Result(job, scores, command, machine, sources_hash(job.task), **training)  # type: ignore[arg-type]


def read_curve(path: Path) -> list[list[float]]:
    """A learning curve of at most ``_POINTS`` points; of iterations done twice, the later one counts."""
    rows = {row["iteration"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
    ordered = [rows[iteration] for iteration in sorted(rows)]
    kept = np.unique(np.linspace(0, len(ordered) - 1, min(_POINTS, len(ordered))).round().astype(int))
    return [
        [
            float(row["steps"]),
            -1.0 if math.isnan(row["success"]) else round(row["success"], 4),
            round(row["reward"], 4),
            round(row["cpu_seconds"], 1),
        ]
        for row in (ordered[index] for index in kept)
    ]
