"""What a policy knows and wants on one robot: the code of the environment, with a batch of one.

In:  ``RobotState``, object poses.   Out: observations; joint targets.
Not here: when to act (run), the terms themselves (h2s2r_sim.mdp).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import PolicySpec, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.wire import RobotState
from h2s2r_sim.mdp import observations
from h2s2r_sim.mdp.actions import ActionMap
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalCfg, GoalPath
from h2s2r_sim.mdp.observations import Seen, remembered
from h2s2r_sim.mdp.tracking import Placed, TrackedObject, anchor_distance


@dataclass(frozen=True)
class Sight:
    """The object as last seen."""

    wxyz_xyz_world_object: np.ndarray
    """(7)."""
    time: float
    """[s] when, on the robot's clock."""


class Mind:
    """One episode of one policy.

    Args:
        spec: of the policy.
        task: gives the goal.
        embodiment: the robot.
    """

    def __init__(self, spec: PolicySpec, task: TaskSpec, embodiment: Embodiment) -> None:
        self.control_dt = 1.0 / spec.control_hz
        self.body, self.tracked = Body.of(embodiment), TrackedObject.of(task)
        self.path = GoalPath(GoalCfg.from_data(spec.goal_clock), task.reference, self.control_dt, self.tracked)
        self.actions = ActionMap.from_data(spec.action_map, self.body, self.control_dt)
        self.terms = observations.terms_of(spec.obs_layout)
        self.goal_index = np.zeros(1, dtype=np.int64)
        self._action_state = self.actions.start(np.zeros((1, len(spec.joint_names))))
        self._last_action = np.zeros((1, spec.num_actions))
        self._placed = self._place(Sight(task.reference.wxyz_xyz_world_object[0], 0.0))
        self._past = np.zeros((1, 1, 0, 3))

    def begin(self, state: RobotState, sight: Sight) -> None:
        """Start an episode here, as if the object had always been where it is seen."""
        self.goal_index = np.zeros(1, dtype=np.int64)
        self._action_state = self.actions.start(state.joint_pos[None])
        self._last_action = np.zeros_like(self._last_action)
        self._placed = self._place(sight)
        self._past = np.repeat(self._placed.p_world_anchors[:, None], observations.memory_length(self.terms), 1)

    def look(self, sight: Sight) -> None:
        """A policy step has passed: take in what is seen now, and let the goal move on."""
        self._placed = self._place(sight)
        self._past = remembered(self._past, self._placed.p_world_anchors)
        error = anchor_distance(self._placed.p_world_anchors, self.path.target.p_world_anchors[self.goal_index])
        self.goal_index = self.path.advance(self.goal_index, error)

    def observe(self, state: RobotState, sight: Sight) -> np.ndarray:
        """(1, O) the observation, float32."""
        joint_pos = state.joint_pos[None]
        seen = Seen(
            body=self.body,
            path=self.path,
            joint_pos=joint_pos,
            frames=self.body.frames(joint_pos),
            joint_vel=state.joint_vel[None],
            joint_pos_target=self._action_state.joint_pos_target,
            placed=self._placed,
            p_world_anchors_past=self._past,
            object_age=np.array([max(0.0, state.time - sight.time)]),
            goal_index=self.goal_index,
            last_action=self._last_action,
        )
        return observations.observe(seen, self.terms).astype(np.float32)

    def target(self, action: np.ndarray, state: RobotState) -> np.ndarray:
        """(J) [rad; m] where the joints shall go, for an action (1, A)."""
        self._action_state = self.actions.apply(self._action_state, action, state.joint_pos[None])
        self._last_action = np.asarray(action, dtype=np.float64).copy()
        return self._action_state.joint_pos_target[0].copy()

    def _place(self, sight: Sight) -> Placed:
        goal = SE3(self.path.target.wxyz_xyz_world_object[self.goal_index])
        return self.tracked.placed(SE3(np.asarray(sight.wxyz_xyz_world_object)[None]), goal)
