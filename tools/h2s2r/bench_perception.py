"""``h2s2r bench perception``: recordings of every task are rendered, looked at, and compared with their truth.

In:  seeds.   Out: one flat mapping of figures; recordings and results in ``runs/bench/perception``, so that a run can go on, with
the figures of the seeds that are done in ``so_far.json``.
Not here: rendering (sim), looking and comparing (perception).

Where the real recording ``mug_real`` is beside the checkout, or in the folder that H2S2R_RECORDINGS names, it is measured too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from h2s2r.cores import usable_cores
from h2s2r_perception.benchmark import measure_all, measure_real
from h2s2r_schemas.codec import write_whole
from h2s2r_sim.demonstrate import RecordCfg, record_demo
from h2s2r_sim.task import task_names

#: Which requirements each figure shows.
SHOWS = {
    "add_mean_mm": ["H06"],
    "rotation_p99_deg": ["H06"],
    "false_poses": ["H06"],
    "premanip_within_3": ["H09"],
    "hand_mean_mm": ["H10"],
}
#: One for a look, which development has seen; and twenty, chosen before any of them was rendered, that nobody has.
_SEEDS, _SEEDS_SLOW = (2001,), tuple(range(2070, 2090))
#: Seeds between two looks at the figures: of an odd number of tasks, one core of two would wait at the end of each.
_SEEDS_AT_ONCE = 2
FOLDER = Path("runs/bench/perception")


def run(slow: bool = False, seeds: tuple[int, ...] = ()) -> dict[str, Any]:
    """All figures of perception.

    Args:
        slow: twenty seeds of each task instead of one.
        seeds: others than these.
    """
    seeds = seeds or (_SEEDS_SLOW if slow else _SEEDS)
    workers = len(usable_cores())
    folders: list[Path] = []
    measured: dict[str, Any] = {}
    with _bars() as bars:
        rendering, looking = _bar(bars, "rendering"), _bar(bars, "looking")
        for done in range(0, len(seeds), _SEEDS_AT_ONCE):
            # Few seeds at once: a run that is stopped leaves figures of every task.
            some = seeds[done : done + _SEEDS_AT_ONCE]
            folders += _render(some, workers, rendering)
            timed = [folder for folder in folders if folder.name.endswith(f"_{seeds[0]}")]
            measured = measure_all(folders, FOLDER / "results", timed, workers, progress=looking)
            so_far = measured | {"seeds_done": done + len(some), "seeds_wanted": len(seeds)}
            write_whole(FOLDER / "so_far.json", (json.dumps(so_far, indent=1) + "\n").encode())
    real = real_recording()
    return measured | (measure_real(real) if real is not None else {})


def _render(seeds: Sequence[int], workers: int, progress: Callable[[int, int, str], None]) -> list[Path]:
    """Folders of all recordings; those that are not there yet are made."""
    wanted = {FOLDER / "recordings" / f"{task}_{seed}": (task, seed) for seed in seeds for task in task_names()}
    todo = [folder for folder in wanted if not folder.exists()]
    (FOLDER / "recordings").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_film, *wanted[folder], folder): folder for folder in todo}
        for number, future in enumerate(as_completed(running)):
            future.result()
            progress(len(wanted) - len(todo) + number + 1, len(wanted), running[future].name)
    return list(wanted)


def _film(task: str, seed: int, folder: Path) -> None:
    # Nothing here looks at masks; colour, depth and truth are the same without them.
    record_demo(task, seed, folder, RecordCfg(masks=False))


def real_recording() -> Path | None:
    """Where the real recording is: it may not be in the repository."""
    places = [os.environ.get("H2S2R_RECORDINGS", ""), *(parent / "shared/recordings" for parent in Path.cwd().parents)]
    found = [Path(place) / "mug_real" for place in places if str(place)]
    return next((folder for folder in found if (folder / "labels.json").is_file()), None)


def _bars() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}"),
    )
    return Progress(*columns, console=Console(stderr=True), refresh_per_second=2)


def _bar(bars: Progress, what: str) -> Callable[[int, int, str], None]:
    task = bars.add_task(what, total=None, last="")

    def show(done: int, total: int, last: str) -> None:
        bars.update(task, completed=done, total=total, last=last)

    return show
