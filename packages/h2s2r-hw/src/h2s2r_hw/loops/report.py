"""What a part says of itself in every tick, as the flat numbers of its records.

In:  a ``Part``.   Out: the beginning of a status, the counters of motion, the beginning of a log record.
Not here: what only the arm or only the hand has (arm, hand).
"""

from __future__ import annotations

from collections.abc import Sequence

from h2s2r_hw.bus.records import MOTION_COUNTERS
from h2s2r_hw.loops.part import Part

#: Ticks after which the counters of motion are summed up anew: nobody looks at them more often.
_SUM_TICKS = 16


class Report:
    """Of one part, tick by tick.

    Args:
        part: of which.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self.number = 0
        """Ticks."""
        self._counts = self._count()
        self._zeros = (0.0,) * len(part.limits.names)

    def status(
        self, now_ns: int, joint_vel: Sequence[float], joint_torque: Sequence[float], joint_pos_target: Sequence[float]
    ) -> tuple[float, ...]:
        """The fields that both statuses begin with."""
        part, ears = self._part, self._part.ears
        return (
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
            *self.residual(),
            part.fault_number,
            part.fault_code,
            part.fault_ns,
            part.fault_state,
            part.fault_value,
            part.fault_joint,
            *part.fault_joint_pos,
            *part.fault_joint_pos_target,
        )

    def residual(self) -> Sequence[float]:
        """(J) the correction of this tick."""
        if not self._part.residual_number:
            return self._zeros
        on_target, on_torque = self._part.corrections
        return (on_torque if on_target.idle else on_target).values

    def log(
        self,
        now_ns: int,
        joint_vel: Sequence[float],
        joint_torque: Sequence[float],
        joint_torque_sent: Sequence[float],
        joint_pos_target: Sequence[float],
    ) -> tuple[float, ...]:
        """The fields that both logs begin with."""
        part, ears = self._part, self._part.ears
        return (
            self.number,
            now_ns,
            part.state,
            ears.command_sequence,
            part.clamped,
            part.fault_code,
            *(ears.joint_pos or joint_pos_target),
            *joint_pos_target,
            *part.measured,
            *joint_vel,
            *joint_torque,
            *joint_torque_sent,
            *self.residual(),
        )

    def counters(self) -> tuple[int, ...]:
        """In the order of ``MOTION_COUNTERS``; at most some ticks old."""
        if self.number % _SUM_TICKS == 0:
            self._counts = self._count()
        return self._counts

    def _count(self) -> tuple[int, ...]:
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
