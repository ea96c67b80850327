"""What stands in for the process that evaluates a learned correction.

In:  a scene, a model of time.   Out: records in the slot of corrections.
Not here: corrections that are wrong (cases.residual), single evaluations of the clamp (random_residual).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from h2s2r_hw.emulators.rehearsal.scene import Scene
from h2s2r_hw.emulators.rehearsal.whole import MS

#: (J) wanted [rad, or N·m for torques], from the time [s] since it began.
Model = Callable[[float], np.ndarray]


class ResidualProcess:
    """Stands in for the process that evaluates a model: writes every 2 ms what the model wants.

    Args:
        scene: whose slot it writes.
        model: what is wanted.
        output: of the hand's corrections: 0 for positions [rad], 1 for torques [N·m].
        late_ms: [ms] by which the time it gives is behind.
    """

    def __init__(self, scene: Scene, model: Model, output: int, late_ms: float) -> None:
        self.slot, self._model, self._late_ns = scene.whole.residual, model, round(late_ms * 1e6)
        self._since_ns = self._due_ns = scene.whole.now_ns
        record = self.slot.record
        record["residual_number"], record["hand_output"] = 1, output
        record["gain"], record["clamp_fraction"] = 1.0, 0.15

    def next_event_ns(self) -> int:
        """[ns]."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing is sent to it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Write."""
        self._due_ns = now_ns + 2 * MS
        record = self.slot.record
        record["number"] += 1
        record["time_ns"] = now_ns - self._late_ns
        record["values"] = self._model((now_ns - self._since_ns) * 1e-9)
        self.slot.write()
        return {}
