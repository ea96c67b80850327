"""``h2s2r VERB``: every verb of the whole.

In:  the command line.   Out: text, or JSON where asked for; 1 where a gate fails, 2 for a wrong request.
Not here: what the verbs do.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.extras import SubcommandApp

from h2s2r import bench, isolate, requirements
from h2s2r_schemas.errors import H2S2RError

if TYPE_CHECKING:
    from h2s2r.chain.config import RunCfg

app = SubcommandApp()


@app.command(name="demo")
def run_demo(
    task: str | None = None,
    robot: str = "iiwa14_allegro",
    seed: int = 0,
    steps: int | None = None,
    out: Path = Path("runs/demo"),
) -> int:
    """Train a policy for what the bundled recording shows, from its pictures; judge it on fresh episodes, and film it.

    Args:
        task: instead of the recording, a bundled task, or where one is.
        robot: a bundled robot, or its folder.
        seed: of the training.
        steps: policy steps of the training; 400,000 where not given.
        out: folder of all stages. What is done there already, from the same, is kept.
    """
    # Only here, as it loads torch and the simulator, which the other verbs do without.
    from h2s2r.chain import bundled  # noqa: PLC0415

    print(
        "Seeing, training, judging and filming takes six to ten minutes on two CPU cores; what is done is kept if it "
        "is stopped.",
        file=sys.stderr,
    )
    return _run(bundled.demo_cfg(task, robot, seed, steps), out)


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
    seed: int = 0,
    steps: int | None = None,
    start: Annotated[str | None, tyro.conf.arg(name="from")] = None,
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
        seed: of the training.
        steps: policy steps of the training; 400,000 where not given.
        start: do this stage anew, and all after it.
    """
    from h2s2r.chain.config import RunCfg, parse_frames  # noqa: PLC0415 - as above

    cfg = RunCfg(
        recording=recording,
        object=object,
        mass=mass,
        scene=scene,
        frames=None if frames is None else parse_frames(frames),
        fps=fps,
        robot=robot,
        seed=seed,
        steps=RunCfg.steps if steps is None else steps,
    )
    return _run(cfg, out, start)


def _run(cfg: RunCfg, out: Path, start: str | None = None) -> int:
    from h2s2r.chain.run import run_chain  # noqa: PLC0415 - as above
    from h2s2r.progress import Terminal  # noqa: PLC0415

    with Terminal() as terminal:
        result = run_chain(cfg, out, terminal.tell, terminal.advance, start)
    print(result.summary)
    return 0


@app.command(name="report")
def write_report(folder: Annotated[Path, tyro.conf.Positional], /) -> int:
    """Write the report of a run anew, also of one that is not complete: it says then what is missing.

    Args:
        folder: what was --out of the run.
    """
    from h2s2r import report  # noqa: PLC0415 - as above

    print(report.write_report(folder))
    return 0


@app.command(name="bench")
def run_bench(
    name: Annotated[str, tyro.conf.Positional] = "",
    /,
    json: bool = False,
    slow: bool = False,
    seeds: tuple[int, ...] = (),
) -> int:
    """Measure one part, or list what can be measured.

    Args:
        name: which benchmark; without it, all are listed.
        json: one flat JSON object instead of a table.
        slow: the long version, where it has one.
        seeds: of what is measured, where the benchmark lets them be chosen.
    """
    if not name:
        for each in bench.benchmarks():
            print(each)
        return 0
    figures = bench.run(name, slow, seeds)
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
    except H2S2RError as error:
        print(f"h2s2r: {error}", file=sys.stderr)
        sys.exit(2)
