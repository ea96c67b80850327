"""Jobs, results, tables and figures: what was done is kept with how it was made, and nothing is done twice."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from jobs_for_tests import fake_work

from h2s2r_rl.benchmark import committed
from h2s2r_rl.benchmark.sources import folder_hash, sources_hash
from h2s2r_rl.experiment import Job, Result, Score, ablation_jobs, do, load_result, run_jobs, table_jobs
from h2s2r_rl.experiment.report import PAPER_DIFFERENCES, ablation_table, differences, steps_to, table
from h2s2r_rl.experiment.work import read_curve, result_path, train_cfg
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_sim.config import ablated


def result(task="snackbox_push", method="policy", seed=0, successes=90, sources="now", **more):
    scores = {level: Score(100, n, {"stuck": 100 - n}, 7) for level, n in (("standard", successes), ("paper", 50))}
    job_more = {key: more.pop(key) for key in ("ablation", "robot", "preset") if key in more}
    job = Job(task, method, seed, **job_more)
    return Result(job, scores | more.pop("checks", {}), "h2s2r-rl …", "a machine", sources, **more)


def test_a_result_is_kept_as_it_is(tmp_path):
    whole = result(cpu_seconds=300.0, steps=4096, curve=[[4096.0, -1.0, 0.5, 3.0]])
    path = tmp_path / "one.json"
    path.write_text(whole.to_json(), encoding="utf-8")
    assert load_result(path) == whole
    for text, says in (("nonsense", "no result"), ("{}", "no result"), ('{"version": 99}', "version 99")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SchemaError, match=says):
            load_result(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"method": "magic"}, "object_aware_replay"),
        ({"ablation": "gravity"}, "fixed_target"),
        ({"preset": "huge"}, "fast"),
        ({"method": "replay", "ablation": "far_start"}, "Ablations are of the policy"),
    ],
)
def test_impossible_jobs_are_refused(change, says):
    with pytest.raises(SchemaError, match=says):
        Job("snackbox_push", **change)


def test_a_table_has_every_method_on_every_task_with_every_seed():
    jobs = table_jobs(("snackbox_push", "plate_push"), seeds=(0, 1))
    assert len(jobs) == len({job.name for job in jobs}) == 2 * (2 + 1 + 1 + 2)
    assert {job.evaluation_seed for job in jobs if job.seed == 1} == {Job("plate_push", seed=1).evaluation_seed}
    assert all(job.transfer == (job.method == "policy") for job in jobs)
    assert len(table_jobs()) == 7 * (3 + 1 + 1 + 3)


@pytest.mark.requirement("H41")
def test_ablations_change_one_thing_of_the_training():
    jobs = ablation_jobs(("plate_push",), ("fixed_target", "no_randomisation"), seeds=(0,))
    assert [job.ablation for job in jobs] == ["", "fixed_target", "no_randomisation"]
    plain = train_cfg(jobs[0])
    for job in jobs[1:]:
        assert train_cfg(job).env == ablated(plain.env, job.ablation)
        assert replace(train_cfg(job), env=plain.env) == plain


def test_jobs_are_done_in_parallel_and_one_that_fails_stops_no_other(tmp_path):
    jobs = [Job("snackbox_push", "behaviour_cloning", 1), Job("snackbox_push", seed=13), Job("snackbox_push", seed=2)]
    told = []
    found = run_jobs(jobs, tmp_path, 1, lambda job, outcome: told.append((job.seed, type(outcome))), fake_work)
    assert [each.job.seed for each in found] == [1, 2]
    assert told[-1] == (1, Result)
    assert (13, SchemaError) in told


def test_a_job_is_done_once_for_the_same_sources(tmp_path):
    job = Job("snackbox_push", "replay", episodes=1)
    first = do(job, tmp_path)
    assert first.sources == sources_hash(first.job.task)
    assert set(first.scores) == {"standard", "paper"}
    assert first.command == "h2s2r-rl experiment one snackbox_push --method replay --episodes 1"
    # What is on disk counts, as long as the sources are the same.
    path = result_path(tmp_path, job)
    lucky = replace(first, scores={"standard": Score(1, 1, {}, 0), "paper": Score(1, 1, {}, 0)})
    path.write_text(lucky.to_json(), encoding="utf-8")
    assert do(job, tmp_path) == lucky
    path.write_text(replace(lucky, sources="others").to_json(), encoding="utf-8")
    assert do(job, tmp_path) == first


def test_cloning_needs_what_it_clones(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(SchemaError, match="do snackbox_push-policy-iiwa14_allegro-0 first"):
        do(Job("snackbox_push", "behaviour_cloning"), tmp_path)


def test_a_curve_counts_an_iteration_once(tmp_path):
    path = tmp_path / "curve.jsonl"
    rows = [(1, math.nan, 0.1), (2, 0.2, 0.2), (2, 0.3, 0.3), (3, 0.4, 0.4)]
    text = [
        json.dumps({"iteration": i, "steps": 10 * i, "success": s, "reward": r, "cpu_seconds": 1.0}) for i, s, r in rows
    ]
    path.write_text("\n".join(text), encoding="utf-8")
    assert read_curve(path) == [[10.0, -1.0, 0.1, 1.0], [20.0, 0.3, 0.3, 1.0], [30.0, 0.4, 0.4, 1.0]]


BOTH = [
    result(),
    result(seed=1, successes=100),
    result(method="replay", successes=20),
    result("plate_push", successes=50),
]


@pytest.mark.requirement("H39")
@pytest.mark.requirement("H40")
def test_the_table_shows_everything_and_the_claimed_differences():
    text = table(BOTH)
    assert "| snackbox_push | 95 (91–97) | 20 (13–29) |" in text
    assert "| plate_push | 50 (40–60) | – |" in text
    assert differences(BOTH) == pytest.approx({"replay": 75.0})
    assert f"| replay | +{PAPER_DIFFERENCES['replay']:.0f} | +75 |" in text
    assert "| behaviour_cloning | +68 | not measured |" in text
    assert "10 stuck" in text


@pytest.mark.requirement("H43")
def test_ablations_are_compared_by_steps():
    curve = [[1000.0, 0.9, 0.0, 0.0], [2000.0, 0.5, 0.0, 0.0], [3000.0, 0.8, 0.0, 0.0], [4000.0, 0.9, 0.0, 0.0]]
    assert steps_to(curve, 0.8) == 3000.0
    assert steps_to(curve, 0.95) is None
    text = ablation_table([result(curve=curve), result(ablation="far_start", successes=10)])
    assert "| snackbox_push | nothing | 90 (83–94) | 1 | 3k |" in text
    assert "| snackbox_push | far_start | 10 (6–17) | 1 | never |" in text


@pytest.mark.requirement("H44")
def test_curves_have_a_band_over_seeds(tmp_path):
    curves = pytest.importorskip("h2s2r_rl.experiment.curves")
    low = [[0.0, -1.0, 0.1, 0.0], [100.0, 0.5, 0.2, 1.0]]
    high = [[0.0, 0.2, 0.3, 0.0], [200.0, 1.0, 0.4, 1.0]]
    steps, worst, mean, best = curves.band([low, high], curves.SUCCESS)
    assert (steps[0], steps[-1]) == (0.0, 100.0)
    assert (worst[0], best[0], worst[-1]) == (0.0, 0.2, 0.5)
    assert (worst <= mean).all() and (mean <= best).all()
    curves.draw_curves([result(curve=low), result(seed=1, curve=high)], tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text()


class TestFigures:
    def test_keys_of_the_issue(self):
        checks = {"half_step": Score(100, 85, {}, 7)}
        # One task reached its bar, the other did not.
        everything = [
            result(cpu_seconds=300.0, checks=checks),
            result("plate_push", successes=96, cpu_seconds=480.0, checks={"half_step": Score(100, 90, {}, 7)}),
            result(method="replay", successes=20),
            result(method="object_aware_replay", successes=30),
            result(method="behaviour_cloning", successes=40),
            result(robot="iiwa14_leap", successes=88),
        ]
        found = committed.figures(everything, lambda task: "now")
        assert found["success_mean"] == pytest.approx(0.93)
        assert found["success_worst"] == 0.90
        assert found["cpu_minutes_median_push_pivot"] == 6.5
        # Only of a task that reached its bar.
        assert found["transfer_drop_max"] == pytest.approx(0.06)
        assert [found[f"minus_{name}"] for name in PAPER_DIFFERENCES] == pytest.approx([70.0, 60.0, 50.0])
        assert found["snackbox_push_success"] == 0.9
        assert found["snackbox_push_iiwa14_leap_success"] == 0.88
        assert found["snackbox_push_failures"] == "10 stuck"
        assert found["snackbox_push_replay"] == 0.2
        assert found["stale"] is False

    def test_drops_are_of_all_seeds_of_a_task_and_the_worst_seed_is_beside_them(self):
        both = [
            result(successes=100, checks={"a": Score(100, 90, {}, 7), "b": Score(100, 98, {}, 7)}),
            result(seed=1, successes=98, checks={"a": Score(100, 98, {}, 7), "b": Score(100, 88, {}, 7)}),
        ]
        found = committed.figures(both, lambda task: "now")
        assert found["snackbox_push_transfer_drop"] == found["transfer_drop_max"] == pytest.approx(0.06)
        assert found["snackbox_push_transfer_drop_worst_seed"] == pytest.approx(0.10)

    def test_stages_are_over_all_seeds(self):
        both = [result(), result(seed=1), result(seed=2)]
        for each, lifted in zip(both, (80, 50), strict=False):
            each.scores["standard"] = replace(each.scores["standard"], stages={"1_lift": lifted, "2_put_down": 10})
        found = committed.figures(both, lambda task: "now")
        assert found["snackbox_push_stage_1_lift"] == pytest.approx(0.65)
        assert found["snackbox_push_stage_2_put_down"] == pytest.approx(0.10)

    def test_other_sources_are_stale_and_leave_the_means(self):
        found = committed.figures([result(sources="before")], lambda task: "now")
        assert found["stale"] is True
        assert found["success_mean"] == 0.9

    def test_all_committed_results_can_be_read(self):
        found = committed.run()
        assert found["results"] == len(list(committed.RESULTS.glob("*.json")))
        assert all(isinstance(value, (int, str)) or np.isfinite(value) for value in found.values())

    def test_one_is_made_anew_by_task_and_seed(self, monkeypatch):
        monkeypatch.setattr(committed, "do", lambda job, folder: replace(result(), job=job))
        assert committed.run(rerun="plate_push", seed=3)["plate_push_seeds"] == 1

    def test_what_is_made_anew_is_trained_as_what_is_kept(self):
        kept = [result(task="plate_lift_rack", preset="full"), result(task="plate_push")]
        assert committed.anew("plate_lift_rack", 4, kept) == Job(
            "plate_lift_rack", seed=4, preset="full", transfer=True
        )
        assert committed.anew("pitcher_pour", 4, kept) == Job("pitcher_pour", seed=4, transfer=True)


def test_sources_of_a_task_are_all_files_but_results_and_other_tasks(tmp_path):
    def found():
        return folder_hash(tmp_path, "mine")

    tasks = tmp_path / "assets" / "tasks"
    for folder in (tmp_path / "results", tasks):
        folder.mkdir(parents=True)
    (tmp_path / "a.py").write_text("1")
    (tasks / "mine.toml").write_text("1")
    before = found()
    (tmp_path / "results" / "one.json").write_text("{}")
    (tasks / "other.toml").write_text("1")
    assert found() == before
    (tasks / "mine.toml").write_text("2")
    task_changed = found()
    (tmp_path / "a.py").write_text("2")
    changed = found()
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({before, task_changed, changed, found()}) == 4
    with pytest.raises(H2S2RError, match="not installed"):
        sources_hash("plate_push", ("h2s2r_nothing",))
