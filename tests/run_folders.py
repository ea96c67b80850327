"""The folder of a run, as the chain leaves it, from the truth of the bundled recording instead of minutes of work.

In:  the stage to stop after.   Out: a folder.
Not here: tests.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r.chain.bundled import demo_cfg
from h2s2r.chain.config import RunCfg
from h2s2r.chain.episodes import save_episodes
from h2s2r.chain.record import write_record
from h2s2r.chain.seeing import hand_in_frame
from h2s2r.chain.stage import Stage, Work, run_stages
from h2s2r.report import films
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.codec import load, save, write_whole
from h2s2r_schemas.demo import DemoTruth, truth_path
from h2s2r_sim.demonstrate import BUNDLED, task_from_truth
from h2s2r_sim.view import EpisodeStates, task_episode

#: Figures of a policy that nobody trained; the page shows what is in the file.
JUDGED = {
    "success": 0.75,
    "interval": [0.694, 0.799],
    "episodes": 256,
    "seed": 1_000_003,
    "noise": "standard",
    "failures": {"stuck": 60, "dropped <object>": 4},
    "position_error": 0.0123,
    "rotation_error": 0.0524,
}
START = {"gap": 0.04, "lift": 0.01, "opening": 0.3, "share_free": 0.8, "fingertip_error": {"fingertip_index": 0.027}}
REHEARSED = {
    "success": 0.9,
    "interval": [0.596, 0.982],
    "episodes": 10,
    "seed": 12_345_678,
    "noise": "standard",
    "failures": {"stuck": 1},
    "stopped": [],
    "commands_accepted": 2345,
    "commands_refused": {},
    "policy_step_p50_ms": 1.25,
}
PREMANIP = {"frame": 18, "reason": "The object first moves at 2.00 s & not before."}


def make_run(folder: Path, until: str = "film", cfg: RunCfg | None = None) -> Path:
    """The folder of a run that was done up to a stage."""
    cfg = cfg or demo_cfg(seed=3, steps=4096)
    stages = quick_stages(cfg)
    write_record(cfg, folder, stages, {"h2s2r-sim": "0.1.0"})
    names = [stage.name for stage in stages]
    run_stages(stages[: names.index(until) + 1], folder)
    return folder


@cache
def _bundled() -> tuple[DemoTruth, TaskSpec, EpisodeStates]:
    task = task_from_truth(BUNDLED)
    return load(truth_path(BUNDLED), DemoTruth), task, task_episode(task, load_embodiment("iiwa14_allegro", task.side))


def quick_stages(cfg: RunCfg) -> list[Stage]:
    """The stages of a run, each done in no time; the hand is taken where a person chose it."""
    chosen = cfg.corrections.frame
    truth, task, episode = _bundled()
    grey = [np.full((96, 128, 3), shade, np.uint8) for shade in range(40, 200)]

    def stage(name: str, work: Any) -> Stage:
        return Stage(name, f"does {name}", work)

    def recording(work: Work) -> None:
        (work.folder / "where.json").write_text(json.dumps({"folder": str(BUNDLED)}))

    def premanip(work: Work) -> None:
        save(hand_in_frame(truth.hand_trajectory, chosen or 18, 0), work.folder / "hand_pose.h2s")
        record = PREMANIP if chosen is None else {"frame": chosen, "chosen": True, "reason": "A person chose."}
        (work.folder / "premanip.json").write_text(json.dumps(record))

    def seen(work: Work) -> None:
        frames = len(truth.object_trajectory.time) + 14
        films.write_film(work.folder / "seen.mp4", grey[:frames], np.arange(frames) / 12)

    def curve(work: Work) -> None:
        rows = [{"steps": 1000 * k, "success": None if k < 2 else k / 10, "reward": 0.5 + k / 20} for k in range(10)]
        (work.folder / "curve.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def place(work: Work) -> None:
        save(task, work.folder / "task.h2s")
        (work.folder / "place.txt").write_text("Where it was seen.")
        (work.folder / "place.json").write_text(json.dumps({"wxyz_xyz_new_world": [1, 0, 0, 0, 0, 0, 0]}))

    def film(work: Work) -> None:
        films.write_film(work.folder / "robot.mp4", grey[:100], np.arange(100) / 24)
        save_episodes(
            [dataclasses.replace(episode, title=f"episode {k}") for k in range(4)], work.folder / "episodes.npz"
        )

    def retarget(work: Work) -> None:
        (work.folder / "start.json").write_text(json.dumps(START))
        save(task, work.folder / "task.h2s")

    def rehearse(work: Work) -> None:
        write_whole(work.folder / "rehearsal.json", json.dumps(REHEARSED).encode())
        films.write_film(work.folder / "rehearsal.mp4", grey[:50], np.arange(50) / 24)

    def nothing(work: Work) -> None:
        """Leaves no file."""

    return [
        stage("recording", recording),
        stage("object", lambda work: save(truth.object, work.folder / "object.h2s")),
        stage("track", lambda work: save(truth.object_trajectory, work.folder / "path.h2s")),
        stage("hand", lambda work: save(truth.hand_trajectory, work.folder / "hand.h2s")),
        stage("scene", lambda work: save(truth.scene, work.folder / "scene.h2s")),
        dataclasses.replace(stage("premanip", premanip), settings={"frame": chosen}),
        stage("seen", seen),
        stage("task", place),
        stage("retarget", retarget),
        stage("train", curve),
        stage("export", nothing),
        stage("judge", lambda work: write_whole(work.folder / "evaluation.json", json.dumps(JUDGED).encode())),
        stage("film", film),
        stage("rehearse", rehearse),
        stage("report", nothing),
    ]
