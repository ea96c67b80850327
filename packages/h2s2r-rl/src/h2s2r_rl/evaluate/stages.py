"""What a reference asks for one after another, and how many episodes came through each part of it.

In:  a task, how much of the reference each episode left behind.   Out: how many came through each stage.
Not here: what success is (schemas), episodes (judge).

Stages are read off the reference, by the same rule for all tasks: an object is slid while it lies as it began, tipped while it
leans and its lowest point is where it began, lifted while that is higher, and put down when it is not so any more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.se3 import quaternions
from h2s2r_sim.task.anchors import object_points

SLIDE, TIP, LIFT, PUT_DOWN = "slide", "tip", "lift", "put_down"
#: [m] by which the lowest point of a lifted object is higher, and [rad] by which a tipped one leans.
_LIFTED, _TIPPED = 0.02, float(np.deg2rad(15.0))
#: [m] by which something that slides gets away at least.
_AWAY = 0.01


def stages(task: TaskSpec) -> tuple[tuple[str, float], ...]:
    """Names of the stages of a task, and how much of the reference is behind at the end of each: the last ends at 1."""
    reference = task.reference
    poses = reference.Ts_world_object
    lowest = (poses.rotation_matrix()[:, 2] @ object_points(task.object).T).min(1) + poses.translation[:, 2]
    turn = quaternions.log(quaternions.multiply(poses.wxyz, quaternions.conjugate(poses.wxyz[:1])))
    lifted = lowest > lowest[0] + _LIFTED
    put_down = np.logical_or.accumulate(lifted) & ~lifted
    tipped = np.linalg.norm(turn[:, :2], axis=-1) > _TIPPED
    kinds = np.select([put_down, lifted, tipped], [PUT_DOWN, LIFT, TIP], SLIDE)
    then = int(np.argmax(kinds != SLIDE))
    if not _slides(poses.translation[:then]):
        # It only stood there, or rose a little, until then.
        kinds[:then] = kinds[then]
    ends = np.append(np.flatnonzero(kinds[1:] != kinds[:-1]), len(kinds) - 1)
    return tuple((str(kinds[end]), float(reference.time[end] / reference.duration)) for end in ends)


def _slides(translation: np.ndarray) -> bool:
    """Whether positions (T, 3) [m] lead away by more than what a tracked object at rest does."""
    return bool(np.linalg.norm((translation - translation[:1])[:, :2], axis=-1).max(initial=0.0) > _AWAY)


def came_through(task: TaskSpec, phases: Sequence[float], successes: int) -> dict[str, int]:
    """How many episodes came through each stage; through the last one those that succeeded.

    Args:
        task: what was asked for.
        phases: of each episode, how much of the reference was behind it when it ended, in [0, 1].
        successes: how many succeeded.
    """
    found: dict[str, int] = {}
    *before, last = stages(task)
    for number, (name, end) in enumerate(before, 1):
        found[f"{number}_{name}"] = int((np.asarray(phases) >= end).sum())
    return found | {f"{len(before) + 1}_{last[0]}": successes}
