"""All figures, measured in this process.

In:  whether to run the long version.   Out: figures as a JSON file.
Not here: the process with one thread that runs this (benchmark).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from h2s2r_retarget.benchmark.arm import arm_figures
from h2s2r_retarget.benchmark.hand import hand_figures
from h2s2r_retarget.benchmark.ours import has_fast
from h2s2r_retarget.benchmark.paths import path_figures
from h2s2r_retarget.benchmark.problems import pose_problems, tip_problems
from h2s2r_retarget.benchmark.timing import import_figures
from h2s2r_retarget.embodiment import load_embodiment

ROBOT, SEED = "iiwa14_allegro", 0
ARM_TARGETS, HAND_TARGETS, HUMAN_HANDS = 1000, 1000, 200


def write_figures(path: str, slow: bool) -> None:
    """Measure, and write the figures to ``path``."""
    Path(path).write_text(json.dumps(figures(slow)), encoding="utf-8")


def figures(slow: bool) -> dict[str, Any]:
    """Figures of the arm, the hand, whole paths and the import, and which peers are missing."""
    robot = load_embodiment(ROBOT)
    rounds = 5 if slow else 2
    missing: set[str] = set() if has_fast() else {"numba"}
    found = arm_figures(pose_problems(robot, ARM_TARGETS, SEED), rounds, missing)
    found.update(hand_figures(tip_problems(robot, HAND_TARGETS, HUMAN_HANDS, SEED), rounds, slow, missing))
    found.update(path_figures(robot, SEED))
    found["limit_violations"] = found["arm_limit_violations"] + found["tip_limit_violations"]
    found.update(import_figures())
    found["peers_missing"] = ", ".join(sorted(missing)) or "none"
    return found
