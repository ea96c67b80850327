"""What tests of pages need: a browser without a display; and this folder on the path.

In:  pytest.   Out: the fixture ``browser``.
Not here: tests.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

#: Of the system; playwright's own is taken where none of them is there.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, driven by playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: uv sync")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    with sync_api.sync_playwright() as playwright:
        try:
            # Without its own sandbox, as containers have none to offer; it opens our own pages alone.
            opened = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
            )
        except sync_api.Error as error:
            pytest.skip(f"no browser here (apt-get install chromium, or uv run playwright install chromium): {error}")
        yield opened
        opened.close()
