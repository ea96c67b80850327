"""Learned corrections that are wrong.

In:  a scene.   Out: ``CASES`` of class 15.
Not here: single evaluations of the clamp (random_residual).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from h2s2r_hw.bus.records import NUM_ARM, NUM_JOINTS
from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.residual_process import Model, ResidualProcess
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings
from h2s2r_hw.emulators.rehearsal.whole import MS

_POSITION, _TORQUE = 0, 1


class _Watch:
    """Looks after every tick at what the loops applied."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._due_ns = scene, scene.whole.now_ns
        self.largest = {"arm": 0.0, "hand": 0.0}
        self.steepest = {"arm": 0.0, "hand": 0.0}
        self._before = {"arm": np.zeros(NUM_ARM), "hand": np.zeros(NUM_JOINTS - NUM_ARM)}

    def next_event_ns(self) -> int:
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        self._due_ns = now_ns + MS
        for part in ("arm", "hand"):
            applied = self._scene.whole.status(part)["residual"].copy()
            self.largest[part] = max(self.largest[part], float(np.abs(applied).max()))
            self.steepest[part] = max(self.steepest[part], float(np.abs(applied - self._before[part]).max()))
            self._before[part] = applied
        return {}


def _model(
    model: Model, output: int = _POSITION, late_ms: float = 0.0, seconds: float = 2.0
) -> Callable[[Scene], None]:
    """While it follows with a correction allowed, the model acts like this."""

    def play(scene: Scene) -> None:
        scene.tracking(0.5)
        watch = _Watch(scene)
        scene.whole.group.stages += [ResidualProcess(scene, model, output, late_ms), watch]
        scene.follow(seconds, use_residual=True)
        for part in ("arm", "hand"):
            status = scene.whole.status(part)
            scene.notes[f"{part}_largest"] = watch.largest[part]
            scene.notes[f"{part}_steepest"] = watch.steepest[part]
            for name in ("active", "not_finite", "magnitude", "rate", "stale", "fallbacks"):
                scene.notes[f"{part}_{name}"] = int(status[f"count_residual_{name}"])

    return play


def _constant(value: float) -> Model:
    return lambda seconds: np.full(NUM_JOINTS, value)


def _dies(seconds: float) -> np.ndarray:
    """A good one that becomes not a number."""
    return np.full(NUM_JOINTS, 0.01 if seconds < 1.0 else math.nan)


def _swings(seconds: float) -> np.ndarray:
    return np.full(NUM_JOINTS, 1e3 * math.sin(2.0 * math.pi * 50.0 * seconds))


def _same_as_without(scene: Scene) -> None:
    """A model that wants nothing: what is sent is the same to the last bit."""
    import tempfile  # noqa: PLC0415 - here alone
    from pathlib import Path  # noqa: PLC0415 - here alone

    digests: list[str] = []
    for model in (None, _constant(0.0)):
        with tempfile.TemporaryDirectory(prefix="case") as folder:
            other = Scene(Path(folder), settings())
            other.tracking(0.5)
            if model is not None:
                other.whole.group.stages.append(ResidualProcess(other, model, _POSITION, 0.0))
            other.follow(1.0, use_residual=True)
            digests.append(other.whole.cell.digest())
            other.close()
    scene.ready()
    scene.notes["same"] = int(digests[0] == digests[1])


#: 15 % of 0.1 rad for targets; of a hand joint's torque limit at a quarter of its current for torques.
_WITHIN = {"server_state": "track", "arm_largest": (0.0, 0.0150001), "arm_faults": 0, "hand_faults": 0}
_SWITCHED_OFF = {**_WITHIN, "arm_fallbacks": (1, 5)}
CASES = (
    Case(
        15,
        "a good one",
        _model(_constant(0.01)),
        {**_WITHIN, "arm_largest": (0.0099, 0.01), "arm_fallbacks": 0, "arm_not_finite": 0},
    ),
    Case(
        15,
        "not a number",
        _model(_constant(math.nan)),
        {**_SWITCHED_OFF, "arm_largest": 0.0, "arm_not_finite": (1, 10_000)},
    ),
    Case(
        15,
        "infinite",
        _model(_constant(math.inf)),
        {**_SWITCHED_OFF, "arm_largest": 0.0, "arm_not_finite": (1, 10_000)},
    ),
    Case(
        15,
        "good, then not a number",
        _model(_dies),
        {**_SWITCHED_OFF, "arm_steepest": (0.0, 0.002), "arm_not_finite": (1, 10_000)},
    ),
    Case(15, "saturating", _model(_constant(1e3)), {**_SWITCHED_OFF, "arm_magnitude": (1, 100_000)}),
    Case(15, "swinging", _model(_swings), {**_WITHIN, "arm_steepest": (0.0, 0.002), "arm_rate": (1, 100_000)}),
    Case(15, "late", _model(_constant(0.01), late_ms=50.0), {**_WITHIN, "arm_largest": 0.0, "arm_stale": (1, 10_000)}),
    Case(
        15,
        "saturating torques",
        _model(_constant(1e3), _TORQUE),
        {**_WITHIN, "hand_largest": (0.0, 0.022), "hand_magnitude": (1, 100_000)},
    ),
    Case(15, "one that wants nothing", _same_as_without, {"same": 1}),
)
