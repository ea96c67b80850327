"""What an action means: joint targets from increments of the palm's pose, or of the arm's joints, and of hand synergies.

In:  actions (N, A) in [-1, 1], joint positions (N, J).   Out: joint targets (N, J) [rad; m].
Not here: delays and backlash on the way to the joints (env.actuation), limits of speed and force (the robot's server).

The environment runs this with a batch of N, the runner with a batch of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from h2s2r_retarget.kinematics import damped_step
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.mdp.body import Body

ACTION_MAPS = ("palm_twist", "joint_delta", "joint_target")


@dataclass(frozen=True)
class ActionCfg:
    """How far one action moves what. The defaults solved pushing, pivoting and grasping in our trials."""

    name: str = "palm_twist"
    """``palm_twist``: the arm's actions are a twist of the palm; ``joint_delta``: a step of each arm joint. ``joint_target``:
    every joint has an action, its target from -1 at the lower limit to 1 at the upper; for what has a whole path, not to
    learn with."""
    palm_translation: float = 0.02
    """[m] largest step of the palm along each world axis."""
    palm_rotation: float = 0.06
    """[rad] largest step of the palm about each world axis."""
    arm_joint: float = 0.06
    """[rad] largest step of each arm joint, for ``joint_delta``."""
    synergy: float = 0.3
    """Largest step of each hand synergy."""
    synergy_limit: float = 1.5
    """Largest coordinate of each synergy, from the posture at the start. Above 1, as the hand is open there."""
    hand_low_pass: float = 0.5
    """Share of the way that the hand's targets go to what the synergies ask for, per step."""
    damping: float = 0.05
    """Of the inverse kinematics, as in ``damped_step``."""
    rest_pull: float = 0.02
    """Share of the way back to the rest posture that the arm goes per step where the palm does not feel it."""
    arm_lead: float = 0.25
    """[rad] by which an arm target may lead the measured joint: bounds the force in contact."""


@dataclass(frozen=True)
class ActionState:
    """What the action map remembers of N episodes."""

    joint_pos_target: Array
    """(N, J) [rad; m] last target."""
    synergy: Array
    """(N, S) coordinates of the hand synergies; 0 is the rest posture."""
    rest: Array
    """(N, J) [rad; m] posture at the start of the episode."""


class ActionMap:
    """Turns actions into joint targets for one body.

    Args:
        cfg: what an action means.
        body: the robot.
        control_dt: [s] between actions: no target moves faster than its joint may.

    Raises:
        SchemaError: an unknown ``cfg.name``.
    """

    def __init__(self, cfg: ActionCfg, body: Body, control_dt: float) -> None:
        if cfg.name not in ACTION_MAPS:
            raise SchemaError(f"There is no action map {cfg.name!r}; there are: {', '.join(ACTION_MAPS)}.")
        self.cfg, self.body = cfg, body
        self._largest_step = control_dt * body.robot.velocity_limit
        self.num_arm_actions = 6 if cfg.name == "palm_twist" else body.robot.num_arm_joints
        hand_joints = len(body.robot.joint_names) - body.robot.num_arm_joints
        self.num_actions = self.num_arm_actions + (hand_joints if cfg.name == "joint_target" else len(body.synergies))

    @classmethod
    def from_data(cls, data: Mapping[str, Any], body: Body, control_dt: float) -> ActionMap:
        """From what ``as_data`` gave, as stored in ``PolicySpec.action_map``.

        Raises:
            SchemaError: an unknown key or name.
        """
        try:
            return cls(ActionCfg(**data), body, control_dt)
        except TypeError as error:
            raise SchemaError(f"This action map cannot be read: {error}. Its keys are those of ActionCfg.") from error

    def as_data(self) -> dict[str, Any]:
        """The configuration as plain data."""
        return asdict(self.cfg)

    def start(self, joint_pos: Array) -> ActionState:
        """The state of episodes that start at ``joint_pos`` (N, J)."""
        synergy = arrays.zeros((joint_pos.shape[0], len(self.body.synergies)), joint_pos)
        return ActionState(joint_pos * 1.0, synergy, joint_pos * 1.0)

    def apply(self, state: ActionState, action: Array, joint_pos: Array) -> ActionState:
        """The state after one action; its ``joint_pos_target`` is what to send to the joints.

        Args:
            state: of N episodes.
            action: (N, A); values outside [-1, 1] count as the nearest inside.
            joint_pos: (N, J) [rad; m] measured.
        """
        cfg, robot = self.cfg, self.body.robot
        action = arrays.clip(arrays.like(action, joint_pos), -1.0, 1.0)
        split = robot.num_arm_joints
        arm, hand = state.joint_pos_target[:, :split], state.joint_pos_target[:, split:]
        arm_action, hand_action = action[:, : self.num_arm_actions], action[:, self.num_arm_actions :]
        if cfg.name == "palm_twist":
            arm = arm + self._arm_step(arm, arm_action, state.rest[:, :split])
        elif cfg.name == "joint_delta":
            arm = arm + cfg.arm_joint * arm_action
        else:
            arm = self._between_limits(arm_action, slice(None, split))
        measured = joint_pos[:, :split]
        arm = arrays.clip(arm, measured - cfg.arm_lead, measured + cfg.arm_lead)
        synergy = state.synergy
        if cfg.name == "joint_target":
            hand = self._between_limits(hand_action, slice(split, None))
        else:
            synergy = arrays.clip(synergy + cfg.synergy * hand_action, -cfg.synergy_limit, cfg.synergy_limit)
            wanted = state.rest[:, split:] + synergy @ arrays.like(self.body.synergies, joint_pos)
            hand = hand + cfg.hand_low_pass * (wanted - hand)
        last, step = state.joint_pos_target, arrays.like(self._largest_step, joint_pos)
        target = arrays.clip(arrays.concatenate((arm, hand), -1), last - step, last + step)
        target = arrays.clip(target, robot.position_lower, robot.position_upper)
        return ActionState(target, synergy, state.rest)

    def _between_limits(self, action: Array, joints: slice) -> Array:
        """Joint positions (N, K) from -1 at the lower limit to 1 at the upper."""
        robot = self.body.robot
        lower, upper = robot.position_lower[joints], robot.position_upper[joints]
        return arrays.like(lower, action) + 0.5 * (action + 1.0) * arrays.like(upper - lower, action)

    def _arm_step(self, arm: Array, arm_action: Array, rest: Array) -> Array:
        """The arm's step (N, 7) for a twist of the palm, drifting to the rest posture where the palm does not feel it."""
        twist = arrays.concatenate(
            (self.cfg.palm_translation * arm_action[:, :3], self.cfg.palm_rotation * arm_action[:, 3:]), -1
        )
        jacobian = self.body.palm_jacobian(arm)
        pull = self.cfg.rest_pull * (rest - arm)
        felt = (jacobian @ pull[..., None])[..., 0]
        return pull + damped_step(jacobian, twist - felt, self.cfg.damping)
