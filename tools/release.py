"""Release one package: ``python tools/release.py h2s2r-schemas [--tag]``.

In:  a package whose CHANGELOG has a dated section for its version.   Out: ``dist/NAME-VERSION/`` with the wheel, the
changelog section and a ``uv.lock`` of the whole workspace as it was tested; with ``--tag``, the git tag.
Not here: uploading (a person does that, after looking).
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def changelog_section(text: str, version: str) -> str:
    """The section of a version in Keep-a-Changelog form.

    Raises:
        ValueError: there is none, it has no date, or it is empty.
    """
    found = re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if found is None or not found.group(1).strip():
        raise ValueError(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD` with content: write it first.")
    return found.group(0).strip() + "\n"


def release(root: Path, name: str, tag: bool) -> tuple[Path, str]:
    """Build everything of one release; returns its folder and the command that makes the tag, empty where it was made.

    Raises:
        ValueError: unknown package, two versions that differ, a changelog without this version, uncommitted changes, or an
            existing tag.
        subprocess.CalledProcessError: a build step failed; its output was shown.
    """
    member = root / "packages" / name
    if not (member / "pyproject.toml").is_file():
        names = ", ".join(sorted(path.parent.name for path in root.glob("packages/*/pyproject.toml")))
        raise ValueError(f"No package {name!r}; there are: {names}.")
    version = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    module = member / "src" / name.replace("-", "_") / "__init__.py"
    if f'__version__ = "{version}"' not in module.read_text(encoding="utf-8"):
        raise ValueError(f"{module.relative_to(root)} does not say __version__ = {version!r}, as pyproject.toml does.")
    section = changelog_section((member / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    label = f"{name}-v{version}"
    if _git(root, "status", "--porcelain", "--untracked-files=no"):
        raise ValueError("There are uncommitted changes: commit them, so that the tag stands for what was built.")
    if _git(root, "tag", "--list", label):
        raise ValueError(f"The tag {label} exists: a released version never changes; raise the version.")
    out = root / "dist" / f"{name}-{version}"
    shutil.rmtree(out, ignore_errors=True)
    uv = os.environ.get("UV", "uv")  # inside `uv run`, uv says where it is
    subprocess.run([uv, "build", "--package", name, "--out-dir", str(out)], cwd=root, check=True)
    subprocess.run([uv, "lock"], cwd=root, check=True)
    shutil.copy(root / "uv.lock", out / "uv.lock")
    (out / "CHANGES.md").write_text(section, encoding="utf-8")
    command = ["tag", "--annotate", label, "--cleanup=verbatim", "--file", str(out / "CHANGES.md")]
    if tag:
        _git(root, *command)
    return out, "" if tag else shlex.join(["git", *command])


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Release one package.")
    parser.add_argument("name", help="e.g. h2s2r-schemas")
    parser.add_argument("--tag", action="store_true", help="also make the git tag")
    chosen = parser.parse_args()
    try:
        folder, tag_command = release(ROOT, chosen.name, chosen.tag)
    except ValueError as error:
        sys.exit(f"release: {error}")
    sys.stdout.write(f"{folder}\n" + (f"To tag it: {tag_command}\n" if tag_command else ""))
