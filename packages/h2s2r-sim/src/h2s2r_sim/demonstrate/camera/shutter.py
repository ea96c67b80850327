"""When frames are taken, and which of them arrive.

In:  a duration [s], a rate, ``DepthFaults``, a generator.   Out: ``Exposure`` per frame that arrives.
Not here: what is wrong in a picture (measure).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_sim.demonstrate.camera.faults import DepthFaults


@dataclass(frozen=True)
class Exposure:
    """One frame as it arrives."""

    time: float
    """[s] its time stamp."""
    color_time: float
    """[s] when what it shows in colour was taken: earlier than the stamp where an old frame is delivered again."""
    depth_time: float
    """[s] the same for depth."""


def expose(duration: float, rate_hz: float, faults: DepthFaults, rng: np.random.Generator) -> list[Exposure]:
    """The frames of a recording, in the order of their time stamps.

    Args:
        duration: [s]
        rate_hz: [Hz] nominal.
        faults: ``delay``, ``time_jitter``, ``dropped``, ``repeated``.
        rng: of this recording.
    """
    count = int(np.floor(duration * rate_hz)) + 1
    jitter = np.clip(faults.time_jitter * rng.standard_normal(count), -0.2 / rate_hz, 0.2 / rate_hz)
    chance = rng.random((count, 2))
    frames: list[Exposure] = []
    for index in range(count):
        time = index / rate_hz + (float(jitter[index]) if index else 0.0)
        if index and chance[index, 0] < faults.dropped:
            continue
        if index and chance[index, 1] < faults.repeated:
            frames.append(Exposure(time, frames[-1].color_time, frames[-1].depth_time))
        else:
            frames.append(Exposure(time, time, time + faults.delay))
    return frames
