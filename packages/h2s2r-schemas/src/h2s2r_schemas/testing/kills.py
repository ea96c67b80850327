"""Killing a process while it saves: what is found afterwards.

In:  how many times, and a seed.   Out: counts of old, new and lost files.
Not here: power loss (fsync is called, but no test here can cut the power).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.paths import object_trajectory

#: Large enough that writing it takes several milliseconds, which random kills then hit.
_FRAMES = 40_000

_CHILD = """
import sys
from h2s2r_schemas.codec import save
from h2s2r_schemas.testing.paths import object_trajectory
new = object_trajectory({frames}).replace(object_name="new")
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
while True:
    save(new, sys.argv[1])
"""


def save_kills(points: int, seed: int) -> dict[str, int]:
    """Kill ``save`` (SIGKILL) at random points while it replaces an old file by a new one, and look at what is there.

    Args:
        points: how often.
        seed: of the moments.

    Returns:
        ``save_kills``, ``save_found_old``, ``save_found_new``, and ``save_losses``: neither the old file nor the new one.
    """
    rng = random.Random(seed)
    counts = {"save_kills": points, "save_found_old": 0, "save_found_new": 0, "save_losses": 0}
    old, new = object_trajectory(10), object_trajectory(_FRAMES).replace(object_name="new")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trajectory.h2s"
        for _ in range(points):
            child = _start(path)
            save(old, path)
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
            # One save of this size takes about ten milliseconds: moments before, within and after the first one.
            time.sleep(rng.uniform(0.0, 0.02))
            child.kill()
            child.wait()
            counts[_found(path, old, new)] += 1
            for leftover in Path(folder).glob(".*.tmp"):
                leftover.unlink()
    return counts


def _start(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD.format(frames=_FRAMES), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def _found(path: Path, old: ObjectTrajectory, new: ObjectTrajectory) -> str:
    try:
        found = load(path, ObjectTrajectory)
    except (SchemaError, OSError):
        return "save_losses"
    return "save_found_old" if found == old else "save_found_new" if found == new else "save_losses"
