"""How many resets are valid, judged by looking at each initial state anew.

In:  how many resets.   Out: share of valid ones per task and robot, and the smallest.
Not here: how starts are found (env.start): the judge shares none of its code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from h2s2r_retarget.embodiment import Embodiment, embodiment_names, load_embodiment
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandPose, TaskSpec
from h2s2r_schemas.se3 import SE3, quaternions
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import EngineState
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import STANDARD, Perturbation
from h2s2r_sim.scene.model import build_model
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.task import load_task, task_names

#: Resets under one seed, which draw from as many starts; the next seed has starts of its own.
PER_SEED = 1000
#: [m] a resting object may be in what it rests on.
RESTING = 0.001
#: Of positions [m] and angles [rad] that are to be met exactly.
_EXACT = 1e-6
#: [m], [rad] by which the palm may be off besides the noise of the joints: that of inverse kinematics.
_PALM = (0.003, math.radians(3.0))


def measure(resets: int = 10_000, seed: int = 0) -> dict[str, float]:
    """Share of valid resets under the headline noise: ``reset_valid_TASK_ROBOT``, and the smallest as ``reset_valid``."""
    figures: dict[str, float] = {}
    for robot in embodiment_names():
        for name in task_names():
            task = load_task(name)
            figures[f"reset_valid_{name}_{robot}"] = valid_share(
                task, load_embodiment(robot, task.side), STANDARD, resets, seed
            )
    return {"reset_valid": min(figures.values()), **figures}


def valid_share(task: TaskSpec, embodiment: Embodiment, noise: Perturbation, resets: int, seed: int) -> float:
    """Share of an environment's first states that nothing is wrong with."""
    count = min(resets, PER_SEED)
    cfg = EnvCfg(perturbation=noise, start=StartCfg(pool=count))
    env, inspector = make_env(task, embodiment, count, cfg), Inspector(task, embodiment, noise)
    valid = 0
    for turn in range(math.ceil(resets / count)):
        env.reset(seed + turn)
        wrong = inspector.wrong(env.now.state)
        valid += sum(not each for each in wrong[: resets - turn * count])
    return valid / resets


@dataclass
class Inspector:
    """Looks at initial states of one task and robot, in a MuJoCo model of its own.

    Args:
        task: where the object shall be, and the hand beside it.
        embodiment: the robot.
        noise: by how much starts may differ; the size of the object is that of the model.
    """

    task: TaskSpec
    embodiment: Embodiment
    noise: Perturbation

    def __post_init__(self) -> None:
        self._model = build_model(self.task, self.embodiment, SceneOptions(visuals=False)).model
        self._data = mujoco.MjData(self._model)
        T_world_object = self.task.reference.Ts_world_object[0]
        hand = HandPose(
            side=self.task.side,
            p_world_keypoints=T_world_object.apply(self.task.p_object_keypoints),
            confidence=np.ones(len(KEYPOINT_NAMES)),
        )
        found = retarget_hand(hand, self.embodiment)
        self._premanip = found.joint_pos
        self._T_object_palm = T_world_object.inv() @ found.T_world_palm
        names = [self._model.body(int(body)).name for body in self._model.geom_bodyid]
        self._of_robot = np.array([name.startswith("robot/") for name in names])

    def wrong(self, state: EngineState) -> list[str]:
        """What is wrong with each of N states; empty for nothing."""
        checks = {
            "not finite": ~self._finite(state),
            "moving": self._moving(state),
            "beyond a joint limit": self._beyond_limits(state),
            "object elsewhere": self._object_elsewhere(state),
            "hand elsewhere": self._hand_elsewhere(state),
            "palm elsewhere": self._palm_elsewhere(state),
        }
        rows = zip(*checks.values(), strict=True)
        said = [", ".join(name for name, broken in zip(checks, row, strict=True) if broken) for row in rows]
        return [each or self._touching(state, index) for index, each in enumerate(said)]

    def _finite(self, state: EngineState) -> np.ndarray:
        return np.all(np.isfinite(np.concatenate([state.joint_pos, state.wxyz_xyz_world_object], -1)), axis=-1)

    def _moving(self, state: EngineState) -> np.ndarray:
        speeds = (state.joint_vel, state.lin_vel_world_object, state.ang_vel_world_object)
        return np.any(np.concatenate(speeds, -1), axis=-1)

    def _beyond_limits(self, state: EngineState) -> np.ndarray:
        robot = self.embodiment.spec()
        return np.any((state.joint_pos < robot.position_lower) | (state.joint_pos > robot.position_upper), axis=-1)

    def _object_elsewhere(self, state: EngineState) -> np.ndarray:
        """Not upon the same support, turned otherwise than about the vertical, or displaced by more than the noise."""
        wanted = self.task.reference.wxyz_xyz_world_object[0]
        shift = np.abs(state.wxyz_xyz_world_object[:, 4:] - wanted[4:])
        inverse = wanted[:4] * (1.0, -1.0, -1.0, -1.0)
        turn = np.abs(quaternions.log(quaternions.multiply(state.wxyz_xyz_world_object[:, :4], inverse[None])))
        off = (shift[:, :2] > self.noise.start_position + _EXACT).any(-1) | (shift[:, 2] > _EXACT)
        return off | (turn[:, :2] > _EXACT).any(-1) | (turn[:, 2] > self.noise.start_yaw + _EXACT)

    def _shake(self) -> np.ndarray:
        """(J) [rad; m] largest noise of each joint: as much as its range where that is less than a radian."""
        robot = self.embodiment.spec()
        return self.noise.start_joints * np.minimum(1.0, robot.position_upper - robot.position_lower)

    def _hand_elsewhere(self, state: EngineState) -> np.ndarray:
        hand = slice(self.embodiment.num_arm_joints, None)
        return np.any(np.abs(state.joint_pos - self._premanip)[:, hand] > self._shake()[hand] + _EXACT, axis=-1)

    def _palm_elsewhere(self, state: EngineState) -> np.ndarray:
        """Further from its place beside the object than the noise of the joints can bring it."""
        Ts_world_palm = self.embodiment.chain.forward(state.joint_pos)[:, 0]
        Ts_world_object = SE3(state.wxyz_xyz_world_object)
        position, rotation = Ts_world_palm.distance(Ts_world_object @ self._T_object_palm)
        jacobian = self.embodiment.chain.jacobian(state.joint_pos)[:, 0]
        reach = [np.linalg.norm(jacobian[:, rows], axis=1) @ self._shake() for rows in (slice(0, 3), slice(3, 6))]
        # The Jacobian changes a little within the noise.
        return (position > 1.1 * reach[0] + _PALM[0]) | (rotation > 1.1 * reach[1] + _PALM[1])

    def _touching(self, state: EngineState, index: int) -> str:
        """The first forbidden contact of one state, by a fresh forward computation."""
        model, data = self._model, self._data
        mujoco.mj_resetData(model, data)
        value = dict(zip(self.embodiment.spec().joint_names, state.joint_pos[index], strict=True))
        for joint in self.embodiment.model.joints:
            if joint.mimic is not None:
                value[joint.name] = joint.mimic.offset + joint.mimic.multiplier * value[joint.mimic.joint]
        for name, position in value.items():
            data.joint(f"robot/{name}").qpos[0] = position
        wxyz_xyz = state.wxyz_xyz_world_object[index]
        data.joint("object").qpos[:] = (*wxyz_xyz[4:], *wxyz_xyz[:4])
        mujoco.mj_forward(model, data)
        for pair, distance in zip(data.contact.geom, data.contact.dist, strict=True):
            if -distance > (0.0 if self._of_robot[pair].any() else RESTING):
                first, second = (model.geom(int(geom)).name for geom in pair)
                return f"{first} is {-distance * 1e3:.2f} mm in {second}"
        return ""
