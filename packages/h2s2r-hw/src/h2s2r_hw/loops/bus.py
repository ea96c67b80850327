"""What a loop reads and writes: slots and a ring, and what of them it wants to know in a tick.

In:  slots.   Out: ``Wishes``, the newest target, the other part's state, the newest correction.
Not here: slots themselves (bus), what follows from it (part).

A slot is copied only when its count has changed, no further than it is looked at, and unpacked by ``struct``: that costs a
tenth of NumPy's field access.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from h2s2r_hw.bus.records import NUM_ARM, NUM_JOINTS, ORDERS, RESIDUAL, TARGET, places_of, struct_of
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot

_ORDERS, _O, _T, _R = struct_of(ORDERS), places_of(ORDERS), places_of(TARGET), places_of(RESIDUAL)
#: What stands before the joints.
_TARGET, _RESIDUAL = struct.Struct("<6q"), struct.Struct("<6q2d")
#: number, time_ns, state: how both statuses begin. The orders begin with the first two.
_STATUS, _STAMP = struct.Struct("<qqq"), struct.Struct("<qq")


@dataclass(frozen=True)
class LoopSlots:
    """Of one loop."""

    target: Slot
    """``TARGET``, read."""
    orders: Slot
    """``ORDERS``, read."""
    residual: Slot
    """``RESIDUAL``, read."""
    peer: Slot | None
    """Status of the other part, read; none where there is no other part."""
    status: Slot
    """Own status, written."""
    log: Ring
    """Own log, written."""


@dataclass
class Wishes:
    """ORDERS, as the loop knows them."""

    seen: bool = False
    """Whether there ever were any."""
    time_ns: int = 0
    arm_number: int = 0
    armed: bool = False
    estop: bool = False
    home_number: int = 0
    stop_number: int = 0
    acknowledged: int = 0
    """Number of this part's fault that was acknowledged last."""
    speed_scale: float = 1.0


class Ears:
    """The slots that one part reads.

    Args:
        slots: of this loop.
        hand: whether the part is the hand.
    """

    def __init__(self, slots: LoopSlots, hand: bool) -> None:
        self._slots = slots
        self._joints = slice(NUM_ARM, NUM_JOINTS) if hand else slice(0, NUM_ARM)
        self._hand = hand
        count, first = self._joints.stop - self._joints.start, self._joints.start
        self._values = struct.Struct(f"<{count}d")
        self._joint_pos_at, self._joint_torque_at, self._residual_at = (
            8 * (place.start + first) for place in (_T["joint_pos"], _T["joint_torque"], _R["values"])
        )
        self._acknowledged = _O["hand_fault_acknowledged" if hand else "arm_fault_acknowledged"].start
        self._counts = [0, 0, 0, 0]
        self._said = b""
        self.wishes = Wishes()
        """ORDERS."""
        self.limits: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]] | None = None
        """Tightened lower and upper position (J) [rad] and velocity (J) [rad/s] of this part."""
        self.limits_changed = False
        """Whether they, or the speed scale, changed since the loop last looked."""
        self.target_number = self.target_made_ns = 0
        """TARGET: 0 before the first."""
        self.command_sequence = -1
        self.use_residual = False
        self.joint_pos: tuple[float, ...] = ()
        """(J) of this part [rad] that the target asks for."""
        self.joint_torque: tuple[float, ...] = ()
        """(J) [N·m] feed-forward."""
        self.peer_state, self.peer_ns = -1, 0
        """The other part's state, and when it said so."""
        self.residual_ns = self.residual_number = self.residual_output = 0
        """RESIDUAL."""
        self.residual_fraction = self.residual_gain = 0.0
        self.residual: tuple[float, ...] = ()
        """(J) of this part."""

    def listen(self) -> bool:
        """Look at all slots; whether there is a new target."""
        counts, slots = self._counts, self._slots
        count, peer = slots.orders.count, slots.peer
        if count != counts[1]:
            counts[1] = count
            self._read_orders(slots.orders)
        if peer is not None and (count := peer.count) != counts[2]:
            counts[2] = count
            if peer.read(_STATUS.size) > 0:
                _, self.peer_ns, self.peer_state = _STATUS.unpack_from(peer.data)
        count = slots.residual.count
        if count != counts[3]:
            counts[3] = count
            self._read_residual(slots.residual)
        count = slots.target.count
        if count == counts[0]:
            return False
        counts[0] = count
        return self._read_target(slots.target)

    def _read_orders(self, slot: Slot) -> None:
        if slot.read() <= 0:
            return
        wishes, said = self.wishes, bytes(slot.data[_STAMP.size :])
        if said == self._said:
            # The gateway lives, and wants what it wanted.
            _, wishes.time_ns = _STAMP.unpack_from(slot.data)
            return
        self._said, values = said, _ORDERS.unpack_from(slot.data)
        _, wishes.time_ns, wishes.arm_number, armed, estop, wishes.home_number, wishes.stop_number = values[:7]
        wishes.armed, wishes.estop, wishes.acknowledged = armed != 0, estop != 0, values[self._acknowledged]
        at, joints = _O["position_lower"].start, self._joints
        limits = (
            values[_O["position_lower"]][joints],
            values[_O["position_upper"]][joints],
            values[at + 2 * NUM_JOINTS :][joints],
        )
        scale = values[at - 1]
        if limits != self.limits or scale != wishes.speed_scale:
            self.limits, wishes.speed_scale, self.limits_changed = limits, scale, True
        wishes.seen = True

    def _read_target(self, slot: Slot) -> bool:
        if slot.read() <= 0:
            return False
        self.target_number, _, self.target_made_ns, _, self.command_sequence, use = _TARGET.unpack_from(slot.data)
        self.use_residual = use != 0
        self.joint_pos = self._values.unpack_from(slot.data, self._joint_pos_at)
        self.joint_torque = self._values.unpack_from(slot.data, self._joint_torque_at)
        return True

    def _read_residual(self, slot: Slot) -> None:
        if slot.read() <= 0:
            return
        _, self.residual_ns, self.residual_number, _, for_arm, for_hand, fraction, gain = _RESIDUAL.unpack_from(
            slot.data
        )
        self.residual_output = for_hand if self._hand else for_arm
        self.residual_fraction, self.residual_gain = fraction, gain
        self.residual = self._values.unpack_from(slot.data, self._residual_at)
