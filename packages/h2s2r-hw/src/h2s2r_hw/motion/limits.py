"""Limits of the joints of one part, as lists in driver order.

In:  ``RobotSpec``, names of joints in driver order.   Out: ``JointLimits``.
Not here: who keeps them (upsample), who makes sure of it (guard).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec

#: Part of the limits that motion uses: what is sent is judged against all of them, after rounding.
USED = 0.99


@dataclass(frozen=True)
class JointLimits:
    """Of J joints in driver order. Lists, for one joint after the other is what a tick looks at."""

    names: tuple[str, ...]
    """(J)."""
    lower: list[float]
    """(J) [rad] smallest position."""
    upper: list[float]
    """(J) [rad]."""
    velocity: list[float]
    """(J) [rad/s]."""
    acceleration: list[float]
    """(J) [rad/s²]."""
    jerk: list[float]
    """(J) [rad/s³]."""
    torque: list[float]
    """(J) [N·m]."""
    home: list[float]
    """(J) [rad]."""

    def soft(self, margin: float) -> tuple[list[float], list[float]]:
        """Lower and upper limit (J) less a margin [rad]; less a tenth of the range where that is smaller."""
        margins = [min(margin, 0.1 * (high - low)) for low, high in zip(self.lower, self.upper, strict=True)]
        lower = [low + less for low, less in zip(self.lower, margins, strict=True)]
        return lower, [high - less for high, less in zip(self.upper, margins, strict=True)]


def joint_limits(robot: RobotSpec, names: Sequence[str]) -> JointLimits:
    """Limits of the joints of these names, in their order.

    Raises:
        SchemaError: the robot has no joint of a name, or one of its limits is 0.
    """
    missing = [name for name in names if name not in robot.joint_names]
    if missing:
        raise SchemaError(
            f"{robot.name} has no joints {', '.join(missing)}: this server drives {', '.join(names)}. Give it the robot that "
            "has them."
        )
    at = [robot.joint_names.index(name) for name in names]

    def pick(values: np.ndarray) -> list[float]:
        return [float(values[index]) for index in at]

    limits = JointLimits(
        names=tuple(names),
        lower=pick(robot.position_lower),
        upper=pick(robot.position_upper),
        velocity=pick(robot.velocity_limit),
        acceleration=pick(robot.acceleration_limit),
        jerk=pick(robot.jerk_limit),
        torque=pick(robot.torque_limit),
        home=pick(robot.home),
    )
    for name in ("velocity", "acceleration", "jerk"):
        values = getattr(limits, name)
        if min(values) <= 0.0:
            joint = names[values.index(min(values))]
            raise SchemaError(f"The {name} limit of {joint} is {min(values)}; motion needs one above 0.")
    return limits
