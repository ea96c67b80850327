"""What happens to an episode besides the policy: how its world, robot and camera differ, and pushes.

In:  ``Perturbation``, a random generator.   Out: draws for K episodes, or for one step of N.
Not here: how much of it there is (perturbation), how it acts (engines, env).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.se3 import quaternions
from h2s2r_sim.engine import PhysicalParameters
from h2s2r_sim.perturbation import Perturbation

#: Outliers: ± [m] and ± [rad] on each axis, as in the reference implementation.
OUTLIER_POSITION, OUTLIER_ROTATION = 0.5, float(np.deg2rad(90.0))
_OUTLIER = np.repeat((OUTLIER_POSITION, OUTLIER_ROTATION), 3)


@dataclass(frozen=True)
class SignalParameters:
    """How K episodes' measurements and commands differ from the truth."""

    object_position_bias: np.ndarray
    """(K, 3) [m]."""
    object_rotation_bias: np.ndarray
    """(K, 3) [rad] rotation vector."""
    camera_phase: np.ndarray
    """(K) in [0, 1): when in its period the camera takes pictures."""
    joint_bias: np.ndarray
    """(K, J) [rad; m]."""
    action_bias: np.ndarray
    """(K, A)."""
    action_delay: np.ndarray
    """(K) [s]."""
    backlash: np.ndarray
    """(K, J) [rad; m] play."""


def _around(rng: np.random.Generator, severity: float, shape: tuple[int, ...], fixed: bool) -> np.ndarray:
    """± ``severity``."""
    return np.full(shape, severity) if fixed else rng.uniform(-severity, severity, shape)


def _share(rng: np.random.Generator, severity: float, shape: tuple[int, ...], fixed: bool) -> np.ndarray:
    """1 ± ``severity``."""
    return 1.0 + _around(rng, severity, shape, fixed)


def _log_share(rng: np.random.Generator, severity: float, shape: tuple[int, ...], fixed: bool) -> np.ndarray:
    """Between 1 - ``severity`` and 1 + ``severity``, evenly in the logarithm."""
    if fixed:
        return np.full(shape, 1.0 + severity)
    return np.exp(rng.uniform(np.log(1.0 - severity), np.log(1.0 + severity), shape))


def _up_to(rng: np.random.Generator, severity: float, shape: tuple[int, ...], fixed: bool) -> np.ndarray:
    """From 0 to ``severity``."""
    return np.full(shape, severity) if fixed else rng.uniform(0.0, severity, shape)


def draw_size(rng: np.random.Generator, cfg: Perturbation, count: int) -> np.ndarray:
    """(count) factors on the object's lengths: drawn with an episode's start, which has to be free for that size."""
    return _share(rng, cfg.size, (count,), cfg.fixed)


def draw_physics(
    rng: np.random.Generator, cfg: Perturbation, count: int, robot: RobotSpec, gravity: np.ndarray
) -> PhysicalParameters:
    """Physics of ``count`` episodes, but for the object's size (``draw_size``).

    Args:
        rng: drawn from in the same order whatever the severities are.
        cfg: how severe each cause is.
        count: K.
        robot: for torque limits.
        gravity: (3) [m/s²] of the model.
    """
    one, joints, fixed = (count,), (count, len(robot.joint_names)), cfg.fixed
    pull = _around(rng, cfg.gravity, one, fixed)[:, None] * gravity
    pull = pull + (cfg.gravity_noise if fixed else cfg.gravity_noise * rng.standard_normal((count, 3)))
    return PhysicalParameters(
        object_friction=_share(rng, cfg.friction, one, fixed),
        robot_friction=_share(rng, cfg.friction, one, fixed),
        scene_friction=_share(rng, cfg.friction, one, fixed),
        object_mass=_share(rng, cfg.mass, one, fixed),
        object_inertia=_share(rng, cfg.inertia, one, fixed),
        object_com=_around(rng, cfg.com, (count, 3), fixed),
        object_size=np.ones(count),
        gravity=pull,
        stiffness=_log_share(rng, cfg.gains, joints, fixed),
        damping=_log_share(rng, cfg.gains, joints, fixed),
        effort=_log_share(rng, cfg.effort, joints, fixed),
        armature=_share(rng, cfg.armature, joints, fixed),
        joint_friction=_up_to(rng, cfg.joint_friction, joints, fixed) * robot.torque_limit,
        stiction=_up_to(rng, cfg.stiction, joints, fixed) * robot.torque_limit,
        payload=_up_to(rng, cfg.payload, one, fixed),
    )


def joint_unit(robot: RobotSpec) -> np.ndarray:
    """(J) [rad; m] what "one radian" of noise means for each joint: a joint of a smaller range, as a slide of some
    centimetres, has as much less.
    """
    return np.minimum(1.0, robot.position_upper - robot.position_lower)


def draw_signals(
    rng: np.random.Generator, cfg: Perturbation, count: int, robot: RobotSpec, num_actions: int
) -> SignalParameters:
    """Measurement and command errors of ``count`` episodes."""
    fixed, joints, unit = cfg.fixed, (count, len(robot.joint_names)), joint_unit(robot)
    normal = np.ones if fixed else rng.standard_normal
    return SignalParameters(
        object_position_bias=_around(rng, cfg.position_bias, (count, 3), fixed),
        object_rotation_bias=_around(rng, cfg.rotation_bias, (count, 3), fixed),
        camera_phase=np.zeros(count) if fixed else rng.uniform(0.0, 1.0, count),
        joint_bias=cfg.joint_bias * unit * normal(joints),
        action_bias=cfg.action_bias * normal((count, num_actions)),
        action_delay=_up_to(rng, cfg.action_delay, (count,), fixed),
        backlash=_up_to(rng, cfg.backlash, joints, fixed) * unit,
    )


def draw_pushes(rng: np.random.Generator, cfg: Perturbation, mass: np.ndarray) -> np.ndarray:
    """Wrenches (N, 6) [N, N·m] on the objects of ``mass`` (N) [kg] for one policy step; most are zero."""
    wrench = np.zeros((len(mass), 6))
    if cfg.push_probability > 0.0 and cfg.push_acceleration > 0.0:
        pushed = rng.random(len(mass)) < cfg.push_probability
        force = cfg.push_acceleration * mass[:, None] * rng.standard_normal((len(mass), 3))
        wrench[:, :3] = np.where(pushed[:, None], force, 0.0)
    return wrench


def draw_pose_noise(rng: np.random.Generator, cfg: Perturbation, count: int) -> np.ndarray:
    """What white noise and outliers add to ``count`` object poses (count, 6): positions [m], then rotation vectors [rad]."""
    outlier = (rng.random(count) < cfg.outliers)[:, None]
    unit = rng.uniform(-1.0, 1.0, (count, 6))
    far = rng.uniform(-1.0, 1.0, (count, 6))
    white = np.repeat((cfg.position_noise, cfg.rotation_noise), 3)
    return white * unit + np.where(outlier, _OUTLIER * far, 0.0)


def disturbed(wxyz_xyz: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Poses (K, 7) moved, and turned in place, by ``offset`` (K, 6): vectors [m], then rotation vectors [rad], world axes."""
    wxyz = quaternions.normalise(quaternions.multiply(quaternions.exp(offset[:, 3:]), wxyz_xyz[:, :4]))
    return np.concatenate([wxyz, wxyz_xyz[:, 4:] + offset[:, :3]], -1)
