"""The robot's joint order and the drivers', mapped by name.

In:  a ``RobotSpec``.   Out: ``JointMap``: arrays in the one order or the other.
Not here: what the arrays mean.
"""

from __future__ import annotations

import numpy as np

from h2s2r_hw.bus.records import JOINT_NAMES
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec


class JointMap:
    """Between the order of ``spec.joint_names`` (J) and that of ``bus.records.JOINT_NAMES`` (J).

    Args:
        spec: the robot; its joints are exactly those of the drivers, in any order.

    Raises:
        SchemaError: a joint is missing or unknown.
    """

    def __init__(self, spec: RobotSpec) -> None:
        missing = [name for name in JOINT_NAMES if name not in spec.joint_names]
        unknown = [name for name in spec.joint_names if name not in JOINT_NAMES]
        if missing or unknown:
            raise SchemaError(
                f"The drivers cannot move {spec.name}: they have no {unknown}, and it has no {missing}. "
                f"Their joints are {', '.join(JOINT_NAMES)}."
            )
        self._from_driver = np.array([JOINT_NAMES.index(name) for name in spec.joint_names])
        self._from_robot = np.array([spec.joint_names.index(name) for name in JOINT_NAMES])

    def to_robot(self, values: np.ndarray) -> np.ndarray:
        """(J) in the robot's order, from (J) in the drivers'."""
        return values[self._from_driver]

    def to_driver(self, values: np.ndarray) -> np.ndarray:
        """(J) in the drivers' order, from (J) in the robot's."""
        return values[self._from_robot]
