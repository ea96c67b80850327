"""Where the robot sees the object: late, at the camera's own rate, with noise, outliers and gaps.

In:  true object poses (N, 7), once a policy step.   Out: poses as seen (N, 7), and their age [s].
Not here: how much noise (perturbation), its draws (mdp.events), pictures (demonstrate).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from h2s2r_schemas.se3 import quaternions
from h2s2r_sim.mdp.events import SignalParameters, disturbed, draw_pose_noise
from h2s2r_sim.perturbation import Perturbation
from h2s2r_sim.rows import Rows

_EARLY = 1e-9


class ObjectCamera:
    """What N tracking cameras report. Noise is drawn once for each picture, and only then.

    A picture is taken every ``1 / camera_hz`` at an instant of its own in each episode, and its pose is known
    ``camera_delay`` later. Before an episode the object rested at its start and was seen there.

    Args:
        cfg: how severe each cause is.
        num_envs: N.
        control_dt: [s] between policy steps.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_true", "_step", "_phase", "_bias", "_picture", "_captured", "_seen")

    def __init__(self, cfg: Perturbation, num_envs: int, control_dt: float) -> None:
        self._cfg, self._dt = cfg, control_dt
        self._calm = cfg.replace(outliers=0.0)
        self._hz = cfg.camera_hz if cfg.camera_hz > 0.0 else 1.0 / control_dt
        self._ideal = cfg.camera_hz == 0.0 and cfg.camera_delay == 0.0
        oldest = cfg.camera_delay + 1.0 / self._hz
        self._length = int(np.ceil(oldest / control_dt)) + 2
        self._rows = np.arange(num_envs)
        self._true = np.zeros((num_envs, self._length, 7))
        self._step = np.zeros(num_envs, dtype=np.int64)
        self._phase = np.zeros(num_envs)
        self._bias = np.zeros((num_envs, 6))
        self._picture = np.zeros(num_envs, dtype=np.int64)
        self._captured = np.zeros(num_envs)
        self._seen = np.zeros((num_envs, 7))

    def reset(
        self, env_ids: np.ndarray, wxyz_xyz: np.ndarray, signals: SignalParameters, rng: np.random.Generator
    ) -> None:
        """Begin episodes in which the object rests at ``wxyz_xyz`` (K, 7)."""
        self._true[env_ids] = wxyz_xyz[:, None]
        self._step[env_ids] = 0
        self._phase[env_ids] = 0.0 if self._cfg.camera_hz == 0.0 else signals.camera_phase
        self._bias[env_ids] = np.concatenate([signals.object_position_bias, signals.object_rotation_bias], -1)
        self._picture[env_ids] = self._newest(env_ids)
        self._captured[env_ids] = self._time_of(env_ids)
        # The first pose seen has its noise, but is no outlier and not lost: the runner starts only once it sees the object.
        self._seen[env_ids] = self._noisy(env_ids, wxyz_xyz, self._calm, rng)

    def update(self, wxyz_xyz: np.ndarray, rng: np.random.Generator) -> None:
        """A policy step has passed; the objects are at ``wxyz_xyz`` (N, 7) now."""
        self._step += 1
        self._true[self._rows, self._step % self._length] = wxyz_xyz
        newest = self._newest(slice(None))
        fresh = newest > self._picture
        self._picture = newest
        if self._cfg.dropout > 0.0:
            fresh &= rng.random(len(fresh)) >= self._cfg.dropout
        env_ids = np.flatnonzero(fresh)
        self._captured[env_ids] = self._time_of(env_ids)
        self._seen[env_ids] = self._noisy(env_ids, self._at(env_ids), self._cfg, rng)

    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        """Newest known poses (N, 7), and how old they are (N) [s]."""
        return self._seen.copy(), self._step * self._dt - self._captured

    def _newest(self, rows: Rows) -> np.ndarray:
        """Number of the newest picture whose pose is known; negative before the episode."""
        known = self._step[rows] * self._dt - self._cfg.camera_delay
        return np.floor(known * self._hz - self._phase[rows] + _EARLY).astype(np.int64)

    def _time_of(self, env_ids: np.ndarray) -> np.ndarray:
        """When the newest picture was taken (K) [s], from the start of the episode."""
        return (self._picture[env_ids] + self._phase[env_ids]) / self._hz

    def _at(self, env_ids: np.ndarray) -> np.ndarray:
        """True poses (K, 7) when the newest picture was taken, between those at the policy steps around."""
        if self._ideal:
            return self._true[env_ids, self._step[env_ids] % self._length]
        at, now = np.maximum(self._captured[env_ids] / self._dt, 0.0), self._step[env_ids]
        before = np.minimum((at + _EARLY).astype(np.int64), now)
        after = np.minimum(before + 1, now)
        first, second = self._true[env_ids, before % self._length], self._true[env_ids, after % self._length]
        # Steps are short: a straight line between quaternions, normalised, is as good as the arc.
        turned_over = np.add.reduce(first[:, :4] * second[:, :4], -1) < 0.0
        if turned_over.any():
            second[turned_over, :4] *= -1.0
        between = first + (at - before)[:, None] * (second - first)
        return np.concatenate([quaternions.normalise(between[:, :4]), between[:, 4:]], -1)

    def _noisy(
        self, env_ids: np.ndarray, wxyz_xyz: np.ndarray, cfg: Perturbation, rng: np.random.Generator
    ) -> np.ndarray:
        if not (cfg.position_noise or cfg.rotation_noise or cfg.outliers or self._bias[env_ids].any()):
            return wxyz_xyz
        return disturbed(wxyz_xyz, draw_pose_noise(rng, cfg, len(env_ids)) + self._bias[env_ids])
