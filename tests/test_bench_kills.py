"""A chain that is killed and given again ends as one that nobody killed, and the benchmark that says so can see where not.

In:  a small chain of stages that take their time.   Out: its result, the benchmark's counts.
Not here: the demo itself (h2s2r bench kills).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from h2s2r import bench_kills
from h2s2r.bench_kills import kill_and_resume, others
from h2s2r_schemas.errors import H2S2RError

CHAIN = """
import sys, time
from pathlib import Path
from h2s2r.chain.stage import Stage, run_stages
folder, start = Path(sys.argv[1]), sys.argv[2] or None
def stage(name, needs):
    def work(given):
        text = "".join((given.of(other) / "out").read_text() for other in needs)
        at = given.folder / "at"
        for step in range(int(at.read_text() or 0) if at.exists() else 0, 50):
            time.sleep(0.008)
            at.write_text(str(step + 1))
        (given.folder / "out").write_text(text + name)
    return Stage(name, name, work, needs)
run_stages([stage("a", ()), stage("b", ("a",)), stage("c", ("a", "b"))], folder, start=start)
"""
SECONDS = {"a": 0.4, "b": 0.4, "c": 0.4}


def test_killed_at_any_moment_it_ends_the_same_and_repeats_no_finished_stage(tmp_path: Path) -> None:
    found = kill_and_resume(["-c", CHAIN, str(tmp_path), ""], tmp_path, SECONDS, kills=8, seed=5)
    assert found["chain_kills"] >= 3 and found["chain_kills_stages"] >= 2
    assert found["chain_stages_repeated"] == 0
    assert (tmp_path / "c" / "out").read_text() == "aabc"


def test_a_chain_that_begins_anew_is_seen(tmp_path: Path) -> None:
    found = kill_and_resume(["-c", CHAIN, str(tmp_path), "a"], tmp_path, SECONDS, kills=3, seed=1)
    assert found["chain_stages_repeated"] > 0


def test_a_chain_that_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(H2S2RError, match="although nobody had killed it"):
        kill_and_resume(["-c", CHAIN, str(tmp_path), "d"], tmp_path, SECONDS, kills=1, seed=0)


def test_results_are_compared_byte_by_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_kills, "RESULTS", ("a/out", "b/out"))
    for run, texts in (("whole", "xy"), ("killed", "xz")):
        for stage, text in zip("ab", texts, strict=True):
            (tmp_path / run / stage).mkdir(parents=True)
            (tmp_path / run / stage / "out").write_text(text)
    assert others(tmp_path / "whole", tmp_path / "killed") == 1
    assert others(tmp_path / "whole", tmp_path / "whole") == 0
