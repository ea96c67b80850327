"""Lets tests run from this package's wheel alone: the marks they use, and what they share (``faults_for_tests``).

In:  pytest.   Out: registered marks, this folder on the path.
Not here: fixtures.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id): the row of requirements.md that this test shows")
