"""What N robots know and what is true of them, as observations, rewards and endings need it.

In:  ``EngineState``, sensors, the goal clock.   Out: ``Now``; what the robots remember; ``Seen``.
Not here: which terms an observation has (mdp.observations), noise (sensors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from h2s2r_schemas.se3 import SE3
from h2s2r_sim.engine import EngineState
from h2s2r_sim.env.sensors import Sensors
from h2s2r_sim.mdp.actions import ActionState
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.observations import Seen, remembered
from h2s2r_sim.mdp.tracking import Placed, TrackedObject, TrackingError, anchor_distance, tracking_error
from h2s2r_sim.rows import Rows, copy_rows, take


@dataclass(frozen=True)
class Now:
    """The true state of N environments, and what follows from it."""

    state: EngineState
    """Of the worlds."""
    frames: tuple[np.ndarray, np.ndarray]
    """Palm (N, 4, 4) and fingertips (N, F, 3) in the world [m], by the measured joints."""
    placed: Placed
    """(N) the object, turned within its symmetry to be near the goal."""
    wxyz_xyz_world_goal: np.ndarray
    """(N, 7) what is aimed at."""
    error: TrackingError
    """(N) from what is aimed at: rewarded."""
    judged: TrackingError
    """(N) from the reference: decides success."""

    @property
    def hand_distance(self) -> np.ndarray:
        """(N) [m] mean distance of the fingertips from the object's origin."""
        offset = self.frames[1] - self.state.wxyz_xyz_world_object[:, None, 4:]
        distance = np.sqrt(np.add.reduce(offset * offset, -1))
        return np.add.reduce(distance, -1) / distance.shape[-1]


class Knowledge:
    """What N robots know: their sensors, and what they remember of the object.

    Args:
        body: the robot.
        tracked: the object.
        path: the goal's.
        sensors: of the robots.
        memory: L, how many steps are remembered.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_placed", "_past")

    def __init__(self, body: Body, tracked: TrackedObject, path: GoalPath, sensors: Sensors, memory: int) -> None:
        self._body, self._tracked, self._path, self._sensors = body, tracked, path, sensors
        num_envs, anchors = len(sensors.object_age), len(tracked.anchor_points)
        self._placed = Placed(np.zeros((num_envs, 7)), np.zeros((num_envs, 3, 3)), np.zeros((num_envs, anchors, 3)))
        self._past = np.zeros((num_envs, memory, anchors, 3))

    def forget(self, env_ids: np.ndarray, goal_index: np.ndarray) -> None:
        """Begin episodes ``env_ids`` (K) with what the sensors say now, as if it had always been so."""
        self._place(env_ids, goal_index[env_ids])
        self._past[env_ids] = self._placed.p_world_anchors[env_ids, None]

    def update(self, goal_index: np.ndarray) -> None:
        """Take in what the sensors say now; ``goal_index`` (N) is the clock so far."""
        self._place(slice(None), goal_index)
        self._past = remembered(self._past, self._placed.p_world_anchors)

    def seen_error(self, goal_index: np.ndarray) -> np.ndarray:
        """(N) [m] mean anchor-point error of the objects as seen."""
        return anchor_distance(self._placed.p_world_anchors, self._path.target.p_world_anchors[goal_index])

    def look(self, state: EngineState, goal_index: np.ndarray, rows: Rows) -> Now:
        """The truth about the environments ``rows``."""
        state, index = take(state, rows), goal_index[rows]
        goal, reference = self._path.target.take(index), self._path.reference
        placed = self._tracked.placed(SE3(state.wxyz_xyz_world_object), SE3(goal.wxyz_xyz_world_object))
        error = tracking_error(placed, goal.wxyz_xyz_world_object, goal.p_world_anchors)
        judged = error
        if self._path.cfg.target != "full":
            at = reference.take(index)
            true = self._tracked.placed(SE3(state.wxyz_xyz_world_object), SE3(at.wxyz_xyz_world_object))
            judged = tracking_error(true, at.wxyz_xyz_world_object, at.p_world_anchors)
        frames = self._body.frames(self._sensors.joint_pos[rows])
        return Now(state, frames, placed, goal.wxyz_xyz_world_object, error, judged)

    def seen(self, now: Now, goal_index: np.ndarray, actions: ActionState, last_action: np.ndarray, rows: Rows) -> Seen:
        """What the robots ``rows`` know; the other arguments are of all N."""
        sensors, (palm, fingertips) = self._sensors, now.frames
        return Seen(
            body=self._body,
            path=self._path,
            joint_pos=sensors.joint_pos[rows],
            frames=(palm[rows], fingertips[rows]),
            joint_vel=sensors.joint_vel[rows],
            joint_pos_target=actions.joint_pos_target[rows],
            placed=take(self._placed, rows),
            p_world_anchors_past=self._past[rows],
            object_age=sensors.object_age[rows],
            goal_index=goal_index[rows],
            last_action=last_action[rows],
        )

    def _place(self, rows: Rows, index: np.ndarray) -> None:
        T_world_goal = SE3(self._path.target.wxyz_xyz_world_object[index])
        seen = self._tracked.placed(SE3(self._sensors.wxyz_xyz_world_object[rows]), T_world_goal)
        copy_rows(self._placed, rows, seen, slice(None))
