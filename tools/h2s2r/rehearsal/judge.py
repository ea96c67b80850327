"""Whether a rehearsed episode succeeded, and how it failed: by the endings of evaluation, on what truly happened.

In:  a rollout, the truth at its times.   Out: ``Verdict``.
Not here: the definition of success (schemas), endings (h2s2r_sim.env), what the policy saw (the rollout).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.evaluate import env_cfg_of
from h2s2r_schemas.artifacts import FAILURE_KINDS, PolicySpec, Rollout, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import for_evaluation
from h2s2r_sim.engine import EngineState, StartState
from h2s2r_sim.env.endings import Endings
from h2s2r_sim.env.knowledge import Now
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.tracking import Placed, TrackedObject, TrackingError, tracking_error

_ONE = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Verdict:
    """Of one episode."""

    success: bool
    """By the definition that holds for everybody."""
    failure: str
    """One of ``FAILURE_KINDS``; empty for a success, and for an episode that was stopped before it had failed."""
    position_error: float
    """[m] of the object from the reference, at last."""
    rotation_error: float
    """[rad] likewise, within its symmetry."""


class Judge:
    """Of episodes of one policy.

    Args:
        spec: of the policy: gives the goal's clock and the rate.
        task: that it does.
        embodiment: the robot.
    """

    def __init__(self, spec: PolicySpec, task: TaskSpec, embodiment: Embodiment) -> None:
        cfg = for_evaluation(env_cfg_of(spec))
        self._tracked, self._body, self._dt = TrackedObject.of(task), Body.of(embodiment), 1.0 / spec.control_hz
        self.path = GoalPath(cfg.goal, task.reference, self._dt, self._tracked)
        self._endings = Endings(cfg.termination, 1, self.path, float(task.scene.wxyz_xyz_world_table[6]))

    def judge(self, rollout: Rollout, joint_pos: np.ndarray, wxyz_xyz_world_object: np.ndarray) -> Verdict:
        """One episode.

        Args:
            rollout: as the runner wrote it, T rows.
            joint_pos: (T, J) [rad; m] true, at its times.
            wxyz_xyz_world_object: (T, 7) likewise.
        """
        step = np.round((rollout.time - rollout.time[0]) / self._dt).astype(np.int64)
        index = np.minimum(np.round(rollout.goal_time / self._dt).astype(np.int64), self.path.last)
        # The clock of the goal stands at its end only once the whole duration has passed.
        index = np.where(rollout.goal_time >= self.path.duration - 1e-9, self.path.last, index)
        start = self._now(joint_pos[0], wxyz_xyz_world_object[0], index[:1])
        ended, error = None, start.judged
        self._endings.begin(_ONE, step[:1], index[:1], start, np.zeros(1, dtype=bool))
        for row in range(1, len(step)):
            now = self._now(joint_pos[row], wxyz_xyz_world_object[row], index[row : row + 1])
            ended, error = self._endings.update(step[row : row + 1], index[row : row + 1], now), now.judged
            if ended.terminated[0] or ended.truncated[0]:
                break
        kind = int(ended.failure[0]) if ended is not None else -1
        return Verdict(
            success=ended is not None and bool(ended.success[0]),
            failure=FAILURE_KINDS[kind] if kind >= 0 else "",
            position_error=float(error.position[0]),
            rotation_error=float(error.rotation[0]),
        )

    def _now(self, joint_pos: np.ndarray, wxyz_xyz: np.ndarray, index: np.ndarray) -> Now:
        state = EngineState.at_rest(StartState(joint_pos[None], wxyz_xyz[None]))
        goal, reference = self.path.target.take(index), self.path.reference.take(index)
        return Now(
            state=state,
            frames=self._body.frames(joint_pos[None]),
            placed=self._tracked.placed(SE3(wxyz_xyz[None]), SE3(goal.wxyz_xyz_world_object)),
            wxyz_xyz_world_goal=goal.wxyz_xyz_world_object,
            error=self._error(wxyz_xyz, goal),
            judged=self._error(wxyz_xyz, reference),
        )

    def _error(self, wxyz_xyz: np.ndarray, aimed: Placed) -> TrackingError:
        placed = self._tracked.placed(SE3(wxyz_xyz[None]), SE3(aimed.wxyz_xyz_world_object))
        return tracking_error(placed, aimed.wxyz_xyz_world_object, aimed.p_world_anchors)
