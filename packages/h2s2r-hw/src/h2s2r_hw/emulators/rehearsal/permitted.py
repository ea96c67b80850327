"""Whether a command that was followed is one that its sender could have made honestly.

In:  the bytes that were followed, and what the lease's holder had to put into them.   Out: what is wrong with them, if anything.
Not here: the server's own judgement (server.admission), of which nothing is used here: the bytes are read with msgpack alone.

A client that holds the lease may ask for any positions within the limits. So when some of its bytes are changed before they
are encrypted, what comes out is now and then another command that is as good as the first. Everything else must be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import msgpack
import numpy as np

from h2s2r_hw.server.config import GatewayCfg
from h2s2r_schemas.robots import RobotSpec

#: Of an array in a message: float64, one dimension; then the count in four bytes.
_HEAD = bytes((1, 1, 0, 0))
_FIXED = ("robot_hash", "lease_epoch", "lease_token")


@dataclass(frozen=True)
class Permitted:
    """What the holder of the lease may command at this moment."""

    robot: RobotSpec
    """Whose limits hold."""
    cfg: GatewayCfg
    """How old a command may be, and how far outside."""
    honest: bytes
    """A command that it made for this moment."""
    after: int
    """Sequence of the last command that was followed."""
    client_time: float
    """[s] on its clock."""

    def wrong(self, data: bytes) -> str:
        """What makes these bytes a command that it may not give; empty if it may."""
        honest, envelope = _read(self.honest), _read(data)
        if not honest or not envelope:
            return "no message at all"
        for name in ("schema", "version"):
            if envelope.get(name) != honest[name]:
                return name
        fields, meant = envelope.get("fields", {}), honest["fields"]
        if any(name not in meant for name in fields):
            return "unknown fields"
        for name in _FIXED:
            if fields.get(name) != meant[name]:
                return name
        age = self.client_time - _number(fields.get("client_time"))
        if not -self.cfg.future_tolerance <= age <= self.cfg.stale_age:
            return "client_time"
        if not _number(fields.get("sequence")) > self.after:
            return "sequence"
        return self._wrong_values(fields)

    def _wrong_values(self, fields: dict[str, Any]) -> str:
        robot, joints = self.robot, len(self.robot.joint_names)
        slack = self.cfg.outside_tolerance * (robot.position_upper - robot.position_lower)
        asked = _values(fields.get("joint_pos_target"))
        if asked.shape != (joints,):
            return "joint_pos_target"
        # Written so that a value that is not a number is outside.
        if not ((asked >= robot.position_lower - slack) & (asked <= robot.position_upper + slack)).all():
            return "joint_pos_target"
        torque = fields.get("joint_torque_feedforward")
        pushed = np.zeros(joints) if torque is None else _values(torque)
        if pushed.shape != (joints,) or not np.isfinite(pushed).all():
            return "joint_torque_feedforward"
        return "" if type(fields.get("use_residual", False)) is bool else "use_residual"


def _read(data: bytes) -> dict[str, Any]:
    """The envelope; empty if there is none."""
    try:
        envelope: Any = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException):
        return {}
    if not isinstance(envelope, dict):
        return {}
    found = cast("dict[str, Any]", envelope)
    return found if isinstance(found.get("fields"), dict) else {}


def _number(value: Any) -> float:
    """NaN, which is not above anything, where it is none."""
    return float(value) if type(value) in (int, float) else float("nan")


def _values(value: Any) -> np.ndarray:
    """The numbers of an array in a message; none where it is no array of float64 in one dimension."""
    if not isinstance(value, msgpack.ExtType) or value.code != 1 or value.data[:4] != _HEAD:
        return np.zeros(0)
    count = int.from_bytes(value.data[4:8], "little")
    numbers = value.data[8:]
    return np.frombuffer(numbers, "<f8") if len(numbers) == 8 * count else np.zeros(0)
