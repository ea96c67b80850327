"""``h2s2r bench chain`` takes its figures from what the runs left, and measures nothing twice.

In:  folders as the chain leaves them.   Out: figures.
Not here: the runs themselves (test_demo), rehearsals (test_rehearse).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from h2s2r import bench_chain
from h2s2r.rehearsal import RehearsalCfg


class Found:
    """What a rehearsal came to."""

    def __init__(self, success: float) -> None:
        self.success = success

    def record(self) -> dict[str, Any]:
        return {"success": self.success}


def a_run(folder: Path) -> None:
    for stage, seconds, name, success in (
        ("export", 1.5, "", 0.0),
        ("judge", 30.0, "evaluation.json", 0.96),
        ("rehearse", 60.0, "rehearsal.json", 0.9),
    ):
        (folder / stage).mkdir(parents=True)
        (folder / stage / "done.json").write_text(json.dumps({"key": "k", "files": {}, "seconds": seconds}))
        if name:
            (folder / stage / name).write_text(json.dumps({"success": success}))
    (folder / "export" / "policy.h2s").write_bytes(b"policy")


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_chain, "FOLDER", tmp_path)
    asked: list[RehearsalCfg] = []
    done: list[list[str]] = []

    def do(what: list[str], folder: Path, seed: int) -> float:
        done.append([*what, str(seed)])
        if not folder.exists():
            a_run(folder)
        return 2.5

    def rehearse(policy: Path, robot: str, cfg: RehearsalCfg) -> Found:
        asked.append(cfg)
        return Found(0.93)

    monkeypatch.setattr(bench_chain, "_do", do)
    monkeypatch.setattr(bench_chain, "rehearse", rehearse)
    monkeypatch.setattr(bench_chain, "_calm", lambda folder, seed: 0.98)
    monkeypatch.setattr(bench_chain, "real_recording", lambda: None)
    figures = bench_chain.run(seeds=(77,))
    assert figures == {
        "success": 0.96,
        "lost_to_noise": pytest.approx(0.02),
        "rehearsal_success": 0.93,
        "rehearsal_shown": 0.9,
        "wall_minutes": pytest.approx(91.5 / 60),
        "peak_memory_gib": 2.5,
        "export_s": 1.5,
        "judge_s": 30.0,
        "rehearse_s": 60.0,
    }
    assert (asked[0].episodes, asked[0].tracked, asked[0].noise) == (100, False, "standard")
    assert bench_chain.run(seeds=(77,)) == figures and len(asked) == 1  # kept
    (tmp_path / "mug_real").mkdir()
    (tmp_path / "mug_real" / "mug.obj").write_text("")
    monkeypatch.setattr(bench_chain, "real_recording", lambda: tmp_path / "mug_real")
    slow = bench_chain.run(slow=True, seeds=(77,))
    assert slow["rehearsal_tracked_success"] == slow["real_rehearsal"] == 0.93 and slow["real_success"] == 0.96
    assert [each.tracked for each in asked] == [False, True, False]
    assert done[-1][:2] == ["run", str(tmp_path / "mug_real")] and done[-1][-1] == "77"
    assert "--mass" in done[-1]  # a mesh says none


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is looked up in Linux's /proc")
def test_memory_of_a_process_and_those_below_it() -> None:
    assert 0.01 < bench_chain.held(os.getpid()) < 64.0
    # What this process itself holds changes meanwhile; a child's does not.
    script = (
        "import sys; sys.stdout.write('here\\n'); sys.stdout.flush(); sys.stdin.readline(); block = bytearray(2**28); "
        "sys.stdout.write('here\\n'); sys.stdout.flush(); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdin is not None
        child.stdout.readline()
        before = bench_chain.held(child.pid)
        child.stdin.write(b"now\n")
        child.stdin.flush()
        child.stdout.readline()
        assert bench_chain.held(child.pid) - before == pytest.approx(1 / 4, abs=0.02)
        assert bench_chain.held(os.getpid()) > 1 / 4
        child.stdin.close()
