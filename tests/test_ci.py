""".ci/run runs every gate, goes on after one that fails, and fails then itself.

In:  the script, and a stand-in for uv that notes what it is asked.   Out: exit codes, and the closing table.
Not here: the gates themselves (test_gates).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
GATES = ["ruff check", "ruff format --check", "pyright", "lint-imports", "mkdocs build", "h2s2r isolate", "pytest"]


def run(folder: Path, failing: str) -> subprocess.CompletedProcess[str]:
    (folder / ".ci").mkdir(exist_ok=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    uv = folder / "bin" / "uv"
    uv.parent.mkdir(exist_ok=True)
    uv.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/asked"\ncase "$*" in *"{failing}"*) exit 3;; esac\n')
    uv.chmod(0o755)
    env = {**os.environ, "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([str(folder / ".ci" / "run")], env=env, capture_output=True, text=True, check=False)


def test_it_passes_where_every_gate_passes(tmp_path):
    done = run(tmp_path, failing="nothing")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [next(line for line in asked if line.startswith(f"run {gate}")) for gate in GATES]
    assert "FAILED" not in done.stdout


def test_a_gate_that_fails_is_named_and_the_others_still_run(tmp_path):
    done = run(tmp_path, failing="pyright")
    assert done.returncode == 1
    (failed,) = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed.endswith("uv run pyright")
    assert (tmp_path / "asked").read_text().splitlines()[-1] == "run pytest"
