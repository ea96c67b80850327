"""The emulated hand's motors: they hold the last current, heat up, and are switched off when hot.

In:  commands from the bus.   Out: torques [N·m] for the plant, temperatures [°C].
Not here: frames (hand).
"""

from __future__ import annotations

import math

from h2s2r_hw.drivers.allegro import HandVersion
from h2s2r_hw.emulators.hand.config import HandCfg

#: Largest command that the hand itself follows: PWM of version 4, mA of version 5.
FIRMWARE_LIMIT = {"v4": 1200, "v5": 240}
_NONE = (0.0,) * 16


class Motors:
    """Sixteen motors. A command stays until another one comes, whether anybody still lives who sent it."""

    def __init__(self, cfg: HandCfg, version: HandVersion) -> None:
        self._cfg, self._unit = cfg, version.torque_unit
        self._limit = FIRMWARE_LIMIT[version.name]
        self.commands = [0] * 16
        """(16) PWM or mA, limited."""
        self.servo_on = False
        """Whether currents flow."""
        self.over_temperature = False
        """Whether they were switched off for it, and are still hot."""
        self.temperatures = [cfg.ambient] * 16
        """(16) [°C]."""
        self._torques = [0.0] * 16

    def set_finger(self, finger: int, commands: tuple[int, ...]) -> None:
        """Latch four commands."""
        limit, unit, joints = self._limit, self._unit, slice(4 * finger, 4 * finger + 4)
        latched = [limit if each > limit else -limit if each < -limit else each for each in commands]
        self.commands[joints], self._torques[joints] = latched, [each / unit for each in latched]

    def heat(self, seconds: float, forced: float | None) -> None:
        """Let time pass; ``forced`` [°C] is what a fault makes them."""
        kept = math.exp(-seconds / self._cfg.cooling_time)
        for joint, command in enumerate(self.commands):
            load = (command / self._limit) ** 2 if self.servo_on else 0.0
            above = (self.temperatures[joint] - self._cfg.ambient) * kept + self._cfg.heating * load * seconds
            self.temperatures[joint] = self._cfg.ambient + above if forced is None else forced
        if max(self.temperatures) >= self._cfg.hot:
            self.over_temperature, self.servo_on = True, False
        elif max(self.temperatures) < self._cfg.hot - 5.0:
            self.over_temperature = False

    def torques(self) -> tuple[float, ...]:
        """(16) [N·m] that they push with now."""
        return tuple(self._torques) if self.servo_on else _NONE
