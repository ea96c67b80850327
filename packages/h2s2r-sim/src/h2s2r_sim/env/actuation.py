"""What becomes of a joint target on its way to the joint: it comes late, and the joint has play.

In:  targets (N, J) of this step.   Out: targets (N, S, J) for S pieces of the control period.
Not here: gains, friction and torque limits (engines), how much delay and play (perturbation).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from h2s2r_sim.mdp.events import SignalParameters
from h2s2r_sim.perturbation import Perturbation


class Actuation:
    """The way of N robots' targets to their joints.

    Args:
        cfg: how severe each cause is.
        num_envs: N.
        num_joints: J.
        control_dt: [s] between policy steps.
        pieces: S, into how many pieces a control period is cut where delay or play must act within it.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_queue", "_delay", "_play", "_joint")

    def __init__(self, cfg: Perturbation, num_envs: int, num_joints: int, control_dt: float, pieces: int) -> None:
        self._late = cfg.action_delay > 0.0
        self._loose = cfg.backlash > 0.0
        # Stiction looks at whether a joint stands still, which changes within a control period.
        self._pieces = pieces if self._late or self._loose or cfg.stiction > 0.0 else 1
        self._dt = control_dt / self._pieces
        steps = int(np.ceil(cfg.action_delay / self._dt))
        self._queue = np.zeros((num_envs, self._pieces + steps, num_joints))
        self._delay = np.zeros(num_envs, dtype=np.int64)
        self._play = np.zeros((num_envs, num_joints))
        self._joint = np.zeros((num_envs, num_joints))

    def reset(self, env_ids: np.ndarray, joint_pos: np.ndarray, signals: SignalParameters) -> None:
        """Begin episodes at rest at ``joint_pos`` (K, J)."""
        self._queue[env_ids] = joint_pos[:, None]
        self._joint[env_ids] = joint_pos
        self._delay[env_ids] = np.round(signals.action_delay / self._dt).astype(np.int64)
        self._play[env_ids] = signals.backlash

    def pieces(self, joint_pos_target: np.ndarray) -> np.ndarray:
        """Targets (N, S, J) that reach the joints while ``joint_pos_target`` (N, J) is being sent."""
        if not (self._late or self._loose):
            return np.repeat(joint_pos_target[:, None], self._pieces, 1)
        # Newest last: what was sent S pieces and the delay ago comes first.
        self._queue = np.concatenate(
            [self._queue[:, self._pieces :], np.repeat(joint_pos_target[:, None], self._pieces, 1)], 1
        )
        first = self._queue.shape[1] - self._pieces - self._delay
        arriving = self._queue[np.arange(len(first))[:, None], first[:, None] + np.arange(self._pieces)]
        return self._through_play(arriving) if self._loose else arriving

    def _through_play(self, arriving: np.ndarray) -> np.ndarray:
        """The joint moves only when the motor has crossed the play, and is then half of it behind."""
        out = np.empty_like(arriving)
        for piece in range(arriving.shape[1]):
            half = 0.5 * self._play
            self._joint = np.clip(self._joint, arriving[:, piece] - half, arriving[:, piece] + half)
            out[:, piece] = self._joint
        return out
