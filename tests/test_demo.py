"""The main job, cut short: what a whole training reaches is measured by running it."""

import json
import shutil

import cv2
import pytest

pytest.importorskip("torch")

from h2s2r.demo import DemoCfg, Listener, run_demo, seen_task, summary
from h2s2r_rl.train import load_checkpoint
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate import BUNDLED, task_from_truth


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    stages, iterations = [], []
    listener = Listener(stage=stages.append, training=iterations.append)
    found = run_demo(DemoCfg(task="snackbox_push", steps=4096, episodes=8), tmp_path_factory.mktemp("demo"), listener)
    return found, stages, iterations


def test_leaves_policy_figures_and_film(result):
    found, stages, iterations = result
    assert load_checkpoint(found.folder / "policy.pt")["task_name"] == "snackbox_push"
    figures = json.loads((found.folder / "demo.json").read_text())
    assert figures["episodes"] == 8
    assert figures["success"] == found.evaluation.success
    assert figures["episode_seed"] >= 1_000_000 > figures["train_seed"]
    if found.film is None:
        assert "install" in found.no_film.lower()
    else:
        assert found.film.stat().st_size > 10_000
    assert len(stages) == 3
    assert len(iterations) == 1


@pytest.mark.requirement("H01")
@pytest.mark.requirement("H03")
@pytest.mark.timeout(900)
def test_the_pictures_alone_give_nearly_the_task_that_the_truth_gives(tmp_path):
    # Whatever tells the truth is not even there.
    recording, stages, looked = tmp_path / "snackbox_push", [], []
    shutil.copytree(
        BUNDLED, recording, ignore=shutil.ignore_patterns("truth.h2s", "scene_gt.json", "??????_??????.png")
    )
    listener = Listener(stage=stages.append, seeing=lambda *step: looked.append(step))
    seen = seen_task(DemoCfg(recording=recording), tmp_path / "out", listener)
    true, folder = task_from_truth(BUNDLED), tmp_path / "out"
    assert load(folder / "task.h2s").name == "snackbox_push"
    assert len(stages) == 2 and "first moves" in stages[1] and len(looked) > 84
    assert seen.side == true.side
    assert abs(seen.reference.duration - true.reference.duration) < 0.3
    for entry in (0, -1):
        place, angle = seen.reference.Ts_world_object[entry].distance(true.reference.Ts_world_object[entry])
        # Half a turn of a box is not seen: its poses all along are then turned by as much.
        assert place < 0.008 and min(angle, abs(angle - 3.14159)) < 0.1
    video = cv2.VideoCapture(str(folder / "seen.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) >= 84


def test_summary_says_what_was_found(result):
    text = summary(result[0])
    assert "of 8 fresh episodes" in text
    assert "policy.pt" in text


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"task": "juggle"}, "snackbox_push"), ({"robot": "hal"}, "iiwa14_allegro"), ({"seed": 2_000_000}, "seed")],
)
def test_what_is_not_there_is_refused(tmp_path, settings, says):
    with pytest.raises(SchemaError, match=says):
        run_demo(DemoCfg(**settings), tmp_path / "out")
    assert not (tmp_path / "out").exists()
