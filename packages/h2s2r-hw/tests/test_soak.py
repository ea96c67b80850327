"""What is sent is replied to and logged, in a short soak here and in one of ten minutes in the slow tests.

In:  the whole server on an emulated cell in virtual time.   Out: figures.
Not here: a day of it (`h2s2r-hw soak`, whose figures are committed).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from h2s2r_hw.emulators.rehearsal import benchmark
from h2s2r_hw.emulators.rehearsal.soak import EQUAL, NONE, run_soak, soak_failures


def soak(hours: float, tmp_path: Path):
    # Sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        figures = run_soak(Path(folder), hours, 1, tmp_path / "soak.json", lambda line: None)
    assert json.loads((tmp_path / "soak.json").read_text()) == figures
    return figures


def test_half_a_minute(tmp_path):
    figures = soak(27.0 / 3600.0, tmp_path)
    assert figures["failure"] == "" and figures["finished"] and figures["hours_asked"] < figures["hours"]
    assert figures["commands_sent"] > 100 and figures["arm_ticks_logged"] > 5000 and figures["hand_ticks_logged"] > 8000
    for one, _ in EQUAL:
        assert soak_failures(figures | {one: -1})
    for name in NONE:
        assert soak_failures(figures | {name: 1})
    assert soak_failures(figures | {"hours": 2.0, "memory_slope_mib_per_hour": 1.5})


@pytest.mark.slow
def test_ten_minutes(tmp_path):
    figures = soak(10.0 / 60.0, tmp_path)
    assert figures["failure"] == "" and figures["commands_sent"] > 30_000
    assert figures["memory_slope_mib_per_hour"] < 60.0


def test_one_that_is_stopped_says_what_it_has_shown(tmp_path):
    looks = iter(range(10**6))
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        figures = run_soak(Path(folder), 24.0, 1, tmp_path / "soak.json", lambda line: None, lambda: next(looks) > 400)
    assert figures["failure"] == "" and 0.0 < figures["hours"] < 0.01 and figures["hours_asked"] == 24.0
    assert figures["arm_ticks_logged"] == figures["arm_ticks"] > 1000


def test_the_benchmark_shows_a_soak_that_was_kept_and_whether_it_was_of_other_sources(tmp_path):
    kept = tmp_path / "soak.json"
    assert benchmark._kept(kept) == {}
    kept.write_text(json.dumps({"hours": 24.0, "failure": "", "sources": "another"}))
    assert benchmark._kept(kept) == {"soak_kept_hours": 24.0, "soak_kept_stale": True}
