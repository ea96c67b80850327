"""What the READMEs promise: their code runs, their links lead somewhere, and a package without code says so.

In:  the Markdown files of the checkout.   Out: no broken promise.
Not here: figures in them (the benchmarks).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(package / "README.md" for package in PACKAGES)]
NOT_YET = "Not there yet"


def code_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_its_code_runs(page, tmp_path):
    # One after the other, as a reader runs them: a later block may use what an earlier one found.
    code = "\n".join(code_blocks(page))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_its_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_it_opens_with_what_comes_in_and_goes_out_and_shows_code_where_there_is_any(package):
    text = (package / "README.md").read_text(encoding="utf-8")
    opening = "\n".join(text.splitlines()[:8])
    assert "**In:**" in opening
    assert "**Out:**" in opening
    empty = [path.name for path in package.glob("src/**/*.py")] == ["__init__.py"]
    assert (NOT_YET in text) == empty
    assert bool(code_blocks(package / "README.md")) != empty
