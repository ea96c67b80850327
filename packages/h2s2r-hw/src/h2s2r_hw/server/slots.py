"""The slots that a gateway shares with the loops.

In:  nothing, or slots of several processes.   Out: ``GatewaySlots``.
Not here: what stands in them (bus.records).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_hw.bus.records import ARM_STATUS, HAND_STATUS, ORDERS, TARGET
from h2s2r_hw.bus.slots import Slot


@dataclass(frozen=True)
class GatewaySlots:
    """Two that it writes, two that it reads."""

    target: Slot
    """``TARGET``, written by the gateway."""
    orders: Slot
    """``ORDERS``, written by the gateway."""
    arm: Slot
    """``ARM_STATUS``."""
    hand: Slot
    """``HAND_STATUS``."""

    @staticmethod
    def own() -> GatewaySlots:
        """New ones of this process, which loops in it share by the buffers."""
        return GatewaySlots(Slot(TARGET), Slot(ORDERS), Slot(ARM_STATUS), Slot(HAND_STATUS))
