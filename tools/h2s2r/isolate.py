"""Each package alone: built, installed by plain pip from its wheel in a clean environment, imported, tested.

In:  the checkout.   Out: a ``Result`` per package and Python version.
Not here: which module may import which (import-linter reads the sources; this shows what really happens).

What a package needs for it stands in its pyproject.toml::

    [tool.h2s2r.isolate]
    python = ["3.8", "3.11"]          # versions to try
    only = ["numpy", "msgpack"]       # if given, nothing else may come along
    test-requires = ["pytest"]        # what its tests need besides
    extra-modules = ["pkg.client"]    # modules that need an extra, so are not imported here

Tests run under the marks of the checkout (``[tool.pytest.ini_options]`` of the root), so what is off by default there is off
here. A test that needs the library of an extra asks for it by ``pytest.importorskip`` and counts as skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from h2s2r.interpreters import find_python
from h2s2r_schemas.errors import H2S2RError

Log = Callable[[str], None]

#: Environments made at the same time: installing waits for the disk about as long as it computes.
_AT_ONCE = 2

#: Run inside the clean environment: import every module of a package, and say where it was imported from.
_IMPORT_ALL = """
import importlib, pkgutil, sys
package, skipped = importlib.import_module(sys.argv[1]), set(sys.argv[2:])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    # A __main__ is a program, not a module: importing it would run it.
    if module.name not in skipped and not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
print(package.__file__)
"""

#: Run inside it: what is installed, and how many bytes it has on disk.
_LIST = """
import importlib.metadata as metadata, json
found = {}
for d in metadata.distributions():
    size = sum(p.stat().st_size for p in map(d.locate_file, d.files or []) if p.is_file())
    found[d.metadata["Name"].lower().replace("_", "-")] = [d.version, size / 1e6]
print(json.dumps(found))
"""


@dataclass
class Result:
    """How one package did under one Python."""

    package: str
    """E.g. ``"h2s2r-schemas"``."""
    python: str
    """Version, e.g. ``"3.8"``."""
    ok: bool = False
    """Whether everything passed."""
    message: str = ""
    """What failed, or the closing line of its tests."""
    came_along: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Installed distributions: version and size [MB], without compiled bytecode."""

    @property
    def megabytes(self) -> float:
        """[MB] of all that was installed."""
        return sum(size for _, size in self.came_along.values())


def isolate(root: Path, packages: Sequence[str], log: Log) -> list[Result]:
    """Check the named packages (all if none) of the workspace at ``root``.

    Raises:
        H2S2RError: not a workspace, an unknown package, or a wheel that does not build.
    """
    members = {path.parent.name: path.parent for path in sorted(root.glob("packages/*/pyproject.toml"))}
    unknown = [name for name in packages if name not in members]
    if unknown or not members:
        raise H2S2RError(f"No package {unknown or ''} under {root}; there are: {', '.join(members) or 'none'}.")
    settings = {name: _settings(members[name]) for name in packages or members}
    with tempfile.TemporaryDirectory(prefix="h2s2r-isolate-") as folder:
        wheels = Path(folder) / "wheels"
        log("building all wheels")
        _checked(
            "building all wheels", [_uv(), "build", "--all-packages", "--wheel", "--out-dir", str(wheels)], cwd=root
        )
        _pin_siblings(wheels)
        ini = _test_settings(root)

        def one(name: str, version: str) -> Result:
            result = _one(members[name], version, settings[name], wheels, ini, Path(folder) / f"{name}-{version}")
            log(f"{name} on Python {version}: {'ok' if result.ok else 'FAILED'}")
            return result

        jobs = [(name, version) for name in settings for version in settings[name]["python"]]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(one, *zip(*jobs, strict=True)))


def _pin_siblings(wheels: Path) -> None:
    """Constraints that take every package of the workspace in the version just built, whatever newer one is on offer."""
    # By version and not by file: pip does not match a file to a requirement with an extra.
    built = [wheel.name.split("-")[:2] for wheel in wheels.glob("*.whl")]
    lines = [f"{name.replace('_', '-')}=={version}" for name, version in built]
    (wheels / "siblings.txt").write_text("\n".join(lines), encoding="utf-8")


def _test_settings(root: Path) -> str:
    """A ``pytest.ini`` with the marks of the checkout and the same of them off."""
    options = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {}).get("pytest", {})
    markers: list[str] = options.get("ini_options", {}).get("markers", [])
    off = [mark for mark, _, about in (line.partition(":") for line in markers) if "off by default" in about]
    chosen = " and ".join(f"not {mark}" for mark in off)
    return "\n  ".join(["[pytest]\nmarkers =", *markers]) + (f"\naddopts = -m '{chosen}'\n" if off else "\n")


def _settings(member: Path) -> dict[str, Any]:
    tables = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))
    settings = tables.get("tool", {}).get("h2s2r", {}).get("isolate")
    if settings is None:
        raise H2S2RError(f"{member.name}/pyproject.toml has no [tool.h2s2r.isolate]: say there which Pythons to try.")
    return settings


def _one(member: Path, version: str, settings: dict[str, Any], wheels: Path, ini: str, folder: Path) -> Result:
    result = Result(member.name, version)
    interpreter = find_python(version)
    if interpreter is None:
        result.message = (
            f"Python {version} was not found: install it, or name it in H2S2R_PYTHON_{version.replace('.', '_')}."
        )
        return result
    try:
        python = _environment(interpreter, folder)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        pip += ["--find-links", str(wheels), "--constraint", str(wheels / "siblings.txt")]
        _checked("installing it", [*pip, member.name], cwd=folder)
        listed = json.loads(_checked("listing what came along", [python, "-c", _LIST], folder))
        result.came_along = {name: tuple(version_and_size) for name, version_and_size in listed.items()}
        for part_of_every_environment in ("pip", "setuptools", "wheel"):
            result.came_along.pop(part_of_every_environment, None)
        _refuse_others(result, settings.get("only"))
        _import_all(python, member, settings.get("extra-modules", []), folder)
        if list(member.glob("tests/**/test_*.py")):
            _checked("installing what its tests need", [*pip, *settings["test-requires"]], cwd=folder)
            result.message = _test(python, member, ini, folder)
        else:
            result.message = "no tests yet"
        result.ok = True
    except H2S2RError as error:
        result.message = str(error)
    shutil.rmtree(folder, ignore_errors=True)
    return result


def _environment(interpreter: str, folder: Path) -> str:
    """A clean virtual environment; returns its interpreter."""
    _checked("making an environment", [interpreter, "-m", "venv", str(folder)], cwd=folder.parent)
    return str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")


def _refuse_others(result: Result, only: list[str] | None) -> None:
    if only is not None:
        others = sorted(set(result.came_along) - set(only) - {result.package})
        if others:
            raise H2S2RError(f"{', '.join(others)} came along; {result.package} may bring {', '.join(only)} alone.")


def _import_all(python: str, member: Path, skipped: Sequence[str], folder: Path) -> None:
    module = member.name.replace("-", "_")
    imported = _checked("importing each of its modules", [python, "-c", _IMPORT_ALL, module, *skipped], cwd=folder)
    where = imported.strip().splitlines()[-1]
    if not Path(where).resolve().is_relative_to(folder.resolve()):
        raise H2S2RError(f"{module} was imported from {where}, not from its wheel.")


def _test(python: str, member: Path, ini: str, folder: Path) -> str:
    """Run the package's own tests on the installed wheel; returns pytest's closing line."""
    # Outside the checkout, so that no source folder can stand in for the wheel.
    tests = folder / "tests"
    shutil.copytree(member / "tests", tests)
    (tests / "pytest.ini").write_text(ini, encoding="utf-8")
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    command += ["--strict-markers", "--tb=short"]
    done = _run([*command, str(tests)], cwd=folder)
    if done.returncode:
        raise H2S2RError("its tests fail:\n" + "\n".join(done.stdout.strip().splitlines()[-30:]))
    return done.stdout.strip().splitlines()[-1]


def _run(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)


def _checked(what: str, command: Sequence[str], cwd: Path) -> str:
    done = _run(command, cwd)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise H2S2RError(f"{what} failed:\n{last}")
    return done.stdout


def _uv() -> str:
    # Inside `uv run`, uv says where it is.
    return os.environ.get("UV") or shutil.which("uv") or "uv"


def report(results: list[Result]) -> str:
    """Results for a person."""
    lines = []
    for result in results:
        verdict = "ok    " if result.ok else "FAILED"
        lines.append(
            f"{verdict} {result.package} on Python {result.python}: {result.megabytes:.0f} MB; {result.message}"
        )
        along = (f"{name} {version} ({size:.1f} MB)" for name, (version, size) in sorted(result.came_along.items()))
        lines.append("       " + ", ".join(along))
    return "\n".join(lines)
