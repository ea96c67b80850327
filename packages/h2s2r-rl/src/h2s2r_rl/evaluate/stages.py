"""What a reference asks for one after another, and how many episodes came through each part of it.

In:  a task, where objects are.   Out: how many episodes came through each stage.
Not here: what success is (schemas), episodes (judge).

Stages are read off the reference, by the same rule for all tasks: an object is slid while it lies as it began, tipped while it
leans and its lowest point is where it began, lifted while that is higher, and put down when it is not so any more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from h2s2r_schemas.artifacts import SUCCESS, TaskSpec, object_error
from h2s2r_schemas.se3 import SE3, quaternions
from h2s2r_sim.mdp.goal import sample
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


class Stages:
    """Watches episodes come through the stages of a task.

    One has come through a stage once the object was where the reference has it at the end of that stage, or of a later one, as
    near as success asks; through the last one with success alone.

    Args:
        task: what is asked for.
        num_envs: N environments that are watched.
    """

    def __init__(self, task: TaskSpec, num_envs: int) -> None:
        found = stages(task)
        self.names = tuple(f"{number}_{name}" for number, (name, _) in enumerate(found, 1))
        """Of each stage, with its number."""
        time = np.array([end for _, end in found[:-1]]) * task.reference.duration
        self._goals = sample(task.reference, time)
        self._symmetry = task.object.symmetry
        self._passed = np.zeros(num_envs, dtype=int)

    def see(self, wxyz_xyz_world_object: np.ndarray) -> None:
        """Look at the objects (N, 7) after a step."""
        for number, goal in enumerate(self._goals, 1):
            goals = SE3(np.broadcast_to(goal, wxyz_xyz_world_object.shape))
            position, rotation = object_error(SE3(wxyz_xyz_world_object), goals, self._symmetry)
            there = (position <= SUCCESS.position) & (rotation <= SUCCESS.rotation)
            self._passed[there] = np.maximum(self._passed[there], number)

    def passed(self, env_id: int, success: bool) -> int:
        """How many stages the episode of an environment came through."""
        return len(self.names) if success else int(self._passed[env_id])

    def forget(self, env_ids: np.ndarray) -> None:
        """Other episodes have begun in these environments."""
        self._passed[env_ids] = 0

    def counts(self, passed: Sequence[int]) -> dict[str, int]:
        """How many episodes came through each stage, from how many stages each came through."""
        return {name: int((np.asarray(passed) >= number).sum()) for number, name in enumerate(self.names, 1)}
