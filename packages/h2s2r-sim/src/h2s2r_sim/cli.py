"""``h2s2r-sim tasks|check|apart|view|video|record-demo``.

In:  the command line.   Out: text, a film or a browser page; 1 for a task with findings, 2 for what cannot be done.
Not here: the work itself (task, env, view, demonstrate), learning (h2s2r-rl).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Annotated, Literal

import numpy as np
import tyro
from rich.console import Console
from rich.progress import Progress
from tyro.conf import Positional
from tyro.extras import SubcommandApp

from h2s2r_retarget.embodiment import Embodiment, embodiment_names, load_embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim import view as eyes
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.demonstrate import NO_FAULTS, SMALL, RecordCfg, record_demo
from h2s2r_sim.env.check import check_task
from h2s2r_sim.env.make import make_env
from h2s2r_sim.perturbation import LEVELS
from h2s2r_sim.scene.apart import links_apart
from h2s2r_sim.scene.model import build_model
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.task import load_task, task_names

app = SubcommandApp()
#: What the robot does while it is looked at.
Moves = Literal["goal", "still", "random"]
#: Names of ``perturbation.LEVELS``.
Noise = Literal["none", "standard", "paper"]
_TASK = Annotated[
    str, Positional, tyro.conf.arg(metavar="TASK", help="a bundled task, a folder with task.toml, or a saved TaskSpec")
]


@app.command(name="tasks")
def list_tasks() -> int:
    """List the bundled tasks, and the robots that can be put to them."""
    for name in task_names():
        task = load_task(name)
        around = ", ".join(body.name for body in task.scene.bodies)
        print(
            f"{name:<24}{task.object.name}, {task.object.mass:.2f} kg, {task.reference.duration:.1f} s, with {around}"
        )
    print(f"Robots: {', '.join(embodiment_names())}, or a folder with robot.urdf and robot.toml.")
    return 0


@app.command(name="check")
def check(task: _TASK, /, robot: str = "iiwa14_allegro", engine: str = "mujoco", seed: int = 0) -> int:
    """Say whether a robot can be trained for a task, before hours are spent on it.

    Args:
        task: which one.
        robot: name or folder.
        engine: physics engine.
        seed: of the starts that are tried.
    """
    spec, embodiment = _loaded(task, robot)
    report = check_task(spec, embodiment, EnvCfg(engine=engine), seed)
    size = " x ".join(f"{1000 * each:.0f}" for each in report.object_size)
    print(f"object     {spec.object.name}, {size} mm, {report.object_mass:.3f} kg")
    print(
        f"reference  {report.duration:.2f} s, {100 * report.distance:.1f} cm, {np.rad2deg(report.turn):.0f}°; "
        f"{1000 * report.reference_depth:.2f} mm into table or fixtures"
    )
    print(
        f"start      palm {1000 * report.palm_error:.2f} mm and fingertips at most {1000 * report.fingertip_error:.1f} mm from "
        f"the human's; {report.usable_starts:.0%} of the drawn starts are usable"
    )
    print(f"at rest    deepest contact {1000 * report.depth:.3f} mm, {report.unstable} worlds unstable")
    for finding in report.findings:
        print(f"! {finding}")
    print(f"{spec.name} with {embodiment.name}: {len(report.findings) or 'nothing'} found.")
    return 1 if report.findings else 0


@app.command(name="apart")
def apart(robot: Annotated[str, Positional], /, samples: int = 50_000, seed: int = 0) -> int:
    """List the links of a robot that never touch, as ``[collision.never]`` of robot.toml: with it steps are cheaper.

    Args:
        robot: name or folder.
        samples: how many random postures are looked at.
        seed: of the postures.
    """
    task, embodiment = _loaded(task_names()[0], robot)
    scene = build_model(task, replace(embodiment, collision_never=()), SceneOptions(visuals=False))
    others: dict[str, list[str]] = {}
    for first, second in links_apart(scene, samples, seed):
        others.setdefault(first, []).append(second)
    print("[collision.never]")
    for link, never in others.items():
        print(f"{link} = {json.dumps(never)}")
    return 0


@app.command(name="view")
def view(
    task: _TASK,
    /,
    robot: str = "iiwa14_allegro",
    moves: Moves = "goal",
    noise: Noise = "standard",
    episodes: int = 4,
    seed: int = 0,
    engine: str = "mujoco",
    port: int = 8080,
) -> int:
    """Show a task in the browser (extra view).

    Args:
        task: which one.
        robot: name or folder.
        moves: goal: what is asked for, the robot waiting at its start; still, random: episodes of such a robot.
        noise: how far the simulated cell is from what is expected.
        episodes: how many episodes.
        seed: of the episodes.
        engine: physics engine.
        port: of the page.
    """
    spec, embodiment = _loaded(task, robot)
    viewer = eyes.Viewer(spec, embodiment, _states(spec, embodiment, moves, noise, episodes, seed, engine), port=port)
    print(f"look at http://localhost:{viewer.port} (Ctrl-C ends it)", flush=True)
    with suppress(KeyboardInterrupt):
        Event().wait()
    viewer.stop()
    return 0


@app.command(name="video")
def video(
    task: _TASK,
    /,
    robot: str = "iiwa14_allegro",
    moves: Moves = "goal",
    noise: Noise = "standard",
    episodes: int = 4,
    seed: int = 0,
    engine: str = "mujoco",
    out: Path | None = None,
    draft: bool = False,
) -> int:
    """Film a task, without a display (extra view).

    Args:
        task: which one.
        robot: name or folder.
        moves: goal: what is asked for, the robot waiting at its start; still, random: episodes of such a robot.
        noise: how far the simulated cell is from what is expected.
        episodes: how many episodes, shown side by side.
        seed: of the episodes.
        engine: physics engine.
        out: file to write, ending in .mp4; TASK.mp4 here if not given.
        draft: no shadows, jagged edges, four times as fast.
    """
    spec, embodiment = _loaded(task, robot)
    states = _states(spec, embodiment, moves, noise, episodes, seed, engine)
    cfg = eyes.DRAFT if draft else eyes.FilmCfg()
    if len(states) == 1:
        cfg = replace(cfg, size=(960, 720))
    with _bar("drawing") as progress:
        path = eyes.save_film(spec, embodiment, states, out or Path(f"{spec.name}.mp4"), cfg, progress)
    print(f"written: {path}")
    return 0


@app.command(name="record-demo")
def film_person(task: str, seed: int, out: Path, small: bool = False, faults: Literal["d435", "none"] = "d435") -> int:
    """Record a person doing a task, as a depth camera sees it, with the truth beside it (extra demonstrate).

    Args:
        task: a bundled task, or a folder with task.toml and demonstration.toml.
        seed: of person, camera, light and room; the same seed gives the same bytes.
        out: folder to make; a recording that BOP tools read.
        small: a quarter of the pixels, 12 frames a second, nothing beyond 1.5 m.
        faults: of the depth camera.
    """
    cfg = SMALL if small else RecordCfg()
    if faults == "none":
        cfg = replace(cfg, faults=NO_FAULTS)
    with _bar("recording") as progress:
        demo = record_demo(task, seed, out, cfg, progress)
    print(f"written: {demo.folder}, {len(demo)} frames")
    return 0


def _loaded(task: str, robot: str) -> tuple[TaskSpec, Embodiment]:
    spec = load_task(task)
    return spec, load_embodiment(robot, spec.side)


def _states(
    task: TaskSpec, embodiment: Embodiment, moves: Moves, noise: Noise, episodes: int, seed: int, engine: str
) -> tuple[eyes.EpisodeStates, ...]:
    """What there is to see."""
    if moves == "goal":
        return (eyes.task_episode(task, embodiment),)
    cfg = for_evaluation(EnvCfg(engine=engine, perturbation=LEVELS[noise]))
    env = make_env(task, embodiment, max(1, episodes), cfg)
    rng = np.random.default_rng([seed, 2])
    size = 0.0 if moves == "still" else 1.0
    return eyes.record_episodes(
        env, lambda _: size * rng.uniform(-1.0, 1.0, (env.num_envs, env.num_actions)), episodes, seed
    )


@contextmanager
def _bar(name: str) -> Iterator[eyes.Progress]:
    """A progress bar on standard error, where somebody can see it."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(name)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    chosen = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        return int(app.cli(prog="h2s2r-sim", description="Robots at tasks, simulated.", args=chosen))
    except (H2S2RError, OSError) as error:
        print(f"h2s2r-sim: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
