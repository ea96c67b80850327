"""The emulated hand's encoders, which can stick or jump.

In:  the plant's finger positions.   Out: (16) counts.
Not here: frames (hand).
"""

from __future__ import annotations

from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.plant import Plant

_LARGEST = 32767


class Encoders:
    """Sixteen encoders."""

    def __init__(self, plant: Plant, plan: FaultPlan) -> None:
        self._plant, self._plan = plant, plan
        self._stuck: tuple[int, float] | None = None

    def counts(self, unit: float, now_ns: int) -> list[int]:
        """(16) as they stand in frames; ``unit`` [rad] of one count."""
        joint_pos = list(self._plant.measure_hand())
        if self._plan:
            self._disturb(joint_pos, now_ns)
        counts = [round(each / unit) for each in joint_pos]
        if max(counts) > _LARGEST or min(counts) < -_LARGEST - 1:
            return [max(-_LARGEST - 1, min(_LARGEST, each)) for each in counts]
        return counts

    def _disturb(self, joint_pos: list[float], now_ns: int) -> None:
        """Let (16) [rad] stick or jump."""
        stuck = self._plan.active("stuck_encoder", now_ns)
        if stuck is None:
            self._stuck = None
        else:
            joint = int(stuck.values[0])
            if self._stuck is None or self._stuck[0] != joint:
                self._stuck = (joint, joint_pos[joint])
            joint_pos[joint] = self._stuck[1]
        jump = self._plan.active("encoder_jump", now_ns)
        if jump is not None:
            joint_pos[int(jump.values[0])] += jump.values[1]
