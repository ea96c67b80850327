"""What the policies of h2s2r-rl were measured to do: ``h2s2r bench rl``.

In:  the committed results (``results/``); or a task and a seed, to make one anew.   Out: one flat mapping of figures.
Not here: what the figures must be (the issue says), making many results (experiment).

The results are small files that say with which command, on which machine and from which sources they were made. Where the
sources have changed since, ``stale`` says so, and the figures stay those that were measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from h2s2r_rl.baselines import BASELINES
from h2s2r_rl.benchmark.sources import sources_hash
from h2s2r_rl.experiment.job import POLICY, WHERE_SHOWN, Job, Result
from h2s2r_rl.experiment.report import differences, failures, of, pooled, stages, transfer_drop
from h2s2r_rl.experiment.work import do, load_result

Figure = float | int | str | bool
RESULTS = Path(__file__).parent / "results"
PUSH_PIVOT = ("plate_push", "snackbox_pivot", "snackbox_push", "snackbox_push_pivot")
ALLEGRO = "iiwa14_allegro"
#: Success that each task is to reach; a transfer drop counts for those that do.
BARS = {
    **dict.fromkeys(PUSH_PIVOT, 0.95), "pitcher_pour": 0.85, "plate_lift_rack": 0.85, "plate_pivot_lift_rack": 0.70,
}  # fmt: skip

#: Which requirement each figure shows.
SHOWS: dict[str, list[str]] = {
    "success_mean": ["H39"],
    "pitcher_pour_success": ["H30", "H35"],
    "snackbox_push_success": ["H31"],
    "plate_push_success": ["H32"],
    "snackbox_pivot_success": ["H33"],
    "plate_pivot_lift_rack_success": ["H34"],
    "plate_pivot_lift_rack_stage_3_lift": ["H34"],
    "plate_lift_rack_success": ["H34b"],
    "minus_replay": ["H40"],
    "snackbox_push_behaviour_cloning_where_shown": ["H38"],
    "transfer_drop_max": ["H29"],
}


def run(slow: bool = False, rerun: str = "", seed: int = 0) -> dict[str, Figure]:
    """All committed figures; or those of one training that is done anew now.

    Args:
        slow: nothing changes: what takes long was done once.
        rerun: name of a task to train and judge anew, which takes minutes.
        seed: of that training.

    Raises:
        H2S2RError: a result cannot be read.
    """
    kept = [load_result(path) for path in sorted(RESULTS.glob("*.json"))]
    if not rerun:
        return figures(kept)
    with tempfile.TemporaryDirectory(prefix="h2s2r-rerun-") as folder:
        return figures([do(anew(rerun, seed, kept), Path(folder))])


def anew(task: str, seed: int, kept: Sequence[Result]) -> Job:
    """The training of a task that is kept, with another seed; with the preset for laptops if none is."""
    before = of(kept, task=task, method=POLICY, ablation="", robot=ALLEGRO)
    job = before[0].job if before else Job(task)
    return replace(job, seed=seed, transfer=True)


def figures(results: Sequence[Result], sources: Callable[[str], str] = sources_hash) -> dict[str, Figure]:
    """What results say, as flat figures; what nothing says is left out.

    Args:
        results: any.
        sources: gives the hash of the present ones, for a task.
    """
    found: dict[str, Figure] = {"results": len(results)}
    tasks = sorted({each.job.task for each in results})
    present = {task: sources(task) for task in tasks}
    found["stale"] = any(each.sources != present[each.job.task] for each in results)
    whole = of(results, method=POLICY, ablation="", robot=ALLEGRO)
    for task in tasks:
        found |= _of_task(task, results)
    means = {task: pooled(of(whole, task=task))[0] for task in sorted({each.job.task for each in whole})}
    if means:
        found["success_mean"], found["success_worst"] = float(np.mean(list(means.values()))), min(means.values())
    timed = [each.cpu_seconds / 60.0 for each in whole if each.job.task in PUSH_PIVOT]
    if timed:
        found["cpu_minutes_median_push_pivot"] = float(np.median(timed))
    passed = [task for task in means if means[task] >= BARS.get(task, 0.0)]
    drops = [drop for task in passed if (drop := transfer_drop(of(whole, task=task))) is not None]
    if drops:
        found["transfer_drop_max"] = max(drops)
    found |= {f"minus_{method}": gap for method, gap in differences(of(results, robot=ALLEGRO)).items()}
    return found


def _of_task(task: str, results: Sequence[Result]) -> dict[str, Figure]:
    """The group of one task."""
    found: dict[str, Figure] = {}
    for robot in sorted({each.job.robot for each in of(results, task=task)}):
        name = task if robot == ALLEGRO else f"{task}_{robot}"
        mine = of(results, task=task, robot=robot, method=POLICY, ablation="")
        if mine:
            share, (low, high) = pooled(mine)
            found |= {f"{name}_success": share, f"{name}_low": low, f"{name}_high": high, f"{name}_seeds": len(mine)}
            found[f"{name}_worst_seed"] = min(each.scores["standard"].success for each in mine)
            found[f"{name}_paper"] = pooled(mine, "paper")[0]
            found[f"{name}_cpu_minutes"] = float(np.median([each.cpu_seconds for each in mine])) / 60.0
            found[f"{name}_failures"] = ", ".join(f"{n} {kind}" for kind, n in failures(mine).items()) or "none"
            found |= {f"{name}_stage_{stage}": part for stage, part in stages(mine).items()}
            drops = [drop for each in mine if (drop := each.transfer_drop) is not None]
            if drops:
                found[f"{name}_transfer_drop"] = transfer_drop(mine) or 0.0
                found[f"{name}_transfer_drop_worst_seed"] = max(drops)
        for method in BASELINES:
            theirs = of(results, task=task, robot=robot, method=method)
            if theirs:
                found[f"{name}_{method}"] = pooled(theirs)[0]
            shown = [each for each in theirs if WHERE_SHOWN in each.scores]
            if shown:
                found[f"{name}_{method}_{WHERE_SHOWN}"] = pooled(shown, WHERE_SHOWN)[0]
    return found
