"""``h2s2r-rl experiment table|ablations|one`` and ``h2s2r-rl probe``: many judgements.

In:  the command line.   Out: results, tables, curves and pictures in a folder; 1 where a job failed.
Not here: the work itself (experiment, evaluate).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_rl.cli.app import app
from h2s2r_rl.cli.verbs import Noise, PolicyPath, loaded
from h2s2r_rl.evaluate import Acts, env_cfg_of
from h2s2r_rl.evaluate.conditions import Condition, over_noise, over_placements, over_pushes
from h2s2r_rl.evaluate.contacts import usual, watch_contacts
from h2s2r_rl.evaluate.transfer import check_transfer
from h2s2r_rl.experiment import Job, Result, ablation_jobs, run_jobs, table_jobs
from h2s2r_rl.experiment.report import ablation_table, table
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.perturbation import LEVELS

#: What the published ablations are about.
_ABLATIONS = ("fixed_target", "downsampled_target", "default_start", "overhead_start", "hand_reward")
_PROBES = ("noise", "pushes", "placements", "transfer", "contacts")


@app.command(name="experiment")
def experiment(
    what: Annotated[Literal["table", "ablations", "one"], Positional],
    tasks: Annotated[tuple[str, ...], Positional] = (),
    /,
    seeds: tuple[int, ...] = (0, 1, 2),
    seed: int = 0,
    method: str = "policy",
    ablation: str = "",
    ablations: tuple[str, ...] = _ABLATIONS,
    robot: str = "iiwa14_allegro",
    preset: str = "fast",
    steps: int = 0,
    episodes: int = 256,
    transfer: bool = False,
    jobs: int = 1,
    out: Path = Path("runs/experiment"),
) -> int:
    """Train and judge many policies (extra train); done again, it goes on where it was stopped.

    Args:
        what: table: all methods; ablations: the policy with one thing changed; one: a single job.
        tasks: bundled tasks; for a table all of them if none is named.
        seeds: of table and ablations.
        seed: of one job.
        method: of one job.
        ablation: of one job.
        ablations: which ones.
        robot: name.
        preset: of all trainings.
        steps: policy steps of all trainings; 0 for the preset's.
        episodes: how many are judged.
        transfer: for one job: whether to judge in other physics too; a table does.
        jobs: processes of one thread each.
        out: folder for results, checkpoints, tables and curves.
    """
    if what != "table" and not tasks:
        raise SchemaError(f"{what} needs a task: h2s2r-rl experiment {what} TASK.")
    common = {"robot": robot, "preset": preset, "steps": steps, "episodes": episodes}
    if what == "table":
        wanted = table_jobs(tasks, seeds, **common)
    elif what == "ablations":
        wanted = ablation_jobs(tasks, ablations, seeds, **common)
    else:
        wanted = [Job(task, method, seed, ablation=ablation, transfer=transfer, **common) for task in tasks]  # type: ignore[arg-type]
    return _do(what, wanted, jobs, out)


def _do(what: str, wanted: Sequence[Job], jobs: int, out: Path) -> int:
    found = run_jobs(wanted, out, min(jobs, os.cpu_count() or 1), _tell)
    if found:
        text = ablation_table(found) if what == "ablations" else table(found)
        (out / f"{what}.md").write_text(text, encoding="utf-8")
        _draw(found, out / f"{what}.svg")
        print(text)
    print(f"{len(found)} of {len(wanted)} jobs are done; results in {out}", file=sys.stderr)
    return 0 if len(found) == len(wanted) else 1


def _tell(job: Job, outcome: Result | Exception) -> None:
    said = f"{100 * outcome.scores['standard'].success:.1f} %" if isinstance(outcome, Result) else f"failed: {outcome}"
    print(f"{job.name}: {said}", file=sys.stderr, flush=True)


def _draw(results: Sequence[Result], path: Path) -> None:
    if any(result.curve for result in results):
        from h2s2r_rl.experiment.curves import draw_curves  # noqa: PLC0415 - extra train

        draw_curves(results, path)


@app.command(name="probe")
def probe(
    policy: PolicyPath,
    /,
    seed: int,
    what: tuple[str, ...] = _PROBES,
    robot: str = "iiwa14_allegro",
    episodes: int = 256,
    noise: Noise = "standard",
    threads: int = 2,
    out: Path = Path("runs/probe"),
) -> int:
    """Find where a policy stops and how it does it: noise, pushes, placements, other physics, contacts.

    Args:
        policy: which one.
        seed: of the episodes; one that was used neither in training nor to choose anything.
        what: of noise, pushes, placements, transfer, contacts.
        robot: name or folder.
        episodes: how many for each point.
        noise: the level that is multiplied.
        threads: CPU threads of the physics.
        out: folder for pictures (extra train).
    """
    unknown = sorted(set(what) - set(_PROBES))
    if unknown:
        raise SchemaError(f"There is no probe {', '.join(unknown)}; there are: {', '.join(_PROBES)}.")
    judged, task = loaded(policy)
    body = load_embodiment(robot, task.side)
    cfg = replace(env_cfg_of(judged.spec), perturbation=LEVELS[noise], num_threads=threads)
    subject = _Subject(judged, task, body, cfg, episodes, seed, out)
    for name in _PROBES:
        if name in what:
            _SHOWN[name](subject)
    return 0


@dataclass(frozen=True)
class _Subject:
    """Who is probed, and how."""

    policy: Acts
    task: TaskSpec
    body: Embodiment
    cfg: EnvCfg
    episodes: int
    seed: int
    out: Path


def _noise(who: _Subject) -> None:
    _show_curve("noise", over_noise(who.policy, who.task, who.body, who.cfg, who.episodes, who.seed), who.out)


def _pushes(who: _Subject) -> None:
    _show_curve("pushes", over_pushes(who.policy, who.task, who.body, who.cfg, who.episodes, who.seed), who.out)


def _show_curve(name: str, points: Sequence[Condition], out: Path) -> None:
    from h2s2r_rl.evaluate.pictures import draw_conditions  # noqa: PLC0415 - extra train

    for point in points:
        print(f"{name} x {point.factor:g}: {100 * point.found.success:.1f} %")
    draw_conditions({name: points}, out / f"{name}.svg")


def _placements(who: _Subject) -> None:
    from h2s2r_rl.evaluate.pictures import draw_placements  # noqa: PLC0415 - extra train

    cells = over_placements(who.policy, who.task, who.body, who.cfg, who.episodes, who.seed)
    for cell in cells:
        print(f"placed {1e3 * cell.x:+.0f}, {1e3 * cell.y:+.0f} mm off: {cell.successes} of {cell.episodes}")
    draw_placements(cells, who.out / "placements.svg")


def _transfer(who: _Subject) -> None:
    found = check_transfer(who.policy, who.task, who.body, who.cfg, who.episodes, who.seed)
    for name, each in (("nominal", found.nominal), *found.checks.items()):
        print(f"{name}: {100 * each.success:.1f} %")


def _contacts(who: _Subject) -> None:
    from h2s2r_rl.evaluate.pictures import draw_contacts  # noqa: PLC0415 - extra train

    picture = watch_contacts(who.policy, who.task, who.body, who.cfg, min(who.episodes, 32), who.seed)
    print(
        f"contacts of {picture.episodes} successes: {1e3 * picture.contact_distance:.0f} mm from the human's fingertips on "
        f"average; at first {_links(picture.first_links)}; at last {_links(picture.last_links)}"
    )
    draw_contacts(picture, who.task, who.out / "contacts.svg")


def _links(shares: dict[str, float]) -> str:
    return ", ".join(sorted(usual(shares))) or "none"


_SHOWN = {"noise": _noise, "pushes": _pushes, "placements": _placements, "transfer": _transfer, "contacts": _contacts}
