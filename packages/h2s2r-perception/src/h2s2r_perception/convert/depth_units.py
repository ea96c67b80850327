"""Whether depth pictures are in the unit they are said to be in.

In:  counts (H, W) and the unit [m] of one.   Out: a ``SchemaError`` that says what fits, or nothing.
Not here: the unit a format prescribes (tum, foundationpose, numbered, video).

A mix-up of metres and millimetres makes every later step fail in a way nobody understands, so it is looked for here.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.errors import SchemaError

#: [m] between which the middle of what a camera at a workplace sees lies. RealSense sees from 0.15 m on.
NEAREST, FARTHEST = 0.15, 5.0
#: Units in use: metres, centimetres, millimetres, RealSense L515 (1/4 mm), TUM (1/5 mm), RealSense D405 (1/10 mm).
UNITS = (1.0, 0.01, 0.001, 0.00025, 0.0002, 0.0001)
_FEWEST_VALUES = 20


def check_depth_unit(counts: np.ndarray, unit: float, where: str) -> None:
    """Refuse depth whose middle is not at a distance at which people work with their hands.

    Args:
        counts: (H, W) uint16; 0 is no measurement.
        unit: [m] of one count.
        where: name of the picture, for the error.

    Raises:
        SchemaError: no measurement at all; metres cut to whole numbers; a middle nearer than 15 cm or farther than 5 m.
    """
    measured = counts[counts > 0]
    if not measured.size:
        raise SchemaError(f"{where} holds no depth at all. Was the depth stream on, and not covered?")
    if measured.max() < _FEWEST_VALUES:
        raise SchemaError(
            f"{where} has only counts from {measured.min()} to {measured.max()}: metres were cut to whole numbers when it "
            "was saved, and nothing brings them back. Record again with depth in millimetres."
        )
    middle = float(np.median(measured)) * unit
    if not NEAREST <= middle <= FARTHEST:
        fits = [f"{u:g}" for u in UNITS if 0.25 <= float(np.median(measured)) * u <= 3.0]
        raise SchemaError(
            f"{where}: half of it would be nearer than {middle:.4g} m, with {unit:g} m a count; allowed are {NEAREST} to "
            f"{FARTHEST} m. Counts of {' or '.join(fits) or 'no usual unit'} m would fit: give --depth-unit."
        )
