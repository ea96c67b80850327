"""Killing a process while it writes: what is found afterwards.

In:  how many times, and a seed.   Out: counts of old, new and lost files.
Not here: power loss (fsync is called, but nothing here can cut the power).

A fresh Python forks a child for each kill, so that neither the caller nor its threads are ever copied.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
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
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.paths import object_trajectory
from h2s2r_schemas.testing.recordings import record_tiny

#: Large enough that writing it takes several milliseconds, which random kills then hit.
_FRAMES = 40_000
_MEMORY = "/dev/shm"
_ONLY_LOOKS = ("fspath", "stat", "lstat", "fstat", "scandir", "listdir", "getpid")
#: For kills at known steps: several times a stream's buffer, and quick.
_FEW_FRAMES = 1000


def save_kills(points: int, seed: int) -> dict[str, int]:
    """Kill ``save`` (SIGKILL) while it replaces an old file by a new one, and look at what is there.

    Args:
        points: how often, at random moments. Besides, it is killed once before and once after each of its calls to the
            system and to a stream (open, write, fsync, replace, …).
        seed: of the moments.

    Returns:
        ``save_kills`` (random moments), ``save_steps`` (places in between), ``save_found_old``, ``save_found_new``, and
        ``save_losses``: neither the old file nor the new one, or more left over than one temporary file.
    """
    return _in_fresh_python(f"from h2s2r_schemas.testing.kills import kill_saves as work; work({points}, {seed})")


def demo_kills() -> dict[str, int]:
    """Kill a ``DemoWriter`` that replaces a recording, before and after each of its calls, and look at what is there.

    Returns:
        ``demo_steps`` (places), ``demo_found_old``, ``demo_found_new``, ``demo_found_beside`` (no recording, but the old
        one beside it, and an error that says so: killed between two renames), and ``demo_losses`` (anything else).
    """
    return _in_fresh_python("from h2s2r_schemas.testing.kills import kill_demos as work; work()")


def _in_fresh_python(script: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


def kill_saves(points: int, seed: int) -> None:
    """What the fresh Python does for ``save_kills``; the counts go to standard output as JSON."""
    counts = {"save_kills": points, "save_steps": 0, "save_found_old": 0, "save_found_new": 0, "save_losses": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trajectory.h2s"
        _at_random_moments(path, points, seed, counts)
        old, new = _pair(_FEW_FRAMES)
        steps = at_every_step(
            before=partial(save, old, path),
            work=partial(save, new, path),
            found=partial(_found, path, old, new),
            old="save_found_old",
        )
    counts["save_steps"] = len(steps)
    for found in steps:
        counts[found] += 1
    sys.stdout.write(json.dumps(counts))


def kill_demos() -> None:
    """What the fresh Python does for ``demo_kills``; the counts go to standard output as JSON."""
    counts: dict[str, int] = dict.fromkeys(("demo_found_old", "demo_found_new", "demo_found_beside", "demo_losses"), 0)
    # In memory where the system has such a folder: hundreds of kills, each of a dozen fsyncs. What a kill loses is the same.
    with tempfile.TemporaryDirectory(dir=_MEMORY if os.path.isdir(_MEMORY) else None) as folder:
        path = Path(folder) / "tiny"
        hashes: dict[str, str] = {}
        for frames, name in ((1, "demo_found_new"), (2, "demo_found_old")):
            hashes[record_tiny(path, frames, overwrite=True).hash()] = name
        steps = at_every_step(
            before=partial(record_tiny, path, 2, overwrite=True),
            work=partial(record_tiny, path, 1, overwrite=True),
            found=partial(_found_demo, path, hashes),
            old="demo_found_old",
        )
    for found in steps:
        counts[found] += 1
    sys.stdout.write(json.dumps({"demo_steps": len(steps), **counts}))


def _found_demo(path: Path, hashes: dict[str, str]) -> str:
    beside = list(path.parent.glob(".*.old"))
    try:
        return hashes.get(open_demo(path).hash(), "demo_losses")
    except SchemaError as error:
        said = len(beside) == 1 and str(beside[0]) in str(error)
        kept = said and hashes.get(open_demo(beside[0]).hash()) == "demo_found_old"
        return "demo_found_beside" if kept and not path.exists() else "demo_losses"
    finally:
        others = clear_others(path)
        if not all(name.endswith((".tmp", ".old")) for name in others):
            raise RuntimeError(f"Left over: {others}.")


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


def at_every_step(before: Callable[[], Any], work: Callable[[], Any], found: Callable[[], str], old: str) -> list[str]:
    """Kill ``work`` once before and once after each of its calls to the system and to a stream.

    Args:
        before: puts the old state there.
        work: what is killed; it must make the same calls every time.
        found: looks at what is there, and clears away what was left over.
        old: what ``found`` says where the old state is still there, so that ``before`` need not put it there again.

    Returns:
        What ``found`` said after each kill.
    """
    steps: list[str] = []
    while True:
        if not steps or steps[-1] != old:
            before()
        child = _forked(partial(_die_at, len(steps), work))
        status = os.waitpid(child, 0)[1]
        if status == 0:
            return steps
        if not os.WIFSIGNALED(status):
            raise RuntimeError("The work failed although nobody killed it; its traceback is above.")
        steps.append(found())


def _die_at(step: int, work: Callable[[], Any]) -> None:
    left = step

    def count(_: Any, event: str, function: Any) -> None:
        nonlocal left
        if event not in ("c_call", "c_return"):
            return
        # Nothing else changes what is on disk.
        if getattr(function, "__name__", "") in _ONLY_LOOKS:
            return
        module, owner = getattr(function, "__module__", None), getattr(function, "__self__", None)
        if module in ("posix", "io", "_io") or isinstance(owner, io.IOBase):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.setprofile(count)
    work()
    sys.setprofile(None)


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


def _found(path: Path, old: ObjectTrajectory, new: ObjectTrajectory) -> str:
    leftovers = clear_others(path)
    if len(leftovers) > 1 or not all(name.endswith(".tmp") for name in leftovers):
        return "save_losses"
    try:
        found = load(path, ObjectTrajectory)
    except (SchemaError, OSError):
        return "save_losses"
    return "save_found_old" if found == old else "save_found_new" if found == new else "save_losses"


def clear_others(path: Path) -> list[str]:
    """Delete everything beside ``path``; returns the names."""
    others = [other for other in path.parent.iterdir() if other != path]
    for other in others:
        if other.is_dir():
            shutil.rmtree(str(other))
        else:
            other.unlink()
    return [other.name for other in others]
