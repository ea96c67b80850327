"""What is wrong with the hand at this tick.

In:  what the hand said, where its joints were and are.   Out: the flags and faults of a ``Part``.
Not here: what follows from a fault (states), reading frames (drivers.allegro.link).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub

from h2s2r_hw.config import HandCfg
from h2s2r_hw.drivers.allegro.link import HandLink
from h2s2r_hw.loops.part import Part
from h2s2r_hw.states import MOVING, State, fault_number

_IDENTITY, _HOT = fault_number("hand_wrong_identity"), fault_number("hand_over_temperature")
_MOTOR, _INTERNAL = fault_number("hand_motor_error"), fault_number("hand_internal_fault")
_JUMP, _STUCK = fault_number("hand_encoder_jump"), fault_number("hand_joint_stuck")
_BUS_OFF, _SEND_FAILED = fault_number("can_bus_off"), fault_number("can_send_failed")
_SILENT = fault_number("hand_silent")
#: Frames in a row that the bus did not take: two cycles.
_UNSENT = 8


class HandChecks:
    """Sets a part's flags, cycle by cycle.

    Args:
        cfg: what must be so.
        link: the hand.
        part: the same as a part.
    """

    def __init__(self, cfg: HandCfg, link: HandLink, part: Part) -> None:
        self._cfg, self._link, self._part = cfg, link, part
        self._still, self._any_still = [0] * 16, False
        self._stuck_cycles = max(1, round(cfg.stuck_time / (cfg.period_ms * 1e-3)))

    def look(self, now_ns: int) -> None:
        """What the hand and the bus say of themselves."""
        part, link, cfg = self._part, self._link, self._cfg
        silent = (now_ns - link.positions_ns) * 1e-9
        part.link = link.positions_ns > 0 and silent <= cfg.silent_off and not link.bus_off
        unhealthy = link.hot or link.internal_fault or link.motor_error is not None
        part.good = part.link and not unhealthy and link.identified
        part.follows = part.good and link.servo_on
        if part.state not in MOVING:
            return
        if link.bus_off:
            part.fault(_BUS_OFF)
        elif link.send_failed_in_a_row >= _UNSENT:
            part.fault(_SEND_FAILED, float(link.send_failed_in_a_row))
        elif silent > cfg.silent_off:
            part.fault(_SILENT, silent * 1e3)
        elif link.mistaken:
            part.fault(_IDENTITY, float(link.hardware_version))
        elif unhealthy:
            self._complain()

    def look_at_positions(self, before: Sequence[float], setpoint: Sequence[float], cycles: int) -> None:
        """(16) [rad] of the last set, so many cycles ago, and where the joints are pushed to."""
        part, cfg, positions = self._part, self._cfg, self._part.measured
        jump = cfg.jump * min(cycles, 3)
        if max(map(abs, map(sub, positions, before))) > jump:
            moved = [abs(now - then) for now, then in zip(positions, before, strict=True)]
            joint = next(joint for joint, each in enumerate(moved) if each > jump)
            part.fault(_JUMP, moved[joint], joint)
        # Whoever is not pushed is not stuck.
        driven = part.state in MOVING and part.state != State.ARMING
        if not driven or max(map(abs, map(sub, setpoint, positions))) <= cfg.stuck_error:
            if self._any_still:
                self.forget()
            return
        self._any_still = True
        moved, away = list(map(sub, positions, before)), list(map(sub, setpoint, positions))
        for joint, (change, error) in enumerate(zip(moved, away, strict=True)):
            pushed = change == 0.0 and abs(error) > cfg.stuck_error
            self._still[joint] = self._still[joint] + 1 if pushed else 0
            if self._still[joint] >= self._stuck_cycles:
                part.fault(_STUCK, cfg.stuck_time, joint)

    def forget(self) -> None:
        """Another motion begins."""
        self._still, self._any_still = [0] * 16, False

    def _complain(self) -> None:
        part, link = self._part, self._link
        if link.motor_error is not None:
            motor, flags = link.motor_error
            part.fault(_MOTOR, float(flags), min(motor, 15))
        elif link.internal_fault:
            part.fault(_INTERNAL)
        else:
            part.fault(_HOT, max((each for each in link.temperatures if each == each), default=0.0))  # noqa: PLR0124
