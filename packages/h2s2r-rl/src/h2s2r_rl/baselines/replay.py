"""Playing back what the human's hand did, without looking, or moved to where the object was first seen.

In:  ``JointPath``, observations.   Out: ``Replay``, ``ObjectAwareReplay``: actions that are joint targets.
Not here: the path (demonstration), which environment belongs to it (methods).
"""

from __future__ import annotations

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.solve import Solver, SolverCfg
from h2s2r_rl.baselines.demonstration import JointPath
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp.observations import object_pose

#: The observation that an object-aware replay looks at, once.
OBSERVATION = ((object_pose.__name__, {}),)


class Replay:
    """The human's path, blindly: joint targets by the clock alone.

    Args:
        path: of the robot.
        embodiment: the robot.
    """

    def __init__(self, path: JointPath, embodiment: Embodiment) -> None:
        self._path, self._robot = path, embodiment.spec()
        self._step = np.zeros(0, dtype=np.int64)

    def reset(self, env_ids: np.ndarray | None = None) -> None:
        """Begin episodes ``env_ids`` anew, or all."""
        if env_ids is None:
            self._step = np.zeros(0, dtype=np.int64)
        else:
            self._step[env_ids] = 0

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Actions (N, J): the joint positions of the next step, from -1 at the lower limit to 1 at the upper."""
        if len(self._step) != len(obs):
            self._step = np.zeros(len(obs), dtype=np.int64)
        self._look(obs, np.flatnonzero(self._step == 0))
        self._step += 1
        joint_pos = self._targets(np.minimum(self._step, len(self._path.joint_pos) - 1))
        lower, upper = self._robot.position_lower, self._robot.position_upper
        return 2.0 * (joint_pos - lower) / (upper - lower) - 1.0

    def _look(self, obs: np.ndarray, env_ids: np.ndarray) -> None:
        """Episodes ``env_ids`` begin, and this is what is seen."""

    def _targets(self, step: np.ndarray) -> np.ndarray:
        """Joint positions (N, J) at steps (N)."""
        return self._path.joint_pos[step]


class ObjectAwareReplay(Replay):
    """The human's path, moved and turned on the table as the object was when it was first seen.

    Args:
        path: of the robot.
        embodiment: the robot.
        task: gives where the object was.
    """

    def __init__(self, path: JointPath, embodiment: Embodiment, task: TaskSpec) -> None:
        super().__init__(path, embodiment)
        self._T_world_object = task.reference.Ts_world_object[0]
        self._solver = Solver(embodiment.chain, poses=(embodiment.palm_frame,), cfg=SolverCfg(restarts=0))
        self._moved = np.zeros((0, *path.joint_pos.shape))

    def _look(self, obs: np.ndarray, env_ids: np.ndarray) -> None:
        if len(self._moved) != len(obs):
            self._moved = np.repeat(self._path.joint_pos[None], len(obs), 0)
        if not len(env_ids):
            return
        Ts_world_moved = self.offset(obs[env_ids])
        Ts_world_palm = Ts_world_moved[:, None] @ SE3(self._path.Ts_world_palm.wxyz_xyz[None])
        guess = np.repeat(self._path.joint_pos[None], len(env_ids), 0)
        joint_pos = np.asarray(self._solver.solve(Ts_world_palm[:, :, None], guess=guess).joint_pos)
        # The hand does what it did.
        arm = self._robot.num_arm_joints
        self._moved[env_ids] = np.concatenate([joint_pos[..., :arm], guess[..., arm:]], -1)

    def offset(self, obs: np.ndarray) -> SE3:
        """(K) how objects seen as ``obs`` (K, 9) say were shifted on the table and turned about the vertical."""
        position, first, second = obs[:, :3], obs[:, 3:6], obs[:, 6:9]
        rotation = np.stack([first, second, np.cross(first, second)], -1) @ self._T_world_object.rotation_matrix().T
        yaw = np.arctan2(rotation[:, 1, 0] - rotation[:, 0, 1], rotation[:, 0, 0] + rotation[:, 1, 1])
        zero = np.zeros_like(yaw)
        turn = np.stack([np.cos(yaw / 2), zero, zero, np.sin(yaw / 2)], -1)
        about = SE3.from_parts(turn, np.zeros((len(obs), 3)))
        shift = (position - about.apply(self._T_world_object.translation[None])) * (1.0, 1.0, 0.0)
        return SE3.from_parts(turn, shift)

    def _targets(self, step: np.ndarray) -> np.ndarray:
        return self._moved[np.arange(len(step)), step]
