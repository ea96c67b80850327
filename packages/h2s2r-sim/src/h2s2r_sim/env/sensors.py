"""What the robot measures and sees, step by step: joints with their errors, the object as its camera reports it.

In:  ``EngineState``.   Out: measured joints, the newest object pose and its age.
Not here: how the camera works (camera), what the policy is shown of this (mdp.observations).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from h2s2r_sim.engine import EngineState
from h2s2r_sim.env.camera import ObjectCamera
from h2s2r_sim.mdp.events import SignalParameters
from h2s2r_sim.perturbation import Perturbation
from h2s2r_sim.rows import Rows


class Sensors:
    """Sensors of N robots. Noise is drawn once a step, in ``update``; reading draws nothing.

    Args:
        cfg: how severe each cause is.
        num_envs: N.
        joint_unit: (J) [rad; m] what one radian of joint noise is.
        control_dt: [s] between policy steps.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_bias",
        "_camera",
        "joint_pos",
        "joint_vel",
        "wxyz_xyz_world_object",
        "object_age",
    )

    def __init__(self, cfg: Perturbation, num_envs: int, joint_unit: np.ndarray, control_dt: float) -> None:
        self._cfg = cfg
        self._noise = cfg.joint_noise * joint_unit
        self._bias = np.zeros((num_envs, len(joint_unit)))
        self._camera = ObjectCamera(cfg, num_envs, control_dt)
        self.joint_pos = np.zeros((num_envs, len(joint_unit)))
        """(N, J) [rad; m] measured."""
        self.joint_vel = np.zeros((num_envs, len(joint_unit)))
        """(N, J) [rad/s; m/s] measured."""
        self.wxyz_xyz_world_object = np.zeros((num_envs, 7))
        """(N, 7) as last seen."""
        self.object_age = np.zeros(num_envs)
        """(N) [s] of the newest."""

    def reset(
        self, env_ids: np.ndarray, state: EngineState, signals: SignalParameters, rng: np.random.Generator
    ) -> None:
        """Begin episodes ``env_ids`` (K) in ``state`` (N), at rest; ``signals`` (K) are what was drawn for them."""
        self._bias[env_ids] = signals.joint_bias
        self._camera.reset(env_ids, state.wxyz_xyz_world_object[env_ids], signals, rng)
        self._measure(env_ids, state, rng)
        seen, age = self._camera.seen()
        self.wxyz_xyz_world_object[env_ids] = seen[env_ids]
        self.object_age[env_ids] = age[env_ids]

    def update(self, state: EngineState, rng: np.random.Generator) -> None:
        """A policy step has led to ``state``."""
        self._camera.update(state.wxyz_xyz_world_object, rng)
        self._measure(slice(None), state, rng)
        self.wxyz_xyz_world_object, self.object_age = self._camera.seen()

    def _measure(self, rows: Rows, state: EngineState, rng: np.random.Generator) -> None:
        joint_pos = state.joint_pos[rows]
        if self._cfg.joint_bias:
            joint_pos = joint_pos + self._bias[rows]
        if self._cfg.joint_noise:
            joint_pos = joint_pos + self._noise * rng.standard_normal(joint_pos.shape)
        self.joint_pos[rows] = joint_pos
        self.joint_vel[rows] = state.joint_vel[rows]
