"""What a tracking camera beside the emulated cell says of the object: late, noisy, as the perturbation has it.

In:  the twin.   Out: ``ObjectState``.
Not here: pictures (camera).
"""

from __future__ import annotations

import numpy as np

from h2s2r_hw.emulators.twin import Twin
from h2s2r_schemas.wire import ObjectState
from h2s2r_sim.env.camera import ObjectCamera

_ONE = np.zeros(1, dtype=np.int64)


class Sight:
    """An emulated tracker. Call ``look`` once in each ``period``.

    Args:
        twin: what it looks at.
        period: [s] between looks; the camera's own rate and delay are the perturbation's.
        seed: decides its noise.
    """

    def __init__(self, twin: Twin, period: float, seed: int = 0) -> None:
        self._twin = twin
        self._rng = np.random.default_rng([seed, 2])
        self._camera = ObjectCamera(twin.cfg.perturbation, 1, period)
        self._camera.reset(_ONE, twin.T_world_object.wxyz_xyz[None], twin.signals, self._rng)
        self._sequence = 0

    def look(self) -> ObjectState:
        """The newest pose that is known now; ``capture_time`` [s] is the cell's."""
        self._camera.update(self._twin.T_world_object.wxyz_xyz[None], self._rng)
        seen, age = self._camera.seen()
        self._sequence += 1
        return ObjectState(
            object_name=self._twin.task.object.name,
            sequence=self._sequence,
            capture_time=self._twin.time - float(age[0]),
            wxyz_xyz_world_object=seen[0],
            confidence=1.0,
            lost=False,
        )
