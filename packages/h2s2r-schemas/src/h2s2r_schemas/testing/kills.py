"""Killing a process while it saves: what is found afterwards.

In:  how many times, and a seed.   Out: counts of old, new and lost files.
Not here: power loss (fsync is called, but nothing here can cut the power).

A fresh Python forks a child for each kill, so that neither the caller nor its threads are ever copied.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any, Callable

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.paths import object_trajectory

#: Large enough that writing it takes several milliseconds, which random kills then hit.
_FRAMES = 40_000
#: For kills at known steps: several times a stream's buffer, and quick.
_FEW_FRAMES = 1000


def save_kills(points: int, seed: int) -> dict[str, int]:
    """Kill ``save`` (SIGKILL) while it replaces an old file by a new one, and look at what is there.

    Args:
        points: how often, at random moments. Besides, it is killed before and after each call it makes into C (open,
            write, fsync, replace among them), each once.
        seed: of the moments.

    Returns:
        ``save_kills`` (random moments), ``save_steps`` (calls killed at), ``save_found_old``, ``save_found_new``, and
        ``save_losses``: neither the old file nor the new one, or more left over than one temporary file.
    """
    script = "import sys; from h2s2r_schemas.testing import kills; kills.kill_here(int(sys.argv[1]), int(sys.argv[2]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(points), str(seed)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


def kill_here(points: int, seed: int) -> None:
    """What the fresh Python does; its counts go to standard output as JSON."""
    counts = {"save_kills": points, "save_steps": 0, "save_found_old": 0, "save_found_new": 0, "save_losses": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trajectory.h2s"
        _at_random_moments(path, points, seed, counts)
        _at_every_step(path, counts)
    sys.stdout.write(json.dumps(counts))


def _at_random_moments(path: Path, points: int, seed: int, counts: dict[str, int]) -> None:
    rng = random.Random(seed)
    old, new = _pair(_FRAMES)
    start = time.monotonic()
    save(new, path)
    window = 3.0 * (time.monotonic() - start)
    for _ in range(points):
        save(old, path)
        child = _forked(partial(_save_in_turns, new, old, path))
        time.sleep(rng.uniform(0.0, window))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        counts[_found(path, old, new)] += 1


def _at_every_step(path: Path, counts: dict[str, int]) -> None:
    old, new = _pair(_FEW_FRAMES)
    save(old, path)
    while True:
        child = _forked(partial(_save_until, counts["save_steps"], new, path))
        status = os.waitpid(child, 0)[1]
        if status == 0:
            return
        if not os.WIFSIGNALED(status):
            raise RuntimeError("save failed although nobody killed it; its traceback is above.")
        counts["save_steps"] += 1
        found = _found(path, old, new)
        counts[found] += 1
        if found != "save_found_old":
            save(old, path)


def _pair(frames: int) -> tuple[ObjectTrajectory, ObjectTrajectory]:
    old = object_trajectory(frames)
    return old, old.replace(object_name="new")


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a forked child must never return into its parent's code
        traceback.print_exc()
    os._exit(1)


def _save_in_turns(new: ObjectTrajectory, old: ObjectTrajectory, path: Path) -> None:
    while True:
        save(new, path)
        save(old, path)


def _save_until(steps: int, new: ObjectTrajectory, path: Path) -> None:
    """Save once, but die at the call into C, or the return from one, that comes after ``steps`` others."""
    left = steps

    def count(_: Any, event: str, __: Any) -> None:
        nonlocal left
        if event in ("c_call", "c_return"):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.setprofile(count)
    save(new, path)
    sys.setprofile(None)


def _found(path: Path, old: ObjectTrajectory, new: ObjectTrajectory) -> str:
    leftovers = [other for other in path.parent.iterdir() if other != path]
    for leftover in leftovers:
        leftover.unlink()
    if len(leftovers) > 1 or not all(leftover.name.endswith(".tmp") for leftover in leftovers):
        return "save_losses"
    try:
        found = load(path, ObjectTrajectory)
    except (SchemaError, OSError):
        return "save_losses"
    return "save_found_old" if found == old else "save_found_new" if found == new else "save_losses"
