"""``h2s2r bench kills``: the demo, killed again and again and given again each time, against one that nobody killed.

In:  a seed.   Out: one flat mapping of figures; both runs in ``runs/bench/kills``.
Not here: trainings that are killed by themselves (h2s2r_rl.benchmark.kills), power loss.

``chain_kills`` (SIGKILL to the run and all its processes) came at random moments, half of them spread over the stages and half
over the time, in ``chain_kills_stages`` different ones. ``chain_stages_repeated`` counts stages that were on record as done
and whose record was written again, ``chain_results_other`` files of ``RESULTS`` that are not the same to the byte.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from h2s2r.bench_chain import seconds_of
from h2s2r.chain.files import CURVE, EPISODES, EVALUATION, PATH, TASK
from h2s2r.chain.stage import BEGUN, DONE, file_hash
from h2s2r_rl.policy import NETWORK
from h2s2r_schemas.errors import H2S2RError

#: Which requirements each figure shows.
SHOWS = {"chain_stages_repeated": ["H03"], "chain_results_other": ["H03"]}
#: What a run ends with, without times and films.
RESULTS = (
    f"track/{PATH}", f"retarget/{TASK}", f"train/{CURVE}", f"export/{NETWORK}", f"judge/{EVALUATION}", f"film/{EPISODES}",
    f"rehearse/{EPISODES}",
)  # fmt: skip
FOLDER = Path("runs/bench/kills")
#: Of those drawn some come after the end: twenty are to strike.
_KILLS, _SEED = 24, 903
_MAIN = "from h2s2r.cli import main; main()"


def run(slow: bool = False, seeds: tuple[int, ...] = ()) -> dict[str, float]:
    """All figures.

    Args:
        slow: nothing else.
        seeds: of training, emulated cells and moments; the first one counts.
    """
    del slow
    seed = (seeds or (_SEED,))[0]
    demo = ["-c", _MAIN, "demo", "--seed", str(seed), "--rehearsal-seed", str(10_000 * seed + 1)]
    whole, killed = FOLDER / f"whole_{seed}", FOLDER / f"killed_{seed}"
    if subprocess.run([sys.executable, *demo, "--out", str(whole)], stdout=sys.stderr, check=False).returncode:
        raise H2S2RError("The run that nobody kills failed; it has said why above.")
    shutil.rmtree(killed, ignore_errors=True)
    found = kill_and_resume([*demo, "--out", str(killed)], killed, seconds_of(whole), _KILLS, seed)
    return found | {"chain_results_other": others(whole, killed)}


def kill_and_resume(
    command: Sequence[str], folder: Path, seconds: Mapping[str, float], kills: int, seed: int
) -> dict[str, float]:
    """Kill a run again and again, each time at a random moment of a random stage, and give it again until it is done.

    Args:
        command: what is run, for Python.
        folder: of its stages.
        seconds: [s] how long each stage takes, in their order.
        kills: how many at most: one that comes after the end is none.
        seed: of the moments.

    Raises:
        H2S2RError: it failed although nobody had killed it.
    """
    rng, began = random.Random(seed), time.monotonic()
    weights = [1.0 / len(seconds) + each / sum(seconds.values()) for each in seconds.values()]
    drawn = rng.choices(list(seconds), weights, k=kills)
    done: dict[str, int] = {}
    repeated, struck = 0, []
    for name in [*(stage for stage in seconds for _ in range(drawn.count(stage))), ""]:
        # After a kill a stage goes on where it was: all kills of a stage together come in about the time it takes.
        after = rng.uniform(0.0, 2.0 * seconds[name] / drawn.count(name)) if name else 0.0
        process = subprocess.Popen([sys.executable, *command], stdout=sys.stderr, start_new_session=True)
        while process.poll() is None and not (name and (folder / name / BEGUN).is_file()):
            time.sleep(0.01)
        try:
            process.wait(after if name else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            struck.append(_under_way(folder, seconds))
        if process.wait() > 0:
            raise H2S2RError("The run failed although nobody had killed it; it has said why above.")
        now = {stage: (folder / stage / DONE).stat().st_mtime_ns for stage in _on_record(folder, seconds)}
        repeated += sum(now.get(stage) != at for stage, at in done.items())
        done = now
    return {
        "chain_kills": len(struck),
        "chain_kills_stages": len(set(struck)),
        "chain_stages_repeated": repeated,
        "chain_minutes_whole": sum(seconds.values()) / 60.0,
        "chain_minutes_killed": (time.monotonic() - began) / 60.0,
    }


def others(whole: Path, killed: Path) -> int:
    """How many of ``RESULTS`` differ between two runs."""
    return sum(file_hash(whole / name) != file_hash(killed / name) for name in RESULTS)


def _on_record(folder: Path, stages: Mapping[str, float]) -> list[str]:
    """The stages that are done."""
    return [stage for stage in stages if (folder / stage / DONE).is_file()]


def _under_way(folder: Path, stages: Mapping[str, float]) -> str:
    """The stage that a kill struck; none between two."""
    done = _on_record(folder, stages)
    return next((stage for stage in stages if stage not in done and (folder / stage / BEGUN).is_file()), "")
