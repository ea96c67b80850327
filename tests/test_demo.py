"""The main job, cut short: what a whole training reaches is measured by running it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

pytest.importorskip("torch")

from h2s2r.chain.bundled import demo_cfg
from h2s2r.chain.config import RunCfg, parse_frames
from h2s2r.chain.episodes import load_episodes
from h2s2r.chain.run import Result, run_chain, stages_of
from h2s2r.chain.stage import StageError, Told
from h2s2r_rl.policy import OnnxPolicy
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate import BUNDLED, task_from_truth


def silent(what: str, done: int, total: int, note: str) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def cfg(tmp_path_factory: pytest.TempPathFactory) -> RunCfg:
    # Pictures alone: whatever tells the truth is not even there.
    recording = tmp_path_factory.mktemp("pictures") / "snackbox_push"
    shutil.copytree(
        BUNDLED, recording, ignore=shutil.ignore_patterns("truth.h2s", "scene_gt.json", "??????_??????.png")
    )
    return replace(demo_cfg(seed=3, steps=4096), recording=recording, episodes=8, rehearsals=1, rehearsal_seed=7)


@pytest.fixture(scope="module")
def result(cfg: RunCfg, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run_chain(cfg, tmp_path_factory.mktemp("demo"))


def test_leaves_policy_figures_and_film(result: Result, cfg: RunCfg) -> None:
    assert result.done == tuple(stage.name for stage in stages_of(cfg, silent))
    assert OnnxPolicy.load(result.folder / "export").spec.task_name == "snackbox_push"
    assert result.evaluation["episodes"] == 8
    assert result.evaluation["seed"] >= 1_000_000 > cfg.seed
    if result.film is None:
        assert "install" in (result.folder / "film" / "no_film.txt").read_text().lower()
    else:
        assert result.film.stat().st_size > 10_000
    curve = [json.loads(line) for line in (result.folder / "train" / "curve.jsonl").read_text().splitlines()]
    assert [each["steps"] for each in curve] == [4096]
    assert "of 8 fresh episodes" in result.summary and "seen.mp4" in result.summary
    assert result.rehearsal is not None and (result.rehearsal["episodes"], result.rehearsal["seed"]) == (1, 7)
    simulated, rehearsed = result.summary.splitlines()[-2:]
    assert simulated.startswith("In simulation:") and rehearsed.startswith("Zero-shot to the emulated robot:")
    assert len(load_episodes(result.folder / "film" / "episodes.npz")) == 4
    page = (result.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "of 8 fresh episodes" in page and "not complete" not in page
    assert (result.folder / "report" / "human.mp4").stat().st_size > 10_000


@pytest.mark.requirement("H01")
@pytest.mark.requirement("H03")
def test_the_pictures_alone_give_nearly_the_task_that_the_truth_gives(result: Result) -> None:
    seen, true = load(result.folder / "task" / "task.h2s", TaskSpec), task_from_truth(BUNDLED)
    assert seen.side == true.side
    assert abs(seen.reference.duration - true.reference.duration) < 0.3
    for entry in (0, -1):
        place, angle = seen.reference.Ts_world_object[entry].distance(true.reference.Ts_world_object[entry])
        # Half a turn of a box is not seen: its poses all along are then turned by as much.
        assert place < 0.008 and min(angle, abs(angle - 3.14159)) < 0.1
    video = cv2.VideoCapture(str(result.folder / "seen" / "seen.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) >= 84


def test_what_is_done_is_kept_and_a_longer_training_keeps_what_was_seen(result: Result, cfg: RunCfg) -> None:
    assert run_chain(cfg, result.folder).done == ()
    told: list[Told] = []
    with pytest.raises(StageError, match="no stage 'learn'; there are: recording, object, track"):
        run_chain(cfg, result.folder, told.append, start="learn")
    same = stages_of(cfg, silent)
    for what, redone in (
        ({"steps": 8192}, ["train"]),
        ({"preset": "full"}, ["train"]),
        ({"engine": "warp"}, ["train", "judge", "film"]),
    ):
        other = stages_of(replace(cfg, **what), silent)
        assert [a.name for a, b in zip(other, same, strict=True) if a.settings != b.settings] == redone


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"task": "juggle"}, "snackbox_push"),
        ({"robot": "hal"}, "iiwa14_allegro"),
        ({"seed": 2_000_000}, "seed"),
        ({"recording": Path("nowhere"), "object": Path("thing.obj")}, "no recording at nowhere"),
        ({"recording": BUNDLED, "object": Path("thing.obj")}, "thing.obj says no mass.* --mass KILOGRAMS"),
        ({"recording": Path("nowhere")}, "the object that is moved"),
        ({"frames": (5, 2)}, "FIRST:LAST"),
        ({"steps": 0}, "at least 1"),
        ({"preset": "slow"}, "no preset 'slow'; there are: fast, full"),
        ({"engine": "ode"}, "no engine 'ode'; there are: mujoco, warp"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, settings: dict[str, object], says: str) -> None:
    given = {"task": "snackbox_push"} if "recording" not in settings else {}
    with pytest.raises(SchemaError, match=says):
        run_chain(RunCfg(**{**given, **settings}), tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_frames_are_two_numbers() -> None:
    assert parse_frames("53:88") == (53, 88)
    with pytest.raises(SchemaError, match="'53-88'; write FIRST:LAST"):
        parse_frames("53-88")
