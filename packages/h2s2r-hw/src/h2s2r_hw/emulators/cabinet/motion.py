"""Where the emulated cabinet's own controller wants the arm: its interpolator, and how it brakes.

In:  time, positions commanded so far.   Out: (7) [rad] positions.
Not here: when which of them counts (cabinet).
"""

from __future__ import annotations

import math

from h2s2r_hw.emulators.cabinet.config import CabinetCfg
from h2s2r_hw.emulators.plant import Values


class Interpolator:
    """The motion of the application, on which the client's is laid: it holds its start, or moves one joint there and back."""

    def __init__(self, cfg: CabinetCfg) -> None:
        self._cfg = cfg
        self._start: Values = ()
        self._start_ns = 0

    def begin(self, joint_pos: Values, now_ns: int) -> None:
        """A motion starts here."""
        self._start, self._start_ns = joint_pos, now_ns

    def at(self, now_ns: int) -> Values:
        """(7) [rad]."""
        if self._cfg.ipo_amplitude == 0.0:
            return self._start
        phase = 2.0 * math.pi * (now_ns - self._start_ns) * 1e-9 / self._cfg.ipo_period
        moved = list(self._start)
        moved[self._cfg.ipo_joint] += 0.5 * self._cfg.ipo_amplitude * (1.0 - math.cos(phase))
        return tuple(moved)


class Setpoint:
    """What the arm's controller is told to reach, and how fast that moves."""

    def __init__(self, cfg: CabinetCfg, joint_pos: Values) -> None:
        self._cfg = cfg
        self.joint_pos = joint_pos
        """(7) [rad]."""
        self.joint_vel: Values = (0.0,) * len(joint_pos)
        """(7) [rad/s]."""

    def follow(self, joint_pos: Values, cycles: int = 1) -> None:
        """Go where the motion or the client says, so many periods after the last one."""
        period = cycles * self._cfg.send_period
        self.joint_vel = tuple((new - old) / period for new, old in zip(joint_pos, self.joint_pos, strict=True))
        self.joint_pos = joint_pos

    def brake(self, at_once: bool) -> None:
        """One period of coming to rest: within the braking time, or at once."""
        positions, velocities = list(self.joint_pos), list(self.joint_vel)
        for joint, velocity in enumerate(velocities):
            less = self._cfg.velocity_limit[joint] / self._cfg.braking_time * self._cfg.send_period
            slower = 0.0 if at_once else math.copysign(max(0.0, abs(velocity) - less), velocity)
            velocities[joint] = slower
            limit = self._cfg.position_limit[joint]
            positions[joint] = min(max(positions[joint] + slower * self._cfg.send_period, -limit), limit)
        self.joint_pos, self.joint_vel = tuple(positions), tuple(velocities)

    @property
    def at_rest(self) -> bool:
        """Whether it stands still."""
        return not any(self.joint_vel)
