"""The URDF files that come with the package are what authoring/make.py writes.

In:  the authoring script.   Out: the committed bytes.
Not here: whether they describe the robots well (test_robot_folders).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from h2s2r_retarget.embodiment import embodiment_folder, embodiment_names

SCRIPT = Path(__file__).parents[1] / "authoring" / "make.py"


@pytest.mark.skipif(not SCRIPT.is_file(), reason="the authoring script is in the checkout, not in the wheel")
def test_making_them_again_gives_the_same_bytes(tmp_path):
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True)
    made = sorted(path.parent.name for path in tmp_path.glob("*/robot.urdf"))
    assert made == sorted(embodiment_names())
    for name in made:
        assert (tmp_path / name / "robot.urdf").read_bytes() == (embodiment_folder(name) / "robot.urdf").read_bytes(), (
            name
        )
