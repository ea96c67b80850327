"""``h2s2r bench tasks``: what is asked of the chain for each task, and what its runs are taken to say.

In:  folders as the chain leaves them, a hand.   Out: commands, figures.
Not here: the runs themselves (test_demo).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from h2s2r import bench_tasks
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel
from h2s2r_schemas.codec import load, save
from h2s2r_sim.task import task_names

HAND = HandTrajectory(
    side="right",
    time=np.array([0.0, 0.1, 0.2]),
    p_world_keypoints=np.concatenate([np.zeros((2, 21, 3)), np.full((1, 21, 3), np.nan)]),
    confidence=np.ones((3, 21)),
    lost=np.array([False, False, True]),
)


def test_each_keypoint_is_1_to_2_cm_off_all_the_time() -> None:
    worse = bench_tasks.seen_worse(HAND, np.random.default_rng(0)).p_world_keypoints
    off = np.linalg.norm(worse[0], axis=-1)
    assert off.min() >= 0.01 and off.max() <= 0.02 and np.ptp(off) > 0.005
    assert np.array_equal(worse[0], worse[1]) and np.isnan(worse[2]).all()
    assert np.abs(worse[0].mean(axis=0)).max() < 0.01


def test_each_task_is_run_from_its_recording_and_again_with_a_worse_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def film(task: str, seed: int, folder: Path, cfg: object) -> None:
        folder.mkdir()

    def chain(words: list[str], **rest: Any) -> None:
        asked.append(words[3:])
        out = Path(words[-1])
        if not (out / "hand").exists():
            (out / "hand").mkdir(parents=True)
            save(HAND, out / "hand" / "hand.h2s")
            (out / "hand" / "done.json").write_text("{}")

    monkeypatch.setattr(bench_tasks, "FOLDER", tmp_path)
    monkeypatch.setattr(bench_tasks, "record_demo", film)
    monkeypatch.setattr(subprocess, "run", chain)
    for worse in (False, True):
        bench_tasks.from_recording("pitcher_pour", 7, worse, (0,))
    plain, noisy = asked
    assert plain[:2] == ["run", str(tmp_path / "recordings" / "pitcher_pour_7")]
    assert plain[plain.index("--preset") + 1] == "full" and plain[plain.index("--seed") + 1] == "7"
    assert plain[:-1] == noisy[:-1] and plain[-1] != noisy[-1]
    assert load(Path(plain[plain.index("--object") + 1]), ObjectModel).name == "pitcher"
    seen, worse_seen = (load(Path(words[-1]) / "hand" / "hand.h2s", HandTrajectory) for words in asked)
    assert not np.array_equal(seen.p_world_keypoints, worse_seen.p_world_keypoints)


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_tasks, "FOLDER", tmp_path)
    for number, task in enumerate(task_names()[:-1]):
        for worse in (False, True):
            run = bench_tasks.folder_of(task, 7, worse)
            for stage, name in (("judge", "evaluation.json"), ("rehearse", "rehearsal.json")):
                (run / stage).mkdir(parents=True)
                (run / stage / name).write_text(json.dumps({"success": 0.9 - (0.01 * number if worse else 0.0)}))
                (run / stage / "done.json").write_text(json.dumps({"key": "k", "files": {}, "seconds": 60.0}))
    found = bench_tasks.figures(7, worse=True)
    last = task_names()[-1]
    # The one that never got to an end counts.
    assert found[f"{last}_success"] == found[f"{last}_rehearsal"] == found[f"{last}_minutes"] == 0.0
    assert found["success_mean"] == pytest.approx(0.9 * 6 / 7)
    assert found["hand_noise_drop_max"] == pytest.approx(0.05)
    assert found[f"{task_names()[0]}_minutes"] == 2.0
