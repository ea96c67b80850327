"""Makes the modules that tests share importable, registers their marks, and finds the real recording.

In:  pytest.   Out: this folder on the path, registered marks, the fixture ``mug_real``.
Not here: tests.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config):
    config.addinivalue_line("markers", "requirement(id): the row of requirements.md that this test shows")
    config.addinivalue_line("markers", "slow: takes long; off by default in the checkout")


@pytest.fixture(scope="session")
def mug_real(tmp_path_factory):
    """The real recording as a ``Demo``, if this machine has it: its licence does not let it be in the repository."""
    from h2s2r_perception.convert import convert

    places = [os.environ.get("H2S2R_RECORDINGS", ""), Path(__file__).parents[4] / "shared/recordings"]
    for place in filter(None, places):
        if (Path(place) / "mug_real/camera.json").is_file():
            source = Path(place) / "mug_real"
            return source, convert(source, tmp_path_factory.mktemp("demo") / "mug_real")
    pytest.skip("the real recording mug_real is not on this machine (set H2S2R_RECORDINGS to the folder that holds it)")
