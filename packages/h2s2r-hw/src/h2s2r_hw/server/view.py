"""What the loops say about the robot, as one.

In:  the slots of arm and hand.   Out: ``View``: state, joints, latched fault, counters.
Not here: the message that is made of it (gateway), what the states mean (states).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from h2s2r_hw.bus.records import (
    ARM_COUNTERS,
    HAND_COUNTERS,
    MOTION_COUNTERS,
    NUM_ARM,
    NUM_JOINTS,
)
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINT_NAMES
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINT_NAMES
from h2s2r_hw.server.order_of_joints import JointMap
from h2s2r_hw.states import FAULTS_BY_NUMBER, State, combine
from h2s2r_schemas.wire import Fault

#: [ns] without a status after which a loop counts as dead. Either writes one at least every 10 ms, or after three periods.
SILENT_NS = 200_000_000
#: number, time_ns, state: how both statuses begin.
_BEGIN = struct.Struct("<qqq")
_JOINTS = ("joint_pos", "joint_vel", "joint_torque", "joint_pos_target")


class _Part:
    """One loop's status."""

    def __init__(self, name: str, slot: Slot, joint_names: Sequence[str], counters: Sequence[str]) -> None:
        self.name, self.slot, self.joint_names = name, slot, joint_names
        self.joints = {field: slot.record[field] for field in _JOINTS}
        """(J) of this part, by field: they change with each ``state``."""
        # Counters are the end of a status, in this order.
        self._named = [f"{name}.{counter}" for counter in counters]
        self._counts = struct.Struct(f"<{len(counters)}q")

    def state(self, now_ns: int) -> State:
        """Of this part; offline where its loop is silent."""
        if self.slot.read() <= 0:
            return State.OFFLINE
        _, time_ns, state = _BEGIN.unpack_from(self.slot.data)
        return State.OFFLINE if now_ns - time_ns > SILENT_NS else State(state)

    def counters(self) -> dict[str, int]:
        """What the loop counted, where it is not zero."""
        counts = self._counts.unpack_from(self.slot.data, len(self.slot.data) - self._counts.size)
        return {name: count for name, count in zip(self._named, counts, strict=True) if count}

    def fault(self) -> Fault | None:
        """The latched fault, in words."""
        record = self.slot.record
        kind = FAULTS_BY_NUMBER.get(int(record["fault_code"]))
        if kind is None:
            return None
        joint = int(record["fault_joint"])
        named = self.joint_names[joint] if 0 <= joint < len(self.joint_names) else self.name
        return Fault(
            code=kind.code,
            cause=kind.say(float(record["fault_value"]), named),
            remedy=kind.remedy,
            time=int(record["fault_time_ns"]) * 1e-9,
            snapshot={
                "part": self.name,
                "state": State(int(record["fault_state"])).name.lower(),
                "joint_names": list(self.joint_names),
                "joint_pos": record["fault_joint_pos"].tolist(),
                "joint_pos_target": record["fault_joint_pos_target"].tolist(),
            },
        )


class View:
    """The robot as a whole, as of the last ``look``.

    Args:
        arm: slot of ``ARM_STATUS``.
        hand: slot of ``HAND_STATUS``.
        joints: maps their order to the robot's.
    """

    def __init__(self, arm: Slot, hand: Slot, joints: JointMap) -> None:
        self._arm = _Part("arm", arm, ARM_JOINT_NAMES, ARM_COUNTERS + MOTION_COUNTERS)
        self._hand = _Part("hand", hand, HAND_JOINT_NAMES, HAND_COUNTERS + MOTION_COUNTERS)
        self._parts, self._joints = (self._arm, self._hand), joints
        self.arm_state = self.hand_state = State.OFFLINE
        """Of each part."""

    def look(self, now_ns: int) -> None:
        """Read both slots."""
        self.arm_state, self.hand_state = self._arm.state(now_ns), self._hand.state(now_ns)

    @property
    def state(self) -> State:
        """The server's."""
        return combine(self.arm_state, self.hand_state)

    @property
    def armed(self) -> bool:
        """Whether the robot holds or follows."""
        return self.state in (State.HOLD, State.TRACK)

    def joints(self, field: str) -> np.ndarray:
        """(J) ``joint_pos``, ``joint_vel``, ``joint_torque`` or ``joint_pos_target`` in the robot's order; a new array,
        read-only, as messages keep those without a copy.
        """
        both = np.empty(NUM_JOINTS)
        both[:NUM_ARM], both[NUM_ARM:] = self._arm.joints[field], self._hand.joints[field]
        found = self._joints.to_robot(both)
        found.setflags(write=False)
        return found

    @property
    def clamped(self) -> int:
        """Joints whose target a limit changed in the last tick."""
        return sum(int(part.slot.record["clamped"]).bit_count() for part in self._parts)

    @property
    def fault_numbers(self) -> tuple[int, int]:
        """Numbers of the arm's and the hand's last faults, for acknowledging them."""
        return int(self._arm.slot.record["fault_number"]), int(self._hand.slot.record["fault_number"])

    def fault(self) -> Fault | None:
        """The latched fault, the older one if both parts have one."""
        found = [fault for fault in (part.fault() for part in self._parts) if fault is not None]
        return min(found, key=lambda fault: fault.time) if found else None

    def counters(self) -> dict[str, int]:
        """What the loops have counted, as ``arm.received`` and so on; those that are zero are left out."""
        return {**self._arm.counters(), **self._hand.counters()}
