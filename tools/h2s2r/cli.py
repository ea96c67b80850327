"""``h2s2r VERB``: every verb of the whole.

In:  the command line.   Out: text, or JSON where asked for; 1 where a gate fails, 2 for a wrong request.
Not here: what the verbs do.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import tyro
from tyro.extras import SubcommandApp

from h2s2r import bench, isolate, requirements
from h2s2r_schemas.errors import H2S2RError

app = SubcommandApp()


@app.command(name="demo")
def run_demo(
    task: str | None = None,
    robot: str = "iiwa14_allegro",
    seed: int = 0,
    steps: int | None = None,
    out: Path = Path("runs/demo"),
) -> int:
    """Train a policy for what a recording shows, judge it on fresh episodes, and film it.

    Args:
        task: a bundled task, or where one is; without it, the task that the bundled recording shows.
        robot: a bundled robot, or its folder.
        seed: of the training.
        steps: policy steps of the training; 400,000 where not given.
        out: folder for the policy, the film, what was seen, and the figures.
    """
    # Only here, as it loads torch and the simulator, which the other verbs do without.
    from h2s2r import demo  # noqa: PLC0415
    from h2s2r.progress import Terminal  # noqa: PLC0415

    cfg = demo.DemoCfg(task, robot, seed, demo.DemoCfg.steps if steps is None else steps)
    print("Seeing, training, judging and filming takes about eight minutes on two CPU cores.", file=sys.stderr)
    with Terminal() as terminal:
        result = demo.run_demo(cfg, out, terminal.listener)
    print(demo.summary(result))
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
