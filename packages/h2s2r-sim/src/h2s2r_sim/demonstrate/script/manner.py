"""How one person does it, once: what differs between two demonstrations of the same task.

In:  a seed.   Out: ``Manner``.
Not here: what it looks like (look), what the task is (grip, the task itself).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import SIDES


@dataclass(frozen=True)
class Manner:
    """Numbers of one demonstration."""

    side: str = "right"
    """Which hand."""
    hand_scale: float = 1.0
    """Size of the hand: 0.90 is a woman's of the 20th, 1.05 a man's of the 85th percentile (ANSUR II)."""
    speed: float = 1.0
    """Of everything, 1 being that of the task's reference."""
    start_offset: tuple[float, float, float] = (0.08, 0.14, 0.0)
    """[m] where the hand comes from: away from the object, up, and sideways."""
    start_turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """[deg] how the hand is turned there, about the axes of the palm."""
    arc: float = 0.02
    """[m] how far the approach bends out sideways."""
    start_curl_deg: tuple[float, float] = (15.0, 18.0)
    """[deg] of knuckle and middle joint of the hand as it comes: between open and relaxed."""


def draw_manner(rng: np.random.Generator) -> Manner:
    """A manner by chance."""
    sideways = rng.uniform(-0.05, 0.05)
    return Manner(
        side=SIDES[int(rng.integers(2))],
        hand_scale=float(rng.uniform(0.90, 1.05)),
        speed=float(rng.uniform(0.8, 1.25)),
        start_offset=(float(rng.uniform(0.05, 0.11)), float(rng.uniform(0.10, 0.17)), float(sideways)),
        start_turn_deg=(float(rng.uniform(-12, 12)), float(rng.uniform(-12, 12)), float(rng.uniform(-12, 12))),
        arc=float(rng.uniform(-0.03, 0.03)),
        start_curl_deg=(float(rng.uniform(5.0, 25.0)), float(rng.uniform(8.0, 28.0))),
    )
