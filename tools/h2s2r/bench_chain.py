"""``h2s2r bench chain``: the demo as a newcomer runs it, and its policy in a hundred emulated cells.

In:  seeds.   Out: one flat mapping of figures; the runs in ``runs/bench/chain``, so that a run that was stopped goes on.
Not here: the chain (chain), rehearsing (rehearsal).

``wall_minutes`` is what all stages took, ``…_s`` [s] each of them; ``peak_memory_gib`` the most that the demo's processes held
together, looked at twice a second, shared pages counted once (on Linux alone; left out where it was not measured).
``success`` is of 256 fresh episodes in simulation at ``standard`` noise, ``lost_to_noise`` by how much it is below that of as
many from the same starts with neither noise nor pushes; ``rehearsal_success`` is of 100 in lock-step in the emulated cell,
``rehearsal_tracked_success`` (slow) of 100 with tracked poses, the demo's own ten ``rehearsal_shown``. Where the real recording
``mug_real`` is beside the checkout, or in the folder that H2S2R_RECORDINGS names, its left hand's clip is run too, with
the preset ``full``: ``real_…``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from h2s2r.bench_perception import real_recording
from h2s2r.chain.config import FRESH
from h2s2r.chain.files import EVALUATION, REHEARSAL, TASK
from h2s2r.chain.stage import DONE
from h2s2r.cores import usable_cores
from h2s2r.rehearsal import RehearsalCfg, Rehearsed, rehearse
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.evaluate import evaluate
from h2s2r_rl.evaluate.fresh import env_cfg_of
from h2s2r_rl.policy import OnnxPolicy
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.codec import load, write_whole
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim.env.start.clear import LEAST_FREE
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import NONE, STANDARD

#: Which requirements each figure shows.
SHOWS = {
    "success": ["H01", "H14"],
    "lost_to_noise": ["H24"],
    "rehearsal_success": ["H28"],
    "wall_minutes": ["H01"],
    "real_rehearsal": ["H04"],
}
#: Of trainings: used by no development and no test. Those of the emulated cells follow from them.
_SEED = 902
_EPISODES = 100
FOLDER = Path("runs/bench/chain")
_PEAK, _MAIN = "peak.json", "from h2s2r.cli import main; main()"
#: The clip ``turn_on_table``: a left hand slides a mug and turns it. Nobody weighed it: ceramic of its volume has 0.35 to 0.4 kg.
_REAL = ("--mass", "0.37", "--frames", "53:88", "--fps", "15", "--preset", "full")


def run(slow: bool = False, seeds: tuple[int, ...] = ()) -> dict[str, Any]:
    """All figures of the chain.

    Args:
        slow: a hundred episodes with tracked poses too.
        seeds: of the training; the first one counts.
    """
    seed = (seeds or (_SEED,))[0]
    demo = FOLDER / f"demo_{seed}"
    peak = _do(["demo"], demo, seed)
    figures: dict[str, Any] = {
        "success": _success(demo / "judge" / EVALUATION),
        "lost_to_noise": _calm(demo, seed) - _success(demo / "judge" / EVALUATION),
        "rehearsal_success": _rehearsed(demo, seed, tracked=False),
        "rehearsal_shown": _success(demo / "rehearse" / REHEARSAL),
        "wall_minutes": sum(seconds_of(demo).values()) / 60.0,
        **({} if peak is None else {"peak_memory_gib": peak}),
        **{f"{stage}_s": seconds for stage, seconds in seconds_of(demo).items()},
    }
    if slow:
        figures["rehearsal_tracked_success"] = _rehearsed(demo, seed, tracked=True)
    recording = real_recording()
    if recording is not None:
        real = FOLDER / f"real_{seed}"
        mesh = next(iter(sorted(recording.glob("*.obj"))))
        _do(["run", str(recording), "--object", str(mesh), *_REAL], real, seed)
        figures["real_success"] = _success(real / "judge" / EVALUATION)
        figures["real_rehearsal"] = _rehearsed(real, seed, tracked=False)
        figures["real_wall_minutes"] = sum(seconds_of(real).values()) / 60.0
    return figures


def _do(what: Sequence[str], folder: Path, seed: int) -> float | None:
    """Run the chain in a process of its own, on from where it was stopped; [GiB] held at most, if that could be measured.

    Raises:
        H2S2RError: it failed; it has said why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _MAIN, *what, "--seed", str(seed), "--out", str(folder)]
    process = subprocess.Popen(command, stdout=sys.stderr)
    watch = MemoryWatch(process.pid)
    watch.start()
    status = process.wait()
    watch.stop()
    if status:
        raise H2S2RError(f"`h2s2r {' '.join(what)}` ended with status {status}; it has said why above.")
    path = folder / _PEAK
    before = json.loads(path.read_text())["gib"] if path.is_file() else 0.0
    # A run that was stopped and goes on has its peak before or after that.
    peak = max(before, watch.gib)
    if not peak:
        return None
    write_whole(path, json.dumps({"gib": peak}).encode() + b"\n")
    return peak


def _rehearsed(folder: Path, seed: int, tracked: bool) -> float:
    """Share of emulated cells in which the policy of a run succeeds; kept in a file, as it takes minutes."""
    path = folder.parent / f"{folder.name}_{'tracked' if tracked else 'rehearsed'}.json"
    cfg = RehearsalCfg(_EPISODES, 10_000 * seed + 1, tracked=tracked, workers=min(len(usable_cores()), 8))
    policy = folder / "export"
    key = {"policy": (policy / "policy.h2s").stat().st_mtime_ns, "seed": cfg.seed, "episodes": cfg.episodes}
    known = json.loads(path.read_text()) if path.is_file() else {}
    if known.get("key") != key:
        found: Rehearsed = rehearse(policy, "iiwa14_allegro", cfg)
        known = {"key": key, **found.record()}
        write_whole(path, json.dumps(known, indent=1).encode() + b"\n")
    return float(known["success"])


def _calm(folder: Path, seed: int) -> float:
    """Success on the episodes of the demo's own figure, with their starts alone and no other perturbation."""
    policy, starts = OnnxPolicy.load(folder / "export"), ("start_position", "start_yaw", "start_joints")
    task = load(folder / "export" / TASK, TaskSpec)
    robot = load_embodiment("iiwa14_allegro", task.side)
    noise = NONE.replace(**{name: getattr(STANDARD, name) for name in starts})
    cfg = replace(
        env_cfg_of(policy.spec),
        perturbation=noise,
        num_threads=len(usable_cores()),
        start=StartCfg(min_valid=LEAST_FREE),
    )
    return evaluate(policy, task, robot, cfg, 256, FRESH + seed).success


def _success(path: Path) -> float:
    return float(json.loads(path.read_text())["success"])


def seconds_of(folder: Path) -> dict[str, float]:
    """[s] that each stage of a run took, in their order; of one that stopped, those that are done."""
    done = sorted(folder.glob(f"*/{DONE}"), key=lambda path: path.stat().st_mtime_ns)
    return {path.parent.name: float(json.loads(path.read_text())["seconds"]) for path in done}


class MemoryWatch(threading.Thread):
    """Looks at how much memory a process and all below it hold.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._over = pid, threading.Event()
        self.gib = 0.0
        """[GiB] the most so far; 0 where nothing can be seen."""

    def run(self) -> None:
        """Until ``stop()``."""
        while not self._over.wait(0.5):
            self.gib = max(self.gib, held(self._pid))

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()


def held(pid: int) -> float:
    """[GiB] that a process and all below it hold, each page they share counted once; 0 where this cannot be seen."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # Behind the name, which may hold anything.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    family = {pid}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(_proportional(each) for each in family) / 2**20


def _proportional(pid: int) -> float:
    """[KiB] of one process, of shared pages its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
