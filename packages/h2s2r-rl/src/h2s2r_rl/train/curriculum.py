"""From narrow to wide: which perturbations and which friction a training meets, how far off an object may be, and when more.

In:  an environment's configuration, how often episodes succeeded.   Out: the configuration of the next stretch.
Not here: the perturbations (h2s2r_sim.perturbation), when a stretch ends (resume).
"""

from __future__ import annotations

from dataclasses import replace

from h2s2r_rl.config import TrainCfg
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.perturbation import CAUSES

#: Not how far something is off, but what the camera is like: it stays as it is.
_KEPT = ("camera_hz", "camera_delay")
#: A share by which friction or mass may be off.
_LARGEST = 0.9
#: Stiffness of friction over that of the normal.
_IMPRATIO = 3.0


def at_share(cfg: EnvCfg, share: float) -> EnvCfg:
    """The environment with this share, in (0, 1], of each perturbation; the same one for 1."""
    if share == 1.0:
        return cfg
    noise = cfg.perturbation
    severities = {cause: share * getattr(noise, cause) for cause in CAUSES if cause not in _KEPT}
    return replace(cfg, perturbation=noise.replace(**severities))


def env_cfg_at(cfg: TrainCfg, share: float, stretch: int = 0) -> EnvCfg:
    """The environment of a stretch between two checkpoints.

    Args:
        cfg: how is trained.
        share: of the perturbations, in (0, 1]; with it grows the error at which episodes end.
        stretch: which one, counted from 0: every second one may have stiff friction.
    """
    env = at_share(_wider(cfg), share)
    if cfg.first_slid and share == cfg.first_share:
        env = replace(env, start=replace(env.start, slid=cfg.first_slid))
    if share >= 1.0:
        return _stiff(env) if cfg.stiff_turns and stretch % 2 == 0 else env
    if cfg.first_limit is None:
        return env
    grown = (share - cfg.first_share) / (1.0 - cfg.first_share)
    limit = cfg.first_limit + grown * (env.termination.anchor_error - cfg.first_limit)
    return replace(env, termination=replace(env.termination, anchor_error=limit))


def stalled(cfg: TrainCfg, share: float, done: float) -> bool:
    """Whether a training has never been good enough to meet more, and should have been by now.

    Args:
        cfg: when that is.
        share: of the perturbations in the next stretch.
        done: how much of the training is behind, in [0, 1].
    """
    return share == cfg.first_share < 1.0 and cfg.restart_at <= done < 1.0


def _wider(cfg: TrainCfg) -> EnvCfg:
    """Friction and mass drawn further off than they are judged."""
    if cfg.physics_factor == 1.0:
        return cfg.env
    noise = cfg.env.perturbation
    severities = {cause: min(cfg.physics_factor * getattr(noise, cause), _LARGEST) for cause in ("friction", "mass")}
    return replace(cfg.env, perturbation=noise.replace(**severities))


def _stiff(env: EnvCfg) -> EnvCfg:
    """The exact cone, and friction that hardly creeps."""
    return replace(env, scene=replace(env.scene, cone="elliptic", impratio=_IMPRATIO))


def next_share(cfg: TrainCfg, share: float, success: float, done: float) -> float:
    """The share of the perturbations in the next stretch.

    Args:
        cfg: how it widens.
        share: of the last stretch.
        success: share of the whole episodes that succeeded in its last iterations, exploring; NaN where none ended.
        done: how much of the training is behind, in [0, 1].
    """
    wider = share + cfg.widen_by if success >= cfg.widen_above else share
    # What is not learned narrow is at last tried wide: the policy is judged there.
    if done >= cfg.wide_from:
        wider = 1.0
    return min(wider, 1.0)
