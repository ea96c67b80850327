"""From narrow to wide: how much of the perturbations a training meets, how far off an object may be, and when it meets more.

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


def at_share(cfg: EnvCfg, share: float) -> EnvCfg:
    """The environment with this share, in (0, 1], of each perturbation; the same one for 1."""
    if share == 1.0:
        return cfg
    noise = cfg.perturbation
    severities = {cause: share * getattr(noise, cause) for cause in CAUSES if cause not in _KEPT}
    return replace(cfg, perturbation=noise.replace(**severities))


def env_cfg_at(cfg: TrainCfg, share: float) -> EnvCfg:
    """The environment of a training at this share: its perturbations, and the error at which episodes end."""
    env = at_share(cfg.env, share)
    if cfg.first_limit is None or share >= 1.0:
        return env
    grown = (share - cfg.first_share) / (1.0 - cfg.first_share)
    limit = cfg.first_limit + grown * (env.termination.anchor_error - cfg.first_limit)
    return replace(env, termination=replace(env.termination, anchor_error=limit))


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
