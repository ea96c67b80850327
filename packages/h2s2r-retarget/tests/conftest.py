"""Lets tests import what they share (``robots_for_tests``, ``hands_for_tests``), in the checkout and beside the wheel alone.

In:  pytest.   Out: this folder on the path, registered marks.
Not here: fixtures.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id): the row of requirements.md that this test shows")
