"""Torques that bring the fingers to their setpoints: proportional and derivative, with an observer for the velocity.

In:  (16) measured and wanted positions [rad].   Out: (16) torques [N·m] within their caps, and their four frames.
Not here: where setpoints come from (motion), whether torques are sent at all (loops.hand).

Encoders count in steps of 0.1 mrad (version 4) or 1.5 mrad (version 5); differences of those at 3 ms would be speeds in steps
of 0.03 or 0.5 rad/s, so an observer estimates the velocity. No driver of this hand compensates gravity, and neither does this.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from operator import le, sub

from h2s2r_hw.config import HandCfg
from h2s2r_hw.drivers.allegro.frames import SET_TORQUE, Frame
from h2s2r_hw.drivers.allegro.versions import HandVersion

_SIXTEEN = struct.Struct("<16h")


class HandControl:
    """Of one hand.

    Args:
        cfg: gains and caps.
        version: units.
        torque_limit: (16) [N·m] of the robot: the caps are never above it.
    """

    def __init__(self, cfg: HandCfg, version: HandVersion, torque_limit: Sequence[float]) -> None:
        unit = self._unit = version.torque_unit
        # Gains to commands instead of torques.
        self._kp, self._kd = [unit * each for each in cfg.kp], [unit * each for each in cfg.kd]
        limits = zip(version.command_limit, torque_limit, strict=True)
        # Whole numbers, as they are sent: no rounding leads above them.
        self._caps = [int(min(cfg.current_fraction * most, torque * version.torque_unit)) for most, torque in limits]
        self.period = cfg.period_ms * 1e-3
        """[s] of a cycle."""
        # Critically damped: both poles at the bandwidth.
        pole = math.exp(-2.0 * math.pi * cfg.observer_hz * self.period)
        self._alpha, self._beta = 1.0 - pole * pole, (1.0 - pole) ** 2
        self._observed: list[float] = [0.0] * 16
        self.joint_vel: list[float] = [0.0] * 16
        """(16) [rad/s] observed."""
        self.joint_torque: list[float] = [0.0] * 16
        """(16) [N·m] of the last frames."""
        self.commands: list[int] = [0] * 16
        """(16) in them: PWM (version 4) or mA (version 5)."""
        self.capped = 0
        """Joint-ticks at which a cap acted."""

    @property
    def torque_limit(self) -> list[float]:
        """(16) [N·m] of the caps."""
        return [each / self._unit for each in self._caps]

    def restart(self, joint_pos: Sequence[float]) -> None:
        """The observer begins anew, at rest at (16) [rad]."""
        self._observed, self.joint_vel = list(joint_pos), [0.0] * 16

    def observe(self, joint_pos: Sequence[float], cycles: int) -> None:
        """(16) [rad] measured, so many cycles after the last."""
        # The joint goes on with its velocity; by how far it is then found elsewhere corrects both.
        elapsed, alpha = cycles * self.period, self._alpha
        gain, keep = self._beta / elapsed, 1.0 - alpha
        ahead, slow = keep * elapsed, 1.0 - self._beta
        observed, speeds = self._observed, self.joint_vel
        triples = list(zip(observed, speeds, joint_pos))  # noqa: B905 - sixteen each
        self._observed = [keep * before + ahead * speed + alpha * found for before, speed, found in triples]
        self.joint_vel = [slow * speed + gain * (found - before) for before, speed, found in triples]

    def torques(
        self, joint_pos: Sequence[float], setpoint: Sequence[float], extra: Sequence[float] | None
    ) -> list[Frame]:
        """Four frames towards (16) [rad], with (16) [N·m] added."""
        unit = self._unit
        away = map(sub, setpoint, joint_pos)
        asked = [
            kp * error - kd * speed
            for kp, error, kd, speed in zip(self._kp, away, self._kd, self.joint_vel)  # noqa: B905 - sixteen each
        ]
        # Nearly always nothing is capped; that much is known without looking joint by joint.
        within = all(map(le, map(abs, asked), self._caps))
        commands = list(map(round, asked)) if within else self._cap(asked)
        if extra is not None:
            commands = self._add(commands, extra)
        self.commands = commands
        self.joint_torque = [each / unit for each in commands]
        data = _SIXTEEN.pack(*commands)
        return [Frame(SET_TORQUE + 4 * f, data[8 * f : 8 * f + 8]) for f in range(4)]

    def rest(self) -> None:
        """Nothing is sent."""
        self.commands, self.joint_torque = [0] * 16, [0.0] * 16

    def _cap(self, asked: Sequence[float]) -> list[int]:
        """(16) whole commands within the caps."""
        commands: list[int] = []
        for command, cap in zip(asked, self._caps, strict=True):
            if -cap <= command <= cap:
                commands.append(round(command))
                continue
            # What is not a number fails both comparisons and becomes 0.
            self.capped += 1
            commands.append(cap if command > cap else -cap if command < -cap else 0)
        return commands

    def _add(self, commands: list[int], extra: Sequence[float]) -> list[int]:
        """The same with (16) [N·m] more, within the caps."""
        return self._cap([command + self._unit * torque for command, torque in zip(commands, extra, strict=True)])
