"""What the two devices are like, for an operator who wants to know what the robot waits for.

In:  the slots of arm and hand.   Out: ``device_levels``: numbers by name, which travel with the counters of a state.
Not here: words for them (operate.display), what follows from them (loops).
"""

from __future__ import annotations

from h2s2r_hw.server.slots import GatewaySlots
from h2s2r_hw.states import State

#: Fields of ``ARM_STATUS`` and ``HAND_STATUS``: values of the driver's enumerations, or 1 for yes.
ARM_LEVELS = ("session_state", "quality", "safety_state", "operation_mode", "drives_on")
HAND_LEVELS = ("identified", "servo_on")


def device_levels(slots: GatewaySlots, arm: State, hand: State) -> dict[str, int]:
    """``arm.state``, ``arm.quality``, ``hand.identified`` and so on; of a part that is offline its state alone.

    Args:
        slots: as they were read last.
        arm: state of the arm's loop.
        hand: state of the hand's loop.
    """
    found = {"arm.state": int(arm), "hand.state": int(hand)}
    for part, state, slot, levels in (("arm", arm, slots.arm, ARM_LEVELS), ("hand", hand, slots.hand, HAND_LEVELS)):
        if state == State.OFFLINE:
            continue
        for name in levels:
            # -1 is said before the first message of a device.
            if (value := int(slot.record[name])) >= 0:
                found[f"{part}.{name}"] = value
    return found
