"""What the loops shall do, as the gateway writes it down for them.

In:  decisions of the gateway.   Out: the slots ``ORDERS`` and ``TARGET``.
Not here: whether a request may be granted (desk), a command followed (admission).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.server.order_of_joints import JointMap
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import RobotCommand

#: [ns] at the latest between two writings: they are the gateway's heartbeat for the loops.
BEAT_NS = 20_000_000


class Orders:
    """Writes both slots. Nothing is armed at first, and an e-stop that stands in the slot stays.

    Args:
        orders: slot of ``ORDERS``.
        target: slot of ``TARGET``.
        spec: the robot.
        joints: maps its order to the drivers'.
        speed_scale: part of the velocity limits that may be used, 0 < … ≤ 1.
    """

    def __init__(self, orders: Slot, target: Slot, spec: RobotSpec, joints: JointMap, speed_scale: float) -> None:
        self._orders, self._target, self._joints = orders, target, joints
        before = orders.read() > 0
        target.read()
        record = orders.record
        record["armed"] = 0
        if not before:
            record["speed_scale"] = speed_scale
            record["position_lower"] = joints.to_driver(spec.position_lower)
            record["position_upper"] = joints.to_driver(spec.position_upper)
            record["velocity_limit"] = joints.to_driver(spec.velocity_limit)
        self._written_ns = -BEAT_NS

    @property
    def next_beat_ns(self) -> int:
        """[ns] when they must be written again."""
        return self._written_ns + BEAT_NS

    @property
    def last_epoch(self) -> int:
        """Of the last lease under which a target was written, in this gateway's life or an earlier one's."""
        return int(self._target.record["lease_epoch"])

    @property
    def last_target_ns(self) -> int:
        """[ns] when the newest target was received; 0 before the first."""
        return int(self._target.record["time_ns"])

    def __getitem__(self, field: str) -> Any:
        return self._orders.record[field]

    def limits(self, field: str) -> np.ndarray:
        """(J) ``position_lower``, ``position_upper`` or ``velocity_limit`` now, in the robot's order."""
        return self._joints.to_robot(self._orders.record[field])

    def write(self, now_ns: int, **changes: Any) -> None:
        """Change some fields of the orders, and publish them."""
        for field, value in changes.items():
            self._orders.record[field] = value
        self._orders.record["number"] += 1
        self._orders.record["time_ns"] = now_ns
        self._orders.write()
        self._written_ns = now_ns

    def grow(self, now_ns: int, field: str, **changes: Any) -> None:
        """The same, and count one more of ``arm_number``, ``home_number`` or ``stop_number``."""
        self.write(now_ns, **{field: int(self._orders.record[field]) + 1}, **changes)

    def tighten(self, now_ns: int, limits: Mapping[str, np.ndarray], speed_scale: float) -> None:
        """Publish tighter limits, each (J) in the robot's order."""
        changes = {field: self._joints.to_driver(values) for field, values in limits.items()}
        self.write(now_ns, speed_scale=speed_scale, **changes)

    def follow(self, command: RobotCommand, received_ns: int, made_ns: int) -> None:
        """Publish an accepted command as the newest target."""
        record = self._target.record
        record["number"] += 1
        record["time_ns"], record["made_ns"] = received_ns, made_ns
        record["lease_epoch"], record["command_sequence"] = command.lease_epoch, command.sequence
        record["use_residual"] = int(command.use_residual)
        record["joint_pos"] = self._joints.to_driver(command.joint_pos_target)
        torque = command.joint_torque_feedforward
        record["joint_torque"] = 0.0 if torque is None else self._joints.to_driver(torque)
        self._target.write()
