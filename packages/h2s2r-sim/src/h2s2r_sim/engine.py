"""What the environment asks of a physics engine: joint targets in, states out, N worlds at once.

In:  ``SceneModel``-independent plain arrays: targets, wrenches, physical parameters, start states.
Out: the protocol ``Engine``, and the plain arrays it speaks in.
Not here: engines (engines), when to reset and what to reward (env).

Everything crosses this door as NumPy arrays, copied, so that an engine may run in another process.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np

from h2s2r_schemas.errors import H2S2RError


class EngineError(H2S2RError):
    """An engine cannot be had here, or was asked for what it cannot simulate."""


@dataclass(frozen=True)
class StartState:
    """What K worlds are reset to."""

    joint_pos: np.ndarray
    """(K, J) [rad; m]; also the first joint targets."""
    wxyz_xyz_world_object: np.ndarray
    """(K, 7) object pose. Robot and object start at rest."""


@dataclass(frozen=True)
class EngineState:
    """What N worlds look like now. Joints in the order of ``RobotSpec``; arrays belong to the caller."""

    joint_pos: np.ndarray
    """(N, J) [rad; m for a sliding joint]."""
    joint_vel: np.ndarray
    """(N, J) [rad/s; m/s]."""
    joint_torque: np.ndarray
    """(N, J) [N·m; N] what the joint controllers exerted in the last substep."""
    wxyz_xyz_world_object: np.ndarray
    """(N, 7) object pose."""
    lin_vel_world_object: np.ndarray
    """(N, 3) [m/s] of the object frame's origin."""
    ang_vel_world_object: np.ndarray
    """(N, 3) [rad/s]."""
    unstable: np.ndarray
    """(N) whether the last step produced a state that no real world has; the state is finite all the same."""

    @classmethod
    def at_rest(cls, start: StartState) -> EngineState:
        """What worlds look like that have just been reset to ``start``."""
        joints, vector = np.zeros_like(start.joint_pos), np.zeros((len(start.joint_pos), 3))
        return cls(
            joint_pos=start.joint_pos.copy(),
            joint_vel=joints,
            joint_torque=joints.copy(),
            wxyz_xyz_world_object=start.wxyz_xyz_world_object.copy(),
            lin_vel_world_object=vector,
            ang_vel_world_object=vector.copy(),
            unstable=np.zeros(len(vector), dtype=bool),
        )


@dataclass(frozen=True)
class PhysicalParameters:
    """How K worlds differ from the model. Factors are 1 and everything else 0 where nothing differs."""

    object_friction: np.ndarray
    """(K) factor on the object's coefficient of friction."""
    robot_friction: np.ndarray
    """(K) factor on the robot's."""
    scene_friction: np.ndarray
    """(K) factor on that of table and fixtures."""
    object_mass: np.ndarray
    """(K) factor; inertia follows."""
    object_inertia: np.ndarray
    """(K) further factor on the object's inertia alone."""
    object_com: np.ndarray
    """(K, 3) [m] shift of the object's centre of mass in its frame."""
    object_size: np.ndarray
    """(K) factor on all lengths of the object; mass stays, inertia follows."""
    gravity: np.ndarray
    """(K, 3) [m/s²] added to the model's."""
    stiffness: np.ndarray
    """(K, J) factor on the position gain of the joint controllers."""
    damping: np.ndarray
    """(K, J) factor on their velocity gain."""
    effort: np.ndarray
    """(K, J) factor on their largest torque."""
    armature: np.ndarray
    """(K, J) factor on the rotor inertia as seen at the joint."""
    joint_friction: np.ndarray
    """(K, J) [N·m; N] Coulomb friction added."""
    stiction: np.ndarray
    """(K, J) [N·m; N] further friction of a joint that stands still."""
    payload: np.ndarray
    """(K) [kg] added at the palm and not compensated."""

    @classmethod
    def nominal(cls, num_envs: int, num_joints: int) -> PhysicalParameters:
        """The model as it is, for ``num_envs`` worlds."""
        one, joints = np.ones(num_envs), np.ones((num_envs, num_joints))
        vector = np.zeros((num_envs, 3))
        return cls(
            object_friction=one.copy(),
            robot_friction=one.copy(),
            scene_friction=one.copy(),
            object_mass=one.copy(),
            object_inertia=one.copy(),
            object_com=vector.copy(),
            object_size=one.copy(),
            gravity=vector.copy(),
            stiffness=joints.copy(),
            damping=joints.copy(),
            effort=joints.copy(),
            armature=joints.copy(),
            joint_friction=0.0 * joints,
            stiction=0.0 * joints,
            payload=0.0 * one,
        )

    def take(self, index: np.ndarray) -> PhysicalParameters:
        """The worlds ``index`` only."""
        return PhysicalParameters(**{each.name: getattr(self, each.name)[index] for each in fields(self)})

    def put(self, env_ids: np.ndarray, parameters: PhysicalParameters) -> None:
        """Write ``parameters`` (K) into the worlds ``env_ids`` (K) of these arrays."""
        for each in fields(self):
            getattr(self, each.name)[env_ids] = getattr(parameters, each.name)

    def table(self) -> np.ndarray:
        """All of it as (K, P), for the critic and for logs: columns in the order of the fields."""
        rows = len(self.object_mass)
        return np.concatenate([getattr(self, each.name).reshape(rows, -1) for each in fields(self)], axis=-1)


class Engine(Protocol):
    """N worlds of one scene. The same calls give the same bytes."""

    @property
    def num_envs(self) -> int:
        """N."""
        ...

    def prepare(self, parameters: PhysicalParameters) -> Any:
        """What ``set_parameters`` takes, for W worlds: worked out for many at once, which costs as much as for one.

        Raises:
            EngineError: a parameter this engine or this scene cannot have.
        """
        ...

    def set_parameters(self, env_ids: np.ndarray, prepared: Any, rows: slice = ...) -> None:
        """Give the worlds ``env_ids`` (K, sorted) other physics from the next step on: those ``rows`` (K) of what was
        prepared, all of them unless told otherwise.
        """
        ...

    def reset(self, env_ids: np.ndarray, start: StartState) -> None:
        """Put the worlds ``env_ids`` (K, sorted) at rest into ``start``."""
        ...

    def step(self, joint_pos_target: np.ndarray, wrench_world_object: np.ndarray) -> EngineState:
        """Let one control period pass.

        Args:
            joint_pos_target: (N, S, J) [rad; m] targets, each held for one S-th of the period; S divides the substeps.
            wrench_world_object: (N, 6) force [N] at the object's centre of mass and torque [N·m], world axes, held throughout.
        """
        ...

    def state(self) -> EngineState:
        """What the worlds look like now."""
        ...

    def save(self, env_ids: np.ndarray) -> np.ndarray:
        """Everything that decides the future of the worlds ``env_ids``, besides parameters: opaque rows (K, B)."""
        ...

    def restore(self, env_ids: np.ndarray, rows: np.ndarray) -> None:
        """Put worlds back into what ``save`` gave."""
        ...

    def overlap(
        self, joint_pos: np.ndarray, wxyz_xyz_world_object: np.ndarray, object_size: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """How deep things are in each other in K configurations, 0 for not at all.

        Args:
            joint_pos: (K, J) [rad; m].
            wxyz_xyz_world_object: (K, 7).
            object_size: (K) factor on the object's lengths.

        Returns:
            Deepest overlap (K) [m] of the robot with anything, itself included, and of the object with table and fixtures.

        Raises:
            EngineError: another size for an object that cannot have one in this engine.
        """
        ...

    def penetration(self) -> np.ndarray:
        """Deepest contact (N) [m] of any two things in each world as it is now; 0 for none."""
        ...
