"""The command line of experiments and probes, with jobs that take no time."""

import numpy as np
import pytest

from h2s2r_rl.cli import experiments as verbs
from h2s2r_rl.cli import main
from h2s2r_rl.experiment import Result, Score
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.task import load_task


def pretend(jobs, folder, workers, done):
    """Every policy succeeds in 9 of 10 episodes; replays fail to be made."""
    found = []
    folder.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        if "replay" in job.method:
            done(job, SchemaError("no hand path"))
            continue
        curve = [[0.0, 0.1, 0.2, 0.0], [1000.0, 0.9, 0.5, 9.0]] if job.method == "policy" else []
        scores = {level: Score(10, 9, {"stuck": 1}, 7) for level in ("standard", "paper")}
        found.append(Result(job, scores, "h2s2r-rl …", "a machine", "now", curve=curve))
        done(job, found[-1])
    return found


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(verbs, "run_jobs", pretend)
    monkeypatch.setattr(verbs, "_draw", lambda results, path: path.write_text("drawn"))


def test_a_table_says_what_failed_and_keeps_the_rest(quick, tmp_path, capsys):
    assert main(["experiment", "table", "plate_push", "--seeds", "0", "1", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "| plate_push | 90 (70–97) |" in said.out
    assert "replay-iiwa14_allegro-0: failed: no hand path" in said.err
    assert "4 of 6 jobs" in said.err
    assert (tmp_path / "table.md").read_text() in said.out
    assert (tmp_path / "table.svg").exists()


def test_ablations_and_one_job(quick, tmp_path, capsys):
    command = [
        "experiment",
        "ablations",
        "plate_push",
        "--ablations",
        "fixed_target",
        "--seeds",
        "0",
        "--out",
        str(tmp_path),
    ]
    assert main(command) == 0
    assert "| plate_push | fixed_target | 90" in capsys.readouterr().out
    assert main(["experiment", "one", "plate_push", "--seed", "5", "--out", str(tmp_path)]) == 0
    assert "plate_push-policy-iiwa14_allegro-5: 90.0 %" in capsys.readouterr().err


def test_what_cannot_be_done_is_said(quick, tmp_path, capsys):
    for command, says in (
        (["experiment", "ablations"], "needs a task"),
        (["experiment", "one", "plate_push", "--method", "magic"], "no method 'magic'"),
        (["probe", str(tmp_path), "--seed", "1", "--what", "taste"], "noise, pushes, placements"),
    ):
        assert main(command) == 2
        assert says in capsys.readouterr().err


class Still:
    """Does nothing; as a loaded policy is found in tests of what is printed."""

    spec = None

    def reset(self, env_ids=None):
        pass

    def act(self, obs):
        return np.zeros((len(obs), 11))


def test_probes_print_what_they_find_and_draw_it(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(verbs, "loaded", lambda path: (Still(), load_task("snackbox_push")))
    cfg = EnvCfg(start=StartCfg(pool=8, min_valid=0.05))
    monkeypatch.setattr(verbs, "env_cfg_of", lambda spec: cfg)
    command = ["probe", "somewhere", "--seed", "1", "--episodes", "1", "--threads", "1", "--out", str(tmp_path)]
    assert main(command) == 0
    said = capsys.readouterr().out
    for expected in ("noise x 3: 0.0 %", "pushes x 0: 0.0 %", "everything: 0.0 %", "contacts of 0 successes"):
        assert expected in said
    assert said.count("placed ") == 25
    assert {each.name for each in tmp_path.iterdir()} == {"noise.svg", "pushes.svg", "placements.svg", "contacts.svg"}
