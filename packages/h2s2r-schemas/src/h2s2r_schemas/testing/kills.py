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
from h2s2r_schemas.codec import files, load, save
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.paths import object_trajectory

#: Large enough that writing it takes several milliseconds, which random kills then hit.
_FRAMES = 40_000


def save_kills(points: int, seed: int) -> dict[str, int]:
    """Kill ``save`` (SIGKILL) while it replaces an old file by a new one, and look at what is there.

    Args:
        points: how often, at random moments. Besides, it is killed once before each line of ``codec.files`` it runs.
        seed: of the moments.

    Returns:
        ``save_kills`` (random moments), ``save_steps`` (lines killed at), ``save_found_old``, ``save_found_new``, and
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
    old, new = object_trajectory(10), object_trajectory(_FRAMES).replace(object_name="new")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trajectory.h2s"
        start = time.monotonic()
        save(new, path)
        one_save = time.monotonic() - start
        rng = random.Random(seed)
        for _ in range(points):
            save(old, path)
            child = _forked(partial(_save_forever, new, path))
            # Moments before, within and after the first save, most of them within.
            time.sleep(rng.uniform(0.0, 1.5 * one_save))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            counts[_found(path, old, new)] += 1
        while True:
            save(old, path)
            child = _forked(partial(_save_until_line, new, path, counts["save_steps"]))
            status = os.waitpid(child, 0)[1]
            if status == 0:
                break
            if not os.WIFSIGNALED(status):
                raise RuntimeError("save failed although nobody killed it; its traceback is above.")
            counts["save_steps"] += 1
            counts[_found(path, old, new)] += 1
    sys.stdout.write(json.dumps(counts))


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


def _save_forever(new: ObjectTrajectory, path: Path) -> None:
    while True:
        save(new, path)


def _save_until_line(new: ObjectTrajectory, path: Path, lines: int) -> None:
    """Save once, but die before the line of ``codec.files`` that comes after ``lines`` others."""
    left = lines

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line":
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return trace

    sys.settrace(trace)
    save(new, path)
    sys.settrace(None)


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
