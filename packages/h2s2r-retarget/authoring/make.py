"""Write the URDF files of the robots we ship.

In:  nothing.   Out: ``<folder>/<robot>/robot.urdf`` for every robot; by default in the package's own folder.
Not here: robot.toml, which is written by hand.

Run ``python authoring/make.py`` from the package's folder; a test holds the committed files to what this writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from allegro import iiwa14_allegro
from description import urdf
from leap import iiwa14_leap
from umi import iiwa14_umi

ROBOTS = Path(__file__).parents[1] / "src" / "h2s2r_retarget" / "robots"


def main() -> None:
    """Write all of them into the folder named on the command line, or into the package."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROBOTS
    for robot in (iiwa14_allegro(), iiwa14_leap(), iiwa14_umi()):
        path = folder / robot.name / "robot.urdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(urdf(robot).encode())


if __name__ == "__main__":
    main()
