"""``h2s2r bench tasks``: every task from its rendered recording to a judged policy, and again with a hand seen worse.

In:  a seed.   Out: one flat mapping of figures; recordings and runs in ``runs/bench/tasks``, so that a run can go on.
Not here: rendering (h2s2r_sim), the chain (chain).

``TASK_success`` is of 256 fresh episodes at ``standard``, ``TASK_rehearsal`` of ten emulated cells, ``TASK_minutes`` what all
stages took on one core. With ``--slow`` every recording is learned from twice: ``TASK_hand_noise`` is the success where each
keypoint of the hand is 1 to 2 cm off, in a direction of its own, through the whole recording, so that nothing averages it away.
``hand_noise_drop_max`` is the most that this takes of any task. A task that ends in an error counts as 0; its log says why.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from h2s2r.bench_chain import seconds_of
from h2s2r.chain.files import EVALUATION, HAND, REHEARSAL
from h2s2r.chain.stage import DONE
from h2s2r.cores import usable_cores
from h2s2r_schemas.artifacts import HandTrajectory
from h2s2r_schemas.codec import load, save
from h2s2r_sim.demonstrate import RecordCfg, record_demo
from h2s2r_sim.task import load_task, task_names

#: Which requirements each figure shows.
SHOWS = {"success_mean": ["H01"]}
FOLDER = Path("runs/bench/tasks")
#: Of recording, training and noise: used by no development and no test.
_SEED = 904
#: What is grasped gets more steps.
_GRASPS = ("pitcher_pour", "plate_lift_rack", "plate_pivot_lift_rack")
#: [m] by which a keypoint is off.
_OFF = (0.01, 0.02)
#: Stages of which the run with a worse hand keeps what the other one saw.
_SEEN = ("recording", "object", "track", "hand", "scene")
_MAIN = "import os, sys\nif hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {cores})\n"
_MAIN += "from h2s2r.cli import main; main()"


def run(slow: bool = False, seeds: tuple[int, ...] = ()) -> dict[str, float]:
    """All figures; one task at a time on each core.

    Args:
        slow: with a hand seen worse too.
        seeds: of recording, training and noise; the first one counts.
    """
    seed = (seeds or (_SEED,))[0]
    cores: queue.SimpleQueue[int] = queue.SimpleQueue()
    usable = usable_cores()
    for core in usable:
        cores.put(core)

    def one(task: str) -> None:
        core = cores.get()
        try:
            for worse in (False, True)[: 1 + slow]:
                from_recording(task, seed, worse, (core,))
        finally:
            cores.put(core)

    # What takes longest comes first.
    with ThreadPoolExecutor(len(usable)) as pool:
        list(pool.map(one, sorted(task_names(), key=lambda task: task not in _GRASPS)))
    return figures(seed, slow)


def from_recording(task: str, seed: int, worse: bool, cores: Sequence[int]) -> None:
    """One task from its recording to its report; what is done already is kept.

    Args:
        task: a bundled one.
        seed: of recording, training and noise.
        worse: whether keypoints of the hand are 1 to 2 cm off.
        cores: of the machine to work on.
    """
    recording, out = FOLDER / "recordings" / f"{task}_{seed}", folder_of(task, seed, worse)
    if not recording.exists():
        recording.parent.mkdir(parents=True, exist_ok=True)
        record_demo(task, seed, recording, RecordCfg(masks=False))
    thing = recording.with_suffix(".h2s")
    if not thing.exists():
        save(load_task(task).object, thing)
    if worse and not out.exists():
        _seen_worse(folder_of(task, seed, False), out, seed)
    preset = "full" if task in _GRASPS else "fast"
    words = ["run", str(recording), "--object", str(thing), "--preset", preset, "--seed", str(seed), "--out", str(out)]
    log = out.with_suffix(".log")
    with log.open("w") as file:
        code = _MAIN.format(cores=set(cores))
        subprocess.run([sys.executable, "-c", code, *words], stdout=file, stderr=file, check=False)


def folder_of(task: str, seed: int, worse: bool) -> Path:
    """Of a run."""
    return FOLDER / f"{task}_{seed}{'_hand_noise' if worse else ''}"


def figures(seed: int, worse: bool) -> dict[str, float]:
    """What the runs came to."""
    found: dict[str, float] = {}
    drops = []
    for task in task_names():
        run = folder_of(task, seed, False)
        success = _success(run / "judge" / EVALUATION)
        found |= {f"{task}_success": success, f"{task}_rehearsal": _success(run / "rehearse" / REHEARSAL)}
        found[f"{task}_minutes"] = sum(seconds_of(run).values()) / 60.0
        if worse:
            with_noise = _success(folder_of(task, seed, True) / "judge" / EVALUATION)
            found[f"{task}_hand_noise"] = with_noise
            drops.append(success - with_noise)
    found["success_mean"] = float(np.mean([found[f"{task}_success"] for task in task_names()]))
    return found | ({"hand_noise_drop_max": max(drops)} if drops else {})


def seen_worse(hand: HandTrajectory, rng: np.random.Generator) -> HandTrajectory:
    """The same hand with each keypoint 1 to 2 cm off in a direction of its own, the same in all frames."""
    off = rng.normal(size=hand.p_world_keypoints.shape[1:])
    off *= rng.uniform(*_OFF, len(off))[:, None] / np.linalg.norm(off, axis=-1, keepdims=True)
    return hand.replace(p_world_keypoints=hand.p_world_keypoints + off)


def _seen_worse(whole: Path, out: Path, seed: int) -> None:
    """A run that goes on from what another one saw, with its hand off: the chain keeps a file that was changed by hand."""
    for stage in _SEEN:
        if (whole / stage / DONE).is_file():
            shutil.copytree(whole / stage, out / stage)
    path = out / "hand" / HAND
    if path.is_file():
        save(seen_worse(load(path, HandTrajectory), np.random.default_rng(seed)), path)


def _success(path: Path) -> float:
    """Of a run that got so far; 0 of one that did not."""
    return float(json.loads(path.read_text())["success"]) if path.is_file() else 0.0
