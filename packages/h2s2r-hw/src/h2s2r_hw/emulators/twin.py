"""The physics behind the emulated wires: one MuJoCo world of h2s2r-sim's scene, with its perturbations as reality gap.

In:  a task, a robot, ``Perturbation``, targets and torques.   Out: a ``Plant``; the object's pose; MuJoCo's model and data,
for a camera to look at.
Not here: what the wires say (cabinet, hand), what a camera makes of it (sight).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

import mujoco
import numpy as np
from mujoco.batch import Batch  # pyright: ignore[reportMissingTypeStubs] - a Python module inside a package of stubs

from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINTS
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINTS
from h2s2r_hw.emulators.plant import STEP_NS, Values
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.engine import PhysicalParameters
from h2s2r_sim.engines.mujoco import MujocoEngine
from h2s2r_sim.engines.mujoco.parameters import STILL, WorldParameters, weightless
from h2s2r_sim.env.start.beginnings import Beginnings
from h2s2r_sim.env.start.pool import StartCfg, build_pool
from h2s2r_sim.mdp import events
from h2s2r_sim.perturbation import NONE, PUSH_HZ, Perturbation
from h2s2r_sim.scene.model import SceneModel, build_model
from h2s2r_sim.scene.options import SceneOptions

#: Causes of ``Perturbation`` that act elsewhere: on the actions of whoever runs the policy.
ELSEWHERE = ("action_noise", "action_bias")
_PUSH_STEPS = round(1e9 / PUSH_HZ / STEP_NS)


@dataclass(frozen=True)
class TwinCfg:
    """What is simulated."""

    start: StartCfg = field(default_factory=lambda: StartCfg(pool=1))
    """Where robot and object are at time 0."""
    perturbation: Perturbation = NONE
    """How this cell differs from the model: drawn once, by the seed."""
    scene: SceneOptions = field(default_factory=lambda: SceneOptions(visuals=False))
    """Contacts and solver; the time step is the plant's."""
    stiffness: tuple[float, ...] | None = None
    """(7) [N·m/rad] of the arm's controller; none for the robot's own, with which policies were trained."""
    damping: tuple[float, ...] | None = None
    """(7) [N·m·s/rad] likewise."""


class Twin:
    """One arm, one hand, one object. A ``Plant``.

    The arm is under the robot's position controller, with the client's torques on top; the fingers under torques alone, so
    that ``gains`` of a perturbation are errors of the arm's gains and of the finger motors' torque constants. Motors' ``effort``
    limits both. Play (``backlash``) lies between arm motor and joint, and between finger joint and encoder. The robot's own
    weight is compensated, that of the fingers too, as where policies were trained.

    Args:
        task: gives object and scene.
        embodiment: a KUKA LBR iiwa with an Allegro hand.
        cfg: what is simulated.
        seed: decides where robot and object start and all that is drawn.

    Raises:
        SchemaError: another robot.
        StartError: no start can be reached without contact.
    """

    def __init__(self, task: TaskSpec, embodiment: Embodiment, cfg: TwinCfg | None = None, seed: int = 0) -> None:
        self.cfg, self.task, self.spec = cfg or TwinCfg(), task, embodiment.spec()
        self._arm, self._hand = _order(self.spec, ARM_JOINTS), _order(self.spec, HAND_JOINTS)
        noise = self.cfg.perturbation
        self.scene = _scene(task, embodiment, self.cfg, self._arm, self._hand)
        gravity, overlap = self.scene.model.opt.gravity.copy(), MujocoEngine(self.scene, 1, 1, 1).overlap
        beginnings = Beginnings(
            noise,
            self.spec,
            0,
            gravity,
            lambda rng: build_pool(task, embodiment, self.cfg.start, noise, overlap, rng),
        )
        beginnings.seed(seed)
        beginning = beginnings.draw(1)
        physics = beginning.physics
        self._rng, self._sensor_rng = beginnings.rng, np.random.default_rng([seed, 2])
        self.signals = beginning.signals
        """What was drawn for its sensors, cameras included."""
        self.model, self._weight = _world(self.scene, physics, noise)
        """MuJoCo's model of this world."""
        self.data = mujoco.MjData(self.model)
        """MuJoCo's state of it."""
        self._mass = float(task.object.mass * physics.object_mass[0])
        self._friction, self._stiction = physics.joint_friction[0], physics.stiction[0]
        self._begin(beginning.start.joint_pos[0], beginning.start.wxyz_xyz_world_object[0])

    def _begin(self, joint_pos: np.ndarray, wxyz_xyz: np.ndarray) -> None:
        scene, data = self.scene, self.data
        data.qpos[scene.robot_qpos] = scene.all_joint_pos(joint_pos)
        data.qpos[scene.object_qpos] = wxyz_xyz
        data.xfrc_applied[:] = self._weight
        mujoco.mj_forward(self.model, data)
        self._steps = 0
        self._arm_dofs = scene.joint_dofs[self._arm]
        self._arm_actuators, self._hand_actuators = scene.actuators[self._arm], scene.actuators[self._hand]
        self._overlay_limit = self.spec.torque_limit[self._arm]
        self.pushing = bool(self.cfg.perturbation.push_probability)
        """Whether something pushes the object now and then; may be changed at any time."""
        # Targets and torques wait here for as long as they are late; the newest is last.
        steps = round(float(self.signals.action_delay[0]) / (STEP_NS * 1e-9))
        first = (joint_pos[self._arm].copy(), np.zeros(len(ARM_JOINTS)), np.zeros(len(HAND_JOINTS)))
        self._commands, self._newest = [first] * (steps + 1), first
        self._applied: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._hand_torque: Values = ()
        play = 0.5 * self.signals.backlash[0]
        self._arm_play, self._hand_play = play[self._arm], play[self._hand]
        self._arm_joint, self._hand_encoder = first[0].copy(), joint_pos[self._hand].copy()
        self._loose_arm, self._loose_hand = bool(self._arm_play.any()), bool(self._hand_play.any())
        self._sticky = bool(self._stiction.any())
        self._bias = self.signals.joint_bias[0]
        self._noise = self.cfg.perturbation.joint_noise * events.joint_unit(self.spec)
        self._noisy = bool(self._noise.any())

    # ── the plant ───────────────────────────────────────────────────────────────────────────────────────────────────

    def command_arm(self, joint_pos_target: Values, joint_torque: Values) -> None:
        """From now on the arm's controller tries to reach (7) [rad] and adds (7) [N·m]."""
        overlay = np.clip(joint_torque, -self._overlay_limit, self._overlay_limit)
        self._newest = (np.array(joint_pos_target), overlay, self._newest[2])

    def command_hand(self, joint_torque: Values) -> None:
        """From now on the hand's motors push with (16) [N·m]."""
        if joint_torque != self._hand_torque:
            self._hand_torque = joint_torque
            self._newest = (self._newest[0], self._newest[1], np.array(joint_torque))

    def advance(self, now_ns: int) -> None:
        """Let time pass up to the last whole step before or at ``now_ns``."""
        while (self._steps + 1) * STEP_NS <= now_ns:
            self._step()

    def measure_arm(self) -> tuple[Values, Values, Values]:
        """(7) position [rad], (7) torque [N·m] at the joints, (7) the part of it [N·m] that contacts and stops exert."""
        data = self.data
        torque = data.qfrc_actuator[self._arm_dofs] + data.qfrc_applied[self._arm_dofs]
        external = data.qfrc_constraint[self._arm_dofs]
        return self._measured(self._arm), _values(torque), _values(external)

    def measure_hand(self) -> Values:
        """(16) [rad]."""
        return self._measured(self._hand, self._hand_encoder if self._loose_hand else None)

    # ── what cameras look at ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def time(self) -> float:
        """[s] of its state."""
        return self._steps * STEP_NS * 1e-9

    @property
    def T_world_object(self) -> SE3:
        """Where the object truly is."""
        return SE3(self.data.qpos[self.scene.object_qpos])

    @property
    def joint_pos(self) -> np.ndarray:
        """(J) [rad] where the joints truly are, in the order of ``spec``."""
        return self.data.qpos[self.scene.joint_qpos].copy()

    def _step(self) -> None:
        data = self.data
        self._commands.append(self._newest)
        self._apply(self._commands.pop(0))
        if self.pushing and self._steps % _PUSH_STEPS == 0:
            push = events.draw_pushes(self._rng, self.cfg.perturbation, np.array([self._mass]))[0]
            data.xfrc_applied[self.scene.object_body] = self._weight[self.scene.object_body] + push
        if self._sticky:
            dofs = self.scene.joint_dofs
            still = np.abs(data.qvel[dofs]) < STILL
            self.model.dof_frictionloss[dofs] = self._friction + self._stiction * still
        mujoco.mj_step(self.model, data)
        self._steps += 1
        if self._loose_hand:
            moved = data.qpos[self.scene.joint_qpos[self._hand]]
            self._hand_encoder = np.clip(self._hand_encoder, moved - self._hand_play, moved + self._hand_play)

    def _apply(self, command: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        """What reaches the motors now; they keep it until something else does."""
        if command is self._applied and not self._loose_arm:
            return
        target, overlay, fingers = self._applied = command
        if self._loose_arm:
            self._arm_joint = np.clip(self._arm_joint, target - self._arm_play, target + self._arm_play)
            target = self._arm_joint
        data = self.data
        data.ctrl[self._arm_actuators], data.ctrl[self._hand_actuators] = target, fingers
        data.qfrc_applied[self._arm_dofs] = overlay

    def _measured(self, joints: np.ndarray, joint_pos: np.ndarray | None = None) -> Values:
        true = self.data.qpos[self.scene.joint_qpos[joints]] if joint_pos is None else joint_pos
        measured = true + self._bias[joints]
        if self._noisy:
            measured = measured + self._noise[joints] * self._sensor_rng.standard_normal(len(joints))
        return _values(measured)


def acts_elsewhere(perturbation: Perturbation) -> tuple[str, ...]:
    """Causes that are asked for but do not act in an emulated cell."""
    return tuple(cause for cause in ELSEWHERE if getattr(perturbation, cause) > 0.0)


def _values(array: np.ndarray) -> Values:
    return tuple(array.tolist())


def _order(spec: RobotSpec, joint_names: tuple[str, ...]) -> np.ndarray:
    """Where in the robot's order the joints of a driver are."""
    missing = [name for name in joint_names if name not in spec.joint_names]
    if missing:
        raise SchemaError(
            f"{spec.name} has no joints {', '.join(missing)}: the emulated cell is an iiwa with an Allegro hand."
        )
    return np.array([spec.joint_names.index(name) for name in joint_names])


def _scene(task: TaskSpec, embodiment: Embodiment, cfg: TwinCfg, arm: np.ndarray, hand: np.ndarray) -> SceneModel:
    """The scene at the plant's time step, with fingers under torque and the arm under the controller asked for."""
    scene = build_model(task, embodiment, replace(cfg.scene, sim_dt=STEP_NS * 1e-9))
    model = copy.copy(scene.model)
    fingers = scene.actuators[hand]
    model.actuator_gainprm[fingers, 0] = 1.0
    model.actuator_biasprm[fingers] = 0.0
    model.actuator_ctrllimited[fingers] = 0
    for gains, sign, column in ((cfg.stiffness, -1.0, 1), (cfg.damping, -1.0, 2)):
        if gains is not None:
            if len(gains) != len(arm):
                raise SchemaError(f"{len(gains)} gains for an arm of {len(arm)} joints.")
            model.actuator_biasprm[scene.actuators[arm], column] = sign * np.array(gains)
    if cfg.stiffness is not None:
        model.actuator_gainprm[scene.actuators[arm], 0] = cfg.stiffness
    return replace(scene, model=model)


def _world(scene: SceneModel, physics: PhysicalParameters, noise: Perturbation) -> tuple[mujoco.MjModel, np.ndarray]:
    """A model with these physics, and the weights [N] (B, 6) that nothing in it compensates."""
    batch = Batch(weightless(scene.model), 1, 1)
    parameters = WorldParameters(scene, batch)
    if noise.changes_physics:
        parameters.write(np.zeros(1, dtype=np.int64), parameters.prepare(physics), slice(None))
    return batch.get_model(0), parameters.weight[0].copy()
