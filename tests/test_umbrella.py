"""The umbrella command: its verbs, and benchmarks by name.

In:  the command line, and planted benchmarks.   Out: one line per verb; figures alone on stdout; refusals that say what is there.
Not here: the gates behind its verbs (test_gates), the benchmarks of the packages.
"""

from __future__ import annotations

import json
import sys
import types
from importlib.metadata import EntryPoint

import pytest

from h2s2r import bench, cli
from h2s2r_schemas.errors import H2S2RError


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["h2s2r", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Benchmarks ``good``, which writes to stdout as it runs, and ``bad``, which returns no number."""

    def good(slow: bool = False) -> dict[str, object]:
        sys.stdout.write("a library says hello\n")
        return {"ratio": 2.5, "cases": 10 if slow else 1, "exact": True, "engine": "mujoco"}

    module = types.ModuleType("planted_benchmarks")
    module.__dict__.update(good=good, bad=lambda slow=False: {"ratio": float("nan")}, SHOWS={"ratio": ["H03"]})
    monkeypatch.setitem(sys.modules, "planted_benchmarks", module)
    points = [EntryPoint(name, f"planted_benchmarks:{name}", bench.GROUP) for name in ("good", "bad")]
    monkeypatch.setattr(bench, "entry_points", lambda group: points)


def test_alone_it_lists_every_verb_with_one_line_each(monkeypatch, capsys):
    assert command(monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    for verb in ("bench", "requirements", "isolate"):
        (line,) = [line for line in lines if f"• {verb} " in line]
        assert line.rstrip(" │").endswith(".")


def test_benchmarks_are_listed_and_run_by_name(planted, monkeypatch, capsys):
    assert command(monkeypatch, "bench") == 0
    assert capsys.readouterr().out.split() == ["bad", "good"]
    assert command(monkeypatch, "bench", "good") == 0
    assert "ratio   2.5" in capsys.readouterr().out
    assert bench.shows("good") == {"ratio": ["H03"]}


def test_with_json_stdout_holds_one_flat_object_and_nothing_else(planted, monkeypatch, capsys):
    assert command(monkeypatch, "bench", "good", "--json", "--slow") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"ratio": 2.5, "cases": 10, "exact": True, "engine": "mujoco"}
    assert "a library says hello" in printed.err


def test_what_is_no_figure_is_refused(planted):
    with pytest.raises(H2S2RError, match="bad gives ratio = nan"):
        bench.run("bad")


def test_an_unknown_benchmark_is_refused_with_the_known_ones(planted, monkeypatch, capsys):
    assert command(monkeypatch, "bench", "speed") == 2
    assert "No benchmark is called 'speed'; there are: bad, good." in capsys.readouterr().err


def test_verbs_that_read_the_sources_say_where_to_run_them(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, "requirements") == 2
    assert "is not in a checkout of h2s2r" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [(KeyboardInterrupt(), 130, "goes on with it"), (OSError(28, "No space left on device"), 2, "No space left")],
)
def test_a_stop_or_a_full_disk_ends_in_one_line(raised, status, says, monkeypatch, capsys):
    def fails(*_: object) -> int:
        raise raised

    monkeypatch.setattr(cli, "_run", fails)
    assert command(monkeypatch, "demo") == status
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("h2s2r: ") and says in error


def test_seeds_are_only_for_benchmarks_that_take_them(planted, monkeypatch, capsys):
    assert command(monkeypatch, "bench", "good", "--seeds", "3", "4") == 2
    assert "seeds of its own" in capsys.readouterr().err
    monkeypatch.setattr(sys.modules["planted_benchmarks"], "good", lambda slow, seeds=(): {"sum": sum(seeds)})
    assert bench.run("good", seeds=(3, 4)) == {"sum": 7}


def test_a_part_is_made_anew_only_where_results_are_kept(planted, monkeypatch, capsys):
    assert command(monkeypatch, "bench", "good", "--rerun", "snackbox_push") == 2
    assert "measures everything anew" in capsys.readouterr().err
    monkeypatch.setattr(
        sys.modules["planted_benchmarks"], "good", lambda slow, rerun="", seed=0: {f"{rerun}_seed": seed}
    )
    assert bench.run("good", rerun="snackbox_push", seed=3) == {"snackbox_push_seed": 3}
    assert command(monkeypatch, "bench", "good", "--seed", "3") == 2
    assert "give --rerun too" in capsys.readouterr().err
