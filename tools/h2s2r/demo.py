"""The main job: see in a recording's pictures what is done, train a policy for it, judge it, film it.

In:  a recording and its object, or a task; a robot.   Out: a folder with the policy, a film and ``demo.json``; ``DemoResult``.
Not here: what is printed (cli), each stage itself (the packages).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from h2s2r_perception.see import see
from h2s2r_perception.view import Finding
from h2s2r_perception.view.overlay import save_overlay
from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_rl.config import fast
from h2s2r_rl.evaluate import Evaluation, judge
from h2s2r_rl.train import CHECKPOINT, Actor, Progress, train
from h2s2r_schemas.artifacts import ObjectModel, TaskSpec
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.demonstrate import BUNDLED
from h2s2r_sim.env.make import make_env
from h2s2r_sim.task import load_task, make_task, read_object
from h2s2r_sim.view import FilmCfg, NoGraphicsError, record_episodes, save_film

#: Seeds of the judged episodes begin here; those of a training are below.
_FRESH = 1_000_000
_FILMED = 4
#: What is moved in the bundled recording.
BUNDLED_OBJECT = BUNDLED.parents[1] / "objects" / "snackbox.toml"


@dataclass(frozen=True)
class DemoCfg:
    """What the demo does."""

    task: str | None = None
    """A bundled task, or where one is; without it, the task that the recording shows."""
    robot: str = "iiwa14_allegro"
    """A bundled robot, or its folder."""
    seed: int = 0
    """Of the training; the judged episodes have others."""
    steps: int = fast().steps
    """Policy steps of the training, over all environments."""
    episodes: int = 256
    """Fresh episodes the policy is judged on."""
    recording: Path = BUNDLED
    """Folder of a ``Demo``. Only its pictures are looked at, and where its camera stands: never a truth beside them."""
    object: Path = BUNDLED_OBJECT
    """The object that is moved in it: a file with an ``ObjectModel``, or a TOML that describes one."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < _FRESH:
            raise SchemaError(
                f"seed is {self.seed}; it lies in [0, {_FRESH}), as the judged episodes have those above."
            )


@dataclass(frozen=True)
class DemoResult:
    """What the demo found."""

    evaluation: Evaluation
    """Of the trained policy."""
    train_seconds: float
    """[s] the training took."""
    film: Path | None
    """The film; none where nothing here can draw."""
    no_film: str
    """Why there is none."""
    folder: Path
    """Where everything is."""


@dataclass(frozen=True)
class Listener:
    """Told how far the demo is."""

    stage: Callable[[str], None] = lambda text: None
    """A stage begins."""
    seeing: Callable[[str, int, int], None] = lambda what, done, total: None
    """A frame of the recording is looked at."""
    training: Callable[[Progress], None] = lambda progress: None
    """An iteration of training is done."""
    filming: Callable[[int, int], None] = lambda done, total: None
    """A picture of the film is done."""


def run_demo(cfg: DemoCfg, folder: Path, listener: Listener | None = None) -> DemoResult:
    """See, train, judge, film.

    Raises:
        SchemaError: no such task, robot, recording or object; or the recording does not show a demonstration.
        OSError: ``folder`` cannot be written to.
    """
    listener = listener or Listener()
    env_cfg = EnvCfg(
        num_threads=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    load_embodiment(cfg.robot)  # a robot that is not there is said before the work, not after it
    task = seen_task(cfg, folder, listener) if cfg.task is None else load_task(cfg.task)
    embodiment = load_embodiment(cfg.robot, task.side)

    listener.stage(f"Training {embodiment.name} for {task.name}: {cfg.steps / 1e6:.1f} million policy steps")
    began = time.perf_counter()
    actor = train(
        task, embodiment, replace(fast(), steps=cfg.steps, seed=cfg.seed, env=env_cfg), folder, listener.training
    )
    train_seconds = time.perf_counter() - began

    listener.stage(f"Judging it on {cfg.episodes} fresh episodes")
    seed = _FRESH + cfg.seed
    env = make_env(task, embodiment, min(cfg.episodes, 128), for_evaluation(env_cfg))
    evaluation = judge(actor, env, cfg.episodes, seed)

    listener.stage("Filming four of them")
    film, no_film = _film(actor, task, embodiment, replace(env_cfg, num_threads=1), seed, folder, listener)
    result = DemoResult(evaluation, train_seconds, film, no_film, folder)
    _write(cfg, result)
    return result


def seen_task(cfg: DemoCfg, folder: Path, listener: Listener) -> TaskSpec:
    """The task that a recording shows, by its pictures; what was seen is left in ``folder``."""
    model = read_object(cfg.object) if cfg.object.suffix == ".toml" else load(cfg.object, ObjectModel)
    demo = open_demo(cfg.recording)
    listener.stage(
        f"Looking at the {len(demo)} frames of {demo.meta.name}: where object and hand are, what stands around"
    )
    seen = see(demo, model, progress=listener.seeing)
    listener.stage(seen.premanip.reason)
    task = make_task(
        seen.path, seen.premanip.hand, seen.scene, model, name=cfg.recording.name, hand_trajectory=seen.hand
    )
    folder.mkdir(parents=True, exist_ok=True)
    save(task, folder / "task.h2s")
    save_overlay(Finding(demo, model, seen.path, seen.hand, seen.premanip), folder / "seen.mp4")
    return task


def summary(result: DemoResult) -> str:
    """A few lines for people."""
    judged = result.evaluation
    low, high = judged.interval
    failed = ", ".join(f"{count} {kind}" for kind, count in judged.failures.items()) or "none"
    lines = [
        f"Success: {judged.successes} of {judged.episodes} fresh episodes = {100 * judged.success:.1f} % "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f}); noise: standard; failed: {failed}.",
        f"Training took {result.train_seconds / 60:.1f} min. Policy: {result.folder / CHECKPOINT}",
        f"Film: {result.film}" if result.film else f"No film: {result.no_film}",
    ]
    return "\n".join(lines)


def _film(
    actor: Actor,
    task: TaskSpec,
    embodiment: Embodiment,
    env_cfg: EnvCfg,
    seed: int,
    folder: Path,
    listener: Listener,
) -> tuple[Path | None, str]:
    env = make_env(task, embodiment, _FILMED, for_evaluation(env_cfg))
    actor.reset()
    actor.reset()
    states = record_episodes(env, lambda obs: actor.act(obs["actor"]), _FILMED, seed)
    try:
        return save_film(task, embodiment, states, folder / f"{task.name}.mp4", FilmCfg(), listener.filming), ""
    except NoGraphicsError as error:
        return None, str(error)


def _write(cfg: DemoCfg, result: DemoResult) -> None:
    low, high = result.evaluation.interval
    content = {
        "task": cfg.task or f"of the recording {cfg.recording.name}, from its pictures",
        "robot": cfg.robot,
        "steps": cfg.steps,
        "train_seed": cfg.seed,
        "train_seconds": round(result.train_seconds, 1),
        "noise": "standard",
        "success": result.evaluation.success,
        "success_interval": [low, high],
        "episodes": result.evaluation.episodes,
        "episode_seed": result.evaluation.seed,
        "failures": result.evaluation.failures,
    }
    (result.folder / "demo.json").write_text(json.dumps(content, indent=1) + "\n")
