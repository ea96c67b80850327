"""``h2s2r-rl train|evaluate|export``: one policy.

In:  the command line.   Out: text, checkpoints, exported policies; 2 for what cannot be done.
Not here: the work itself (train, evaluate, export), running a policy (running).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from tyro.conf import Positional

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.cli.app import app
from h2s2r_rl.config import PRESETS
from h2s2r_rl.evaluate import env_cfg_of, evaluate
from h2s2r_rl.policy import TASK, NetworkPolicy, OnnxPolicy
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.perturbation import LEVELS
from h2s2r_sim.task import load_task

#: Names of ``perturbation.LEVELS``.
Noise = Literal["none", "standard", "paper"]
_TASK = Annotated[
    str, Positional, tyro.conf.arg(metavar="TASK", help="a bundled task, a folder with task.toml, or a saved TaskSpec")
]
PolicyPath = Annotated[
    Path, Positional, tyro.conf.arg(metavar="POLICY", help="a checkpoint (.pt), or the folder of an exported policy")
]
_CHECKPOINT = Annotated[Path, Positional, tyro.conf.arg(metavar="CHECKPOINT", help="policy.pt of a training")]


@app.command(name="train")
def train(
    task: _TASK,
    /,
    robot: str = "iiwa14_allegro",
    preset: Literal["fast", "full"] = "fast",
    steps: int | None = None,
    num_envs: int | None = None,
    seed: int = 0,
    noise: Noise = "standard",
    engine: str = "mujoco",
    threads: int = 2,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    tensorboard: bool = False,
) -> int:
    """Train a policy (extra train).

    Args:
        task: what is to be learned.
        robot: name or folder.
        preset: fast: minutes; full: more of them, for what has to be grasped.
        steps: policy steps over all environments; the preset's if not given.
        num_envs: environments stepped together; the preset's if not given.
        seed: of everything that is drawn.
        noise: how far the simulated cell is from what is expected.
        engine: physics engine.
        threads: CPU threads of the physics.
        out: folder of the checkpoint; runs/TASK_ROBOT_SEED if not given.
        resume: go on from the checkpoint in there.
        overwrite: begin anew although there is one.
        tensorboard: write curves beside it.
    """
    from h2s2r_rl import train as training  # noqa: PLC0415 - torch, which only this and export need

    spec = load_task(task)
    embodiment = load_embodiment(robot, spec.side)
    folder = out or Path("runs") / f"{spec.name}_{embodiment.name}_{seed}"
    if (folder / training.CHECKPOINT).exists() and not (resume or overwrite):
        raise SchemaError(
            f"{folder} holds a checkpoint already: give --resume, --overwrite, or another folder by --out."
        )
    cfg = PRESETS[preset]()
    env = replace(cfg.env, perturbation=LEVELS[noise], engine=engine, num_threads=threads)
    changes = {name: value for name, value in (("steps", steps), ("num_envs", num_envs)) if value is not None}
    cfg = replace(cfg, seed=seed, env=env, **changes)
    with _watched(folder / "curves" if tensorboard else None) as watch:
        training.train(spec, embodiment, cfg, folder, watch, resume)
    print(f"written: {folder / training.CHECKPOINT}")
    return 0


@app.command(name="evaluate")
def run_evaluate(
    policy: PolicyPath,
    /,
    seed: int,
    task: str | None = None,
    robot: str = "iiwa14_allegro",
    episodes: int = 256,
    noise: Noise = "standard",
    engine: str = "mujoco",
    threads: int = 2,
) -> int:
    """Judge a policy on fresh episodes.

    Args:
        policy: which one.
        seed: of the episodes; one that was used neither in training nor to choose anything.
        task: another than the one it was trained for.
        robot: name or folder.
        episodes: how many.
        noise: how far the simulated cell is from what is expected.
        engine: physics engine.
        threads: CPU threads of the physics.
    """
    judged, trained_for = loaded(policy)
    spec = load_task(task) if task else trained_for
    embodiment = load_embodiment(robot, spec.side)
    found = embodiment.spec().hash()
    if found != judged.spec.robot_hash:
        raise SchemaError(
            f"The policy was trained on robot {judged.spec.robot_name!r} with hash {judged.spec.robot_hash}; {embodiment.name!r} "
            f"has {found}. Name its robot by --robot."
        )
    cfg = replace(env_cfg_of(judged.spec), perturbation=LEVELS[noise], engine=engine, num_threads=threads)
    with _bar("judging") as advance:
        result = evaluate(judged, spec, embodiment, cfg, episodes, seed, lambda done: advance(done, episodes, ""))
    low, high = result.interval
    failed = ", ".join(f"{count} {kind}" for kind, count in result.failures.items()) or "none"
    print(
        f"{result.successes} of {result.episodes} episodes = {100 * result.success:.1f} % (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}); noise: {noise}; seed: {seed}; failed: {failed}."
    )
    return 0


@app.command(name="export")
def run_export(checkpoint: _CHECKPOINT, /, out: Path | None = None, name: str | None = None) -> int:
    """Write a policy for a robot PC, and compare it with the trained one (extra train).

    Args:
        checkpoint: of a training.
        out: folder for it; beside the checkpoint, named exported, if not given.
        name: of the policy.
    """
    from h2s2r_rl.export import export  # noqa: PLC0415 - torch, which only this and train need

    folder = out or checkpoint.parent / "exported"
    spec = export(checkpoint, folder, name)
    print(f"written: {folder} ({spec.name}, acts as the trained policy does)")
    return 0


def loaded(path: Path) -> tuple[NetworkPolicy, TaskSpec]:
    """A policy and the task it was trained for."""
    if path.is_dir():
        return OnnxPolicy.load(path), load(path / TASK, TaskSpec)
    from h2s2r_rl.train import Actor, load_checkpoint  # noqa: PLC0415 - an exported policy needs no torch
    from h2s2r_rl.train.purpose import task_of  # noqa: PLC0415

    return Actor.load(path), task_of(load_checkpoint(path))


@contextmanager
def _watched(curves: Path | None) -> Iterator[Callable[[Any], None]]:
    """What shows how far a training is: a bar, and curves in a folder if asked for."""
    with ExitStack() as stack:
        advance, draw = stack.enter_context(_bar("learning")), None
        if curves is not None:
            from h2s2r_rl.train.tensorboard import TensorBoard  # noqa: PLC0415 - slow to load

            draw = stack.enter_context(TensorBoard(curves))

        def watch(progress: Any) -> None:
            if draw is not None:
                draw(progress)
            success = "–" if math.isnan(progress.success) else f"{progress.success:.0%}"
            note = f"success {success}, reward {progress.reward:.2f}, {progress.steps_per_s:,.0f} steps/s"
            advance(progress.iteration, progress.iterations, note)

        yield watch


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on standard error, where somebody can see it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(name, note="")
        yield lambda done, total, note: progress.update(bar, completed=done, total=total, note=note)
