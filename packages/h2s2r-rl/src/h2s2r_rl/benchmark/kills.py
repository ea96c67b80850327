"""Killing a training, again and again: what is found afterwards, and what it ends with.

In:  how many times, and a seed.   Out: counts.
Not here: power loss (fsync is called, but nothing here can cut the power).

A fresh Python forks a child for each stretch of training, so that neither the caller nor its threads are ever copied.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from h2s2r_rl.config import TrainCfg
from h2s2r_rl.train import CHECKPOINT, learn, load_checkpoint
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing import PointMassEnv

#: A training of about a second that writes a dozen checkpoints.
CFG = TrainCfg(
    steps=4 * 4 * 24,
    num_envs=4,
    steps_per_iteration=4,
    mini_batches=2,
    epochs=1,
    hidden=(8,),
    memory=4,
    checkpoint_interval=2,
)


def training_kills(points: int, seed: int) -> dict[str, int]:
    """Kill trainings (SIGKILL) at random moments, and resume them until they are done.

    Args:
        points: how many kills, over as many trainings as that takes.
        seed: of the moments.

    Returns:
        ``training_kills``; ``training_kills_while_writing`` (a temporary file was left over);
        ``training_lost_checkpoints`` (none there where there was one, an unreadable one, or an older one than before);
        ``training_most_intervals_repeated`` after a kill, begun ones counted as whole; ``training_runs`` that were killed and
        got to their end; ``training_same_weights``: 1 if all of them ended with the weights of one that nobody killed.
    """
    script = f"from h2s2r_rl.benchmark.kills import kill_trainings as work; work({points}, {seed})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


def kill_trainings(points: int, seed: int) -> None:
    """What the fresh Python does; the counts go to standard output as JSON."""
    rng, killed, lost, writing, repeated, runs, same = random.Random(seed), 0, 0, 0, 0, 0, True
    with tempfile.TemporaryDirectory() as root:
        whole = _Run(Path(root) / "whole")
        # Here and not in a child, which then has loaded already what torch loads when it is first needed.
        whole.work()
        began = time.monotonic()
        _Run(Path(root) / "timed").work()
        window = 0.5 * (time.monotonic() - began)
        while killed < points or not runs:
            run = _Run(Path(root) / f"run{runs}")
            while not run.stretch(rng.uniform(0.0, window)):
                killed += 1
                found = run.look()
                lost, writing, repeated = lost + found[0], writing + found[1], max(repeated, found[2])
            runs += 1
            same &= run.weights_equal(whole)
    counts = {
        "training_kills": killed,
        "training_kills_while_writing": writing,
        "training_lost_checkpoints": lost,
        "training_most_intervals_repeated": repeated,
        "training_runs": runs,
        "training_same_weights": int(same),
    }
    sys.stdout.write(json.dumps(counts))


class _Run:
    """One training in a folder, a forked child for each stretch of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Written by the child: iterations done.
        self._reached = mmap.mmap(-1, 8)
        self._saved = 0

    def stretch(self, seconds: float) -> bool:
        """Train on for so long [s]; whether the training is done."""
        child = _forked(self.work)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return _finished(status)
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        return _finished(os.waitpid(child, 0)[1])

    def look(self) -> tuple[int, int, int]:
        """After a kill: checkpoints lost, temporary files left over (removed here), intervals to be repeated."""
        left = list(self.folder.glob(f".{CHECKPOINT}.*.tmp")) if self.folder.exists() else []
        for path in left:
            path.unlink()
        before, self._saved = self._saved, self._iteration()
        (reached,) = struct.unpack("q", self._reached[:8])
        # The iteration under way is repeated too.
        again = max(0, reached + 1 - self._saved)
        return int(self._saved < before), len(left), math.ceil(again / CFG.checkpoint_interval)

    def weights_equal(self, other: _Run) -> bool:
        """Whether both ended with the same weights of the actor."""
        mine, others = (
            load_checkpoint(each.folder / CHECKPOINT)["state"]["actor_state_dict"] for each in (self, other)
        )
        return all(mine[name].equal(others[name]) for name in mine)

    def _iteration(self) -> int:
        """Of the checkpoint; 0 without one, and less than any for one that cannot be read."""
        try:
            return load_checkpoint(self.folder / CHECKPOINT)["iteration"]
        except FileNotFoundError:
            return 0
        except SchemaError:
            return -1

    def work(self) -> None:
        """Train to the end, from the last checkpoint on."""

        def watch(progress: Any) -> None:
            self._reached[:8] = struct.pack("q", progress.iteration)

        learn(PointMassEnv(CFG.num_envs), CFG, self.folder, watch, resume=True)


def _finished(status: int) -> bool:
    if status == 0:
        return True
    if not os.WIFSIGNALED(status):
        raise RuntimeError("A training failed although nobody had killed it; its traceback is above.")
    return False


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
