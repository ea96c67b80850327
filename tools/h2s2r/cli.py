"""``h2s2r VERB``: every verb of the whole.

In:  the command line.   Out: text, or JSON where asked for; 1 where a gate fails, 2 for a wrong request.
Not here: what the verbs do.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import rich
import tyro
from tyro.extras import SubcommandApp

from h2s2r import bench, isolate, requirements
from h2s2r_schemas.errors import H2S2RError

if TYPE_CHECKING:
    from h2s2r.chain.asking import Ask, Question
    from h2s2r.chain.config import RunCfg

app = SubcommandApp()


@app.command(name="demo")
def run_demo(
    task: str | None = None,
    robot: str = "iiwa14_allegro",
    preset: Literal["fast", "full"] = "fast",
    engine: str = "mujoco",
    seed: int = 0,
    steps: int | None = None,
    rehearsal_seed: int | None = None,
    tracked: bool = False,
    out: Path = Path("runs/demo"),
) -> int:
    """Train a policy for what the bundled recording shows, from its pictures; judge it on fresh episodes, rehearse and film it.

    Args:
        task: instead of the recording, a bundled task, or where one is.
        robot: a bundled robot, or its folder.
        preset: of the training; fast: minutes; full: more steps, for what has to be grasped.
        engine: physics engine; on a GPU warp.
        seed: of the training.
        steps: policy steps of the training; where not given, the preset's, or 400,000 for the bundled recording with fast.
        rehearsal_seed: of the emulated cells that the policy is rehearsed in; drawn anew where not given.
        tracked: rehearse with object poses tracked in pictures of the emulated cell, not taken from it with noise.
        out: folder of all stages. What is done there already, from the same, is kept.
    """
    asked = {name: value for name, value in locals().items() if name != "out"}
    # Only here, as it loads torch and the simulator, which the other verbs do without.
    from h2s2r.chain import bundled  # noqa: PLC0415

    print(
        "Seeing, training, judging, rehearsing and filming takes six to ten minutes on two CPU cores; what is done is kept if it "
        "is stopped.",
        file=sys.stderr,
    )
    return _run(bundled.demo_cfg(**asked), out)


@app.command(name="run")
def run_recording(
    recording: Annotated[Path, tyro.conf.Positional],
    /,
    object: Path,
    out: Path,
    mass: float | None = None,
    scene: Path | None = None,
    frames: str | None = None,
    fps: float | None = None,
    robot: str = "iiwa14_allegro",
    mirror: bool = False,
    preset: Literal["fast", "full"] = "fast",
    engine: str = "mujoco",
    seed: int = 0,
    steps: int | None = None,
    rehearsal_seed: int | None = None,
    tracked: bool = False,
    start: Annotated[str | None, tyro.conf.arg(name="from")] = None,
    interactive: bool = False,
) -> int:
    """From a recording of your own to a judged policy, stage by stage; what is done already, from the same, is kept.

    Args:
        recording: folder of a recording, or a video with its depth beside it.
        object: the object that is moved: an ObjectModel, a TOML that describes one, or a mesh in metres.
        out: folder of all stages.
        mass: of a mesh, in kilograms.
        scene: a scene.toml; without it, what stands around is seen in the recording.
        frames: first and last frame to use, FIRST:LAST.
        fps: frame rate of a recording that stores no times.
        robot: a bundled robot, or its folder; its hand becomes the human's, left or right.
        mirror: mirror the demonstration first: what a left hand did is learnt by a right one.
        preset: of the training; fast: minutes; full: more steps, for what has to be grasped.
        engine: physics engine; on a GPU warp.
        seed: of the training.
        steps: policy steps of the training; the preset's where not given.
        rehearsal_seed: of the emulated cells that the policy is rehearsed in; drawn anew where not given.
        tracked: rehearse with object poses tracked in pictures of the emulated cell, not taken from it with noise.
        start: do this stage anew, and all after it.
        interactive: pause with a picture where you may want to correct, and read the correction.
    """
    asked = {name: value for name, value in locals().items() if name not in ("out", "start", "interactive")}
    from h2s2r.chain.config import RunCfg, parse_frames  # noqa: PLC0415 - as above

    asked["frames"] = None if frames is None else parse_frames(frames)
    return _run(RunCfg(**asked), out, start, _ask if interactive else None)


def _run(cfg: RunCfg, out: Path, start: str | None = None, ask: Ask | None = None) -> int:
    from h2s2r.chain.run import run_chain  # noqa: PLC0415 - as above
    from h2s2r.progress import Terminal  # noqa: PLC0415

    with Terminal() as terminal:
        result = run_chain(cfg, out, terminal.tell, terminal.advance, start, ask and terminal.paused(ask))
    print(result.summary)
    return 0


def _ask(question: Question) -> str:
    """On the terminal; what nobody answers, as at the end of piped answers, is accepted."""
    from h2s2r.chain.corrections import WORDS  # noqa: PLC0415 - as above

    print(f"\n{question.refused or question.text}")
    if not question.refused:
        if question.picture is not None:
            print(f"Look at: {question.picture}")
            if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
                webbrowser.open(question.picture.resolve().as_uri())
        for word in question.answers:
            print(f"  {word:<14} {WORDS[word]}")
        print("  accept         go on\n  stop           go on another time")
    try:
        return input("> ")
    except EOFError:
        return "accept"


@app.command(name="report")
def write_report(folder: Annotated[Path, tyro.conf.Positional], /, picture: Path | None = None) -> int:
    """Write the report of a run anew, also of one that is not complete: it says then what is missing.

    Args:
        folder: what was --out of the run.
        picture: write human and robot side by side as a moving picture too, ending in .webp.
    """
    from h2s2r import report  # noqa: PLC0415 - as above

    print(report.write_report(folder, picture))
    return 0


@app.command(name="view")
def view_run(
    folder: Annotated[Path, tyro.conf.Positional], /, port: int = 8080, host: str = "localhost", seconds: float = 0.0
) -> int:
    """Show a run in the browser: recording, reference, policy and rehearsal on one slider of time.

    Args:
        folder: what was --out of the run.
        port: port to serve on; another one if it is taken.
        host: address to serve on; with 0.0.0.0 other machines see it too.
        seconds: end by itself after so long; 0 for until Ctrl-C.
    """
    from h2s2r.view import RunPage  # noqa: PLC0415 - as above
    from h2s2r.view.shown import shown_run  # noqa: PLC0415

    page = RunPage(shown_run(folder), host, port)
    print(f"http://{host}:{page.port}   shows {', '.join(page.parts)}   (stop with Ctrl-C)", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait(seconds or None)
    page.stop()
    return 0


@app.command(name="doctor")
def run_doctor(json: bool = False) -> int:
    """List what is installed, what each optional part needs and under which licence, and what this machine has.

    Args:
        json: a JSON list instead of a table.
    """
    from h2s2r import doctor  # noqa: PLC0415 - as above

    lines = list(doctor.look())
    if json:
        print(_json([dataclasses.asdict(line) for line in lines]))
        return 0
    rich.print(doctor.table(lines))
    return 0


@app.command(name="bench")
def run_bench(
    name: Annotated[str, tyro.conf.Positional] = "",
    /,
    json: bool = False,
    slow: bool = False,
    seeds: tuple[int, ...] = (),
    rerun: str = "",
    seed: int | None = None,
) -> int:
    """Measure one part, or list what can be measured.

    Args:
        name: which benchmark; without it, all are listed.
        json: one flat JSON object instead of a table.
        slow: the long version, where it has one.
        seeds: of what is measured, where the benchmark lets them be chosen.
        rerun: what to make anew where results are committed; of bench rl, a task to train and judge.
        seed: of that.
    """
    if not name:
        for each in bench.benchmarks():
            print(each)
        return 0
    figures = bench.run(name, slow, seeds, rerun, seed)
    print(_json(figures) if json else bench.table(figures))
    return 0


@app.command(name="requirements")
def list_requirements(json: bool = False) -> int:
    """List what shows each behaviour asked for.

    Args:
        json: a JSON list instead of text.
    """
    rows = requirements.rows(_checkout())
    print(_json([dataclasses.asdict(row) for row in rows]) if json else requirements.report(rows))
    return 0


@app.command(name="isolate")
def run_isolate(packages: Annotated[tuple[str, ...], tyro.conf.Positional] = (), /, json: bool = False) -> int:
    """Test each package by itself, from its wheel.

    Args:
        packages: which ones; all if none is named.
        json: one JSON object instead of text.
    """
    results = isolate.isolate(_checkout(), packages, log=lambda line: print(line, file=sys.stderr, flush=True))
    print(_json([dataclasses.asdict(result) for result in results]) if json else isolate.report(results))
    return 0 if all(result.ok for result in results) else 1


def _checkout() -> Path:
    """The checkout that holds the current folder."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "packages" / "h2s2r-schemas" / "pyproject.toml").is_file():
            return folder
    raise H2S2RError(f"{Path.cwd()} is not in a checkout of h2s2r: this verb reads its sources, so run it in one.")


def _json(value: object) -> str:
    return json.dumps(value, indent=1)


def main() -> None:
    """Entry point."""
    arguments = sys.argv[1:] or ["--help"]
    try:
        sys.exit(app.cli(prog="h2s2r", description="Robot dexterity from one human video.", args=arguments))
    except (H2S2RError, OSError) as error:
        print(f"h2s2r: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("h2s2r: stopped. What is done is kept: the same command goes on with it.", file=sys.stderr)
        sys.exit(130)
