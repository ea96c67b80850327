"""What a part says of itself in every tick: the beginning of its status and of its log record.

In:  a ``Part``, its slots.   Out: both records but for what only the arm or only the hand has; then both published.
Not here: those ends (arm, hand), layouts (bus.records).

Records keep what stands in them, so what seldom changes is written when it does: the fault, the counters. What stands in both
in the same order is packed once and copied.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from h2s2r_hw.bus.records import MOTION_COUNTERS, places_of
from h2s2r_hw.loops.bus import LoopSlots
from h2s2r_hw.loops.part import Part

#: Ticks after which the counters of motion are summed up anew: nobody looks at them more often.
_SUM_TICKS = 16
_DOUBLE = 8


class Report:
    """Of one part, tick by tick.

    Args:
        part: of which.
        slots: where to.
    """

    def __init__(self, part: Part, slots: LoopSlots) -> None:
        self._part, self._slots = part, slots
        self.status, self.log = slots.status.data, slots.log.data
        """The bytes of both records."""
        self.number = 0
        """Ticks."""
        joints = len(part.limits.names)
        self._joints = struct.Struct(f"<{joints}d")
        self._zeros = (0.0,) * joints
        status, log, wide = slots.status.record.dtype, slots.log.record.dtype, joints * _DOUBLE
        self._moving, self._log_begins = struct.Struct(f"<7q{4 * joints}d"), struct.Struct("<6q")
        self._counters = struct.Struct(f"<{len(MOTION_COUNTERS)}q")
        self._fault = struct.Struct(f"<qqqqdq{2 * joints}d")
        self._fault_at, self._counters_at = (
            offset(status, "fault_number"),
            offset(status, f"count_{MOTION_COUNTERS[0]}"),
        )
        # Positions, velocities and torques: the same three in a row in both.
        at, to = offset(status, "joint_pos"), offset(log, "joint_pos")
        self._three = (slice(to, to + 3 * wide), slice(at, at + 3 * wide))
        at, to = offset(status, "joint_pos_target"), offset(log, "joint_pos_target")
        self._target = (slice(to, to + wide), slice(at, at + wide))
        self._asked_at = offset(log, "joint_pos_asked")
        self._told_target: tuple[float, ...] = ()
        at, to = offset(status, "joint_torque"), offset(log, "joint_torque_sent")
        self._sent = (slice(to, to + wide), slice(at, at + wide))
        self._residual_at, to = offset(status, "residual"), offset(log, "joint_residual")
        self._residual = (slice(to, to + wide), slice(self._residual_at, self._residual_at + wide))
        self._told_fault, self._corrected = (-1, -1), True
        self._counters.pack_into(self.status, self._counters_at, *self._count())

    def write(
        self,
        now_ns: int,
        joint_vel: Sequence[float],
        joint_torque: Sequence[float],
        joint_torque_sent: Sequence[float],
        joint_pos_target: Sequence[float],
    ) -> None:
        """One more tick: everything that both parts have, in both records."""
        part, ears, status, log = self._part, self._part.ears, self.status, self.log
        self.number += 1
        self._moving.pack_into(
            status,
            0,
            self.number,
            now_ns,
            part.state,
            ears.target_number,
            ears.command_sequence,
            part.clamped,
            part.residual_number,
            *part.measured,
            *joint_vel,
            *joint_torque,
            *joint_pos_target,
        )
        self._log_begins.pack_into(
            log, 0, self.number, now_ns, part.state, ears.command_sequence, part.clamped, part.fault_code
        )
        if not ears.joint_pos or ears.joint_pos is not self._told_target:
            # Without a target, where it is sent is what is asked for.
            self._told_target = ears.joint_pos
            self._joints.pack_into(log, self._asked_at, *(ears.joint_pos or joint_pos_target))
        to, at = self._target
        log[to] = status[at]
        to, at = self._three
        log[to] = status[at]
        to, at = self._sent
        if joint_torque_sent is joint_torque:
            log[to] = status[at]
        else:
            self._joints.pack_into(log, to.start, *joint_torque_sent)
        self._write_changes()

    def publish(self) -> None:
        """Both records are complete."""
        self._slots.status.write()
        self._slots.log.append()

    def _write_changes(self) -> None:
        """What is as it was in most ticks."""
        part = self._part
        if part.residual_number or self._corrected:
            self._write_residual()
        if (part.fault_number, part.fault_code) != self._told_fault:
            self._write_fault()
        if self.number % _SUM_TICKS == 0:
            self._counters.pack_into(self.status, self._counters_at, *self._count())

    def _write_residual(self) -> None:
        """(J) the correction of this tick."""
        part = self._part
        on_target, on_torque = part.corrections
        self._corrected = part.residual_number != 0
        values = (on_torque if on_target.idle else on_target).values if self._corrected else self._zeros
        self._joints.pack_into(self.status, self._residual_at, *values)
        to, at = self._residual
        self.log[to] = self.status[at]

    def _write_fault(self) -> None:
        part = self._part
        self._told_fault = (part.fault_number, part.fault_code)
        self._fault.pack_into(
            self.status,
            self._fault_at,
            part.fault_number,
            part.fault_code,
            part.fault_ns,
            part.fault_state,
            part.fault_value,
            part.fault_joint,
            *part.fault_joint_pos,
            *part.fault_joint_pos_target,
        )

    def _count(self) -> tuple[int, ...]:
        """In the order of ``MOTION_COUNTERS``."""
        part = self._part
        one, other = (correction.counts for correction in part.corrections)
        counts = {
            "clamped_position": part.clamped_position,
            "guard_holds": part.guard_holds,
            "stale_targets": part.stale_targets,
            "stops": part.stops,
            "unsolved": part.upsampler.failures,
            "far_targets": part.far_targets,
            "residual_active": one.active + other.active,
            "residual_not_finite": one.not_finite + other.not_finite,
            "residual_magnitude": one.magnitude + other.magnitude,
            "residual_rate": one.rate + other.rate,
            "residual_total": part.residual_total,
            "residual_stale": one.stale + other.stale,
            "residual_fallbacks": one.fallbacks + other.fallbacks,
        }
        return tuple(counts[name] for name in MOTION_COUNTERS)


def offset(record: np.dtype[Any], name: str) -> int:
    """[bytes] where a field begins: every number has 8."""
    return _DOUBLE * places_of(record)[name].start
