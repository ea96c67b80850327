"""An emulated Allegro hand.

In:  configuration, a plant, faults.   Out: ``Hand``.
Not here: buses and time (cell).
"""

from h2s2r_hw.emulators.hand.config import HandCfg
from h2s2r_hw.emulators.hand.hand import BUS_OFF_ERROR, Hand

__all__ = ["BUS_OFF_ERROR", "Hand", "HandCfg"]
