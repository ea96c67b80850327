"""The main job, cut short: what a whole training reaches is measured by running it."""

import json

import pytest

pytest.importorskip("torch")

from h2s2r.demo import DemoCfg, Listener, run_demo, summary
from h2s2r_rl.train import load_checkpoint
from h2s2r_schemas.errors import SchemaError


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    stages, iterations = [], []
    listener = Listener(stage=stages.append, training=iterations.append)
    found = run_demo(DemoCfg(steps=4096, episodes=8), tmp_path_factory.mktemp("demo"), listener)
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
    assert len(stages) == 4
    assert len(iterations) == 1


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
