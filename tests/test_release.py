"""A release is refused until its parts agree, and then holds what it says.

In:  a small workspace in git.   Out: refusals that name what is missing; a folder with wheel, changes, lock, and a tag.
Not here: uploading (nobody's but a person's).
"""

from __future__ import annotations

import importlib.util
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTION = "## [0.2.0] - 2027-01-31\n\n### Added\n\n- A thing.\n"


def load_script():
    spec = importlib.util.spec_from_file_location("release", ROOT / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


release = load_script()


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    member = tmp_path / "packages" / "h2s2r-x"
    (member / "src" / "h2s2r_x").mkdir(parents=True)
    (member / "src" / "h2s2r_x" / "__init__.py").write_text('"""X."""\n\n__version__ = "0.2.0"\n', encoding="utf-8")
    (member / "CHANGELOG.md").write_text(
        f"# Changes\n\n## [Unreleased]\n\n{SECTION}\n## [0.1.0] - 2026-11-21\n\n- Old.\n"
    )
    (member / "pyproject.toml").write_text(
        '[project]\nname = "h2s2r-x"\nversion = "0.2.0"\nrequires-python = ">=3.11"\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    (tmp_path / ".gitignore").write_text("uv.lock\ndist/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    for variable in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "x@example.org")
    return tmp_path


def test_a_release_holds_wheel_changes_and_lock_and_is_tagged_when_asked(workspace):
    folder, command = release.release(workspace, "h2s2r-x", tag=False)
    assert folder == workspace / "dist" / "h2s2r-x-0.2.0"
    assert (folder / "CHANGES.md").read_text() == SECTION
    assert 'name = "h2s2r-x"' in (folder / "uv.lock").read_text()
    with zipfile.ZipFile(folder / "h2s2r_x-0.2.0-py3-none-any.whl") as wheel:
        assert "h2s2r_x/__init__.py" in wheel.namelist()
    assert command.startswith("git tag --annotate h2s2r-x-v0.2.0 ")
    assert git(workspace, "tag") == ""
    _, command = release.release(workspace, "h2s2r-x", tag=True)
    assert command == ""
    assert "- A thing." in git(workspace, "tag", "--list", "-n9", "h2s2r-x-v0.2.0")
    with pytest.raises(ValueError, match=r"h2s2r-x-v0\.2\.0 exists"):
        release.release(workspace, "h2s2r-x", tag=False)


@pytest.mark.parametrize(
    ("path", "old", "new", "refusal"),
    [
        ("CHANGELOG.md", "[0.2.0]", "[0.3.0]", r"no section `## \[0.2.0\]"),
        ("CHANGELOG.md", " - 2027-01-31", "", r"no section `## \[0.2.0\]"),
        ("CHANGELOG.md", "### Added\n\n- A thing.\n", "", "with content"),
        ("src/h2s2r_x/__init__.py", "0.2.0", "0.1.0", "does not say __version__ = '0.2.0'"),
        ("src/h2s2r_x/__init__.py", '"""X."""', '"""Y."""', "uncommitted changes"),
    ],
)
def test_a_release_is_refused(path, old, new, refusal, workspace):
    changed = workspace / "packages" / "h2s2r-x" / path
    changed.write_text(changed.read_text().replace(old, new))
    with pytest.raises(ValueError, match=refusal):
        release.release(workspace, "h2s2r-x", tag=False)
    assert not (workspace / "dist").exists()


def test_an_unknown_package_is_refused_with_the_known_ones(workspace):
    with pytest.raises(ValueError, match="there are: h2s2r-x"):
        release.release(workspace, "h2s2r-y", tag=False)


def test_every_package_has_one_version_and_a_changelog():
    for pyproject in ROOT.glob("packages/*/pyproject.toml"):
        member = pyproject.parent
        version = release.tomllib.loads(pyproject.read_text())["project"]["version"]
        module = member / "src" / member.name.replace("-", "_") / "__init__.py"
        assert f'__version__ = "{version}"' in module.read_text()
        assert "## [Unreleased]" in (member / "CHANGELOG.md").read_text()
