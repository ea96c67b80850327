"""Many jobs: which ones a table or an ablation needs, done in parallel on one machine, each once.

In:  tasks, seeds.   Out: jobs in the order in which they can be done; their results.
Not here: one job (work), what is made of the results (report, curves).
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from h2s2r_rl.baselines import BASELINES, REPLAYS
from h2s2r_rl.experiment.job import POLICY, Job, Result
from h2s2r_rl.experiment.work import do
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim.task import task_names

#: Numerical libraries read these when they are loaded.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

#: Told of each job that is done: its result, or what went wrong.
Done = Callable[[Job, Result | Exception], None]


def table_jobs(
    tasks: Sequence[str] = (),
    seeds: Sequence[int] = (0, 1, 2),
    methods: Sequence[str] = (POLICY, *BASELINES),
    **changes: object,
) -> list[Job]:
    """Every method on every task with every seed; replays, which learn nothing, with the first seed's episodes only.

    Args:
        tasks: bundled tasks; all if none is named.
        seeds: of the trainings.
        methods: of ``job.METHODS``.
        changes: to all jobs.
    """
    jobs = []
    for method in methods:
        for task in tasks or task_names():
            for seed in seeds[:1] if method in REPLAYS else seeds:
                job = replace(Job(task, method, seed), **changes)  # type: ignore[arg-type]
                jobs.append(replace(job, transfer=method == POLICY))
    return jobs


def ablation_jobs(
    tasks: Sequence[str], names: Sequence[str], seeds: Sequence[int] = (0, 1, 2), **changes: object
) -> list[Job]:
    """The policy as it is and with one thing changed, on every task with every seed."""
    return [
        replace(Job(task, POLICY, seed, ablation=name), **changes)  # type: ignore[arg-type]
        for task in tasks
        for name in ("", *names)
        for seed in seeds
    ]


def run_jobs(
    jobs: Sequence[Job],
    folder: Path,
    workers: int = 1,
    done: Done = lambda job, outcome: None,
    work: Callable[..., Result] = do,
) -> list[Result]:
    """Do all jobs that are not done yet. One that fails does not stop the others.

    Args:
        jobs: those that need the checkpoint of another come after all others.
        folder: of the experiment.
        workers: processes, of one thread each.
        done: told of each job.
        work: what does a job.

    Returns:
        Results of the jobs that were done, in the order of ``jobs``.
    """
    found: dict[Job, Result] = {}
    first = [job for job in jobs if job.method != "behaviour_cloning"]
    later = [job for job in jobs if job.method == "behaviour_cloning"]
    for each in _ONE_THREAD:
        os.environ.setdefault(each, "1")
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for group in (first, later):
            running: dict[Future[Result], Job] = {pool.submit(work, job, folder): job for job in group}
            for future in as_completed(running):
                job = running[future]
                try:
                    found[job] = future.result()
                    done(job, found[job])
                except (H2S2RError, OSError, ArithmeticError, MemoryError) as error:
                    done(job, error)
    return [found[job] for job in jobs if job in found]
