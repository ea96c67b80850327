"""Each gate catches a planted violation: a gate that lets everything through is worse than none.

In:  small planted trees under the checkout's own configuration.   Out: the gate fails, and says why.
Not here: the conventions one by one (test_conventions), the gates on the checkout itself (.ci/run runs them).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from h2s2r import isolate, requirements
from h2s2r_schemas.errors import H2S2RError

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
MEMBERS = ("schemas", "retarget", "sim", "rl", "perception", "hw")


def run(tool: str, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPTS / tool), *arguments]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A tree with the checkout's configuration and six empty packages."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in (*(f"packages/h2s2r-{m}/src/h2s2r_{m}" for m in MEMBERS), "tools/h2s2r"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text('"""Empty."""\n')
    shutil.copy(ROOT / "packages/h2s2r-schemas/ruff.toml", tmp_path / "packages/h2s2r-schemas")
    for target in ("h2s2r/cli", "h2s2r_sim/engines/mujoco", "h2s2r_hw/emulators/cell"):
        plant(tmp_path, target, "")
    return tmp_path


def plant(folder: Path, module: str, text: str) -> None:
    package = module.split("/", maxsplit=1)[0]
    place = "tools" if package == "h2s2r" else f"packages/{package.replace('_', '-')}/src"
    path = folder / place / f"{module}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    for parent in path.parents:
        if parent.name in ("src", "tools"):
            break
        (parent / "__init__.py").touch()
    path.write_text(text)


def test_ruff_catches_an_unused_import_and_a_bad_format(planted):
    assert run("ruff", "check", "--no-cache", ".", cwd=planted).returncode == 0
    plant(planted, "h2s2r_sim/x", "import os\nx = {  'a':1 }\n")
    checked = run("ruff", "check", "--no-cache", ".", cwd=planted)
    assert checked.returncode == 1
    assert "F401" in checked.stdout
    assert run("ruff", "format", "--no-cache", "--check", ".", cwd=planted).returncode == 1


def test_ruff_leaves_annotations_in_schemas_as_python_3_8_reads_them(planted):
    plant(planted, "h2s2r_schemas/x", "from typing import Dict\n\nSizes = Dict[str, int]\n")
    plant(planted, "h2s2r_sim/x", "from typing import Dict\n\nSizes = Dict[str, int]\n")
    checked = run("ruff", "check", "--no-cache", "--output-format=concise", ".", cwd=planted)
    assert "h2s2r_sim/x.py" in checked.stdout
    assert "h2s2r_schemas/x.py" not in checked.stdout


def test_pyright_is_strict_in_schemas_and_hw_and_catches_errors_elsewhere(planted):
    untyped = "def f(x):\n    return x\n"
    for module in ("h2s2r_schemas/x", "h2s2r_hw/x", "h2s2r_sim/fine"):
        plant(planted, module, untyped)
    plant(planted, "h2s2r_sim/wrong", "x: int = 'a'\n")
    plant(planted, "h2s2r_schemas/new", "match [1]:\n    case _:\n        x = 1\n")
    done = run("pyright", cwd=planted)
    assert done.returncode == 1
    wrong = {match.group(1) for match in re.finditer(r"(h2s2r_\w+/\w+)\.py:\d+:\d+ - error", done.stdout)}
    assert wrong == {"h2s2r_schemas/x", "h2s2r_hw/x", "h2s2r_sim/wrong", "h2s2r_schemas/new"}


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("h2s2r_schemas/x", "h2s2r_retarget"),
        ("h2s2r_schemas/x", "torch"),
        ("h2s2r_schemas/x", "zmq"),
        ("h2s2r_schemas/x", "scipy"),
        ("h2s2r_retarget/x", "h2s2r_sim"),
        ("h2s2r_retarget/x", "mujoco"),
        ("h2s2r_sim/x", "h2s2r_rl"),
        ("h2s2r_sim/x", "torch"),
        ("h2s2r_sim/engines/mujoco", "isaacgym"),
        ("h2s2r_rl/runner", "torch"),
        ("h2s2r_rl/x", "h2s2r_hw"),
        ("h2s2r_perception/x", "h2s2r_sim"),
        ("h2s2r_perception/x", "torch"),
        ("h2s2r_hw/x", "h2s2r_sim"),
        ("h2s2r_hw/loops/arm", "mujoco"),
        ("h2s2r_hw/emulators/cell", "torch"),
        ("h2s2r_hw/server/state", "h2s2r_hw.emulators.cell"),
        ("h2s2r_sim/mdp/rewards", "mujoco"),
        ("h2s2r_sim/mdp/rewards", "h2s2r_sim.engines.mujoco"),
        ("h2s2r_rl/evaluate", "h2s2r_perception"),
        ("h2s2r/x", "torch"),
        ("h2s2r_sim/x", "h2s2r.cli"),
    ],
)
def test_a_hole_in_a_wall_is_caught(module, imported, planted):
    plant(planted, module, f"import {imported}\n")
    done = lint_imports(planted)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("h2s2r_schemas/client", "zmq"),
        ("h2s2r_rl/train/ppo", "torch"),
        ("h2s2r_perception/networks/sam2", "torch"),
        ("h2s2r_hw/emulators/cell", "h2s2r_sim.engines.mujoco"),
        ("h2s2r_hw/cli", "h2s2r_hw.emulators.cell"),
        ("h2s2r_hw/x", "can"),
        ("h2s2r_sim/engines/warp/engine", "torch"),
        ("h2s2r_retarget/kinematics/pytorch_kinematics", "torch"),
        ("h2s2r_sim/x", "h2s2r_retarget"),
        ("h2s2r/x", "h2s2r_perception"),
    ],
)
def test_a_door_is_open(module, imported, planted):
    plant(planted, module, f"import {imported}\n")
    done = lint_imports(planted)
    assert done.returncode == 0, done.stdout


def lint_imports(planted: Path) -> subprocess.CompletedProcess[str]:
    sources = [str(planted / "tools"), *(str(path) for path in planted.glob("packages/*/src"))]
    # Ahead of the installed packages, so that the planted tree is the one that is read.
    code = f"import sys; sys.path[:0] = {sources!r}; from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-I", "-c", code, "--no-cache"]
    return subprocess.run(command, cwd=planted, capture_output=True, text=True, check=False)


def lonely(root: Path, name: str, test: str, pythons: list[str], only: str = "") -> None:
    """Plant a package that depends on iniconfig, with one test file."""
    member, module = root / "packages" / name, name.replace("-", "_")
    (member / "src" / module).mkdir(parents=True)
    (member / "tests").mkdir()
    (member / "src" / module / "__init__.py").write_text('"""Lonely."""\n')
    (member / "tests/test_it.py").write_text(f"import pytest\n\n{test}")
    member.joinpath("pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = ["iniconfig"]\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[tool.h2s2r.isolate]\npython = {pythons}\ntest-requires = ["pytest"]\n{only}\n'
    )


def test_isolation_catches_what_comes_along_uninvited_and_tests_that_fail(tmp_path):
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
        '[tool.pytest.ini_options]\nmarkers = ["slow: takes minutes; off by default"]\n'
    )
    passing = "def test_it():\n    import h2s2r_c\n\n@pytest.mark.slow\ndef test_long():\n    raise AssertionError\n"
    lonely(tmp_path, "h2s2r-a", passing, [here, "3.99"], only="only = []")
    lonely(tmp_path, "h2s2r-b", "def test_it():\n    import h2s2r_c\n", [here])
    lonely(tmp_path, "h2s2r-c", passing, [here])
    uninvited, missing, failing, alone = isolate.isolate(tmp_path, [], log=lambda line: None)
    assert not uninvited.ok
    assert "iniconfig came along" in uninvited.message
    assert not missing.ok
    assert "Python 3.99 was not found" in missing.message
    assert not failing.ok
    assert "its tests fail" in failing.message
    assert "No module named 'h2s2r_c'" in failing.message
    assert alone.ok, alone.message
    assert alone.message.startswith("1 passed, 1 deselected")
    assert alone.came_along["iniconfig"][1] > 0
    with pytest.raises(H2S2RError, match="there are: h2s2r-a, h2s2r-b, h2s2r-c"):
        isolate.isolate(tmp_path, ["h2s2r-nobody"], log=lambda line: None)


def test_an_unknown_requirement_is_caught(tmp_path):
    (tmp_path / "tests").mkdir()
    test = tmp_path / "tests" / "test_x.py"
    test.write_text('@pytest.mark.requirement("H99")\ndef test_x(): ...\n')
    with pytest.raises(H2S2RError, match=r"test_x\.py::test_x names requirement 'H99'"):
        requirements.rows(tmp_path)
    test.write_text('@pytest.mark.requirement("H11")\ndef test_x(): ...\n')
    shown = {row.id: row.tests for row in requirements.rows(tmp_path)}
    assert shown["H11"] == ["tests/test_x.py::test_x"]
    assert shown["H12"] == []
    test.write_text(
        'pytestmark = [pytest.mark.requirement("H11"), pytest.mark.slow]\nclass TestX:\n    def test_y(self): ...\n'
    )
    assert {row.id: row.tests for row in requirements.rows(tmp_path)}["H11"] == ["tests/test_x.py"]


def test_every_requirement_is_known_and_the_unshown_are_listed():
    rows = requirements.rows(ROOT)
    assert len(rows) == 109
    report = requirements.report(rows)
    missing = [row.id for row in rows if not row.shown and row.in_simulation != "out"]
    assert f"Nothing shows these {len(missing)} yet" in report
    hardware = [row.id for row in rows if row.in_simulation == "partly"]
    assert len(hardware) <= 7 and f"These {len(hardware)} need hardware" in report
    assert all(bool(row.hardware) == (row.id in hardware) for row in rows)
