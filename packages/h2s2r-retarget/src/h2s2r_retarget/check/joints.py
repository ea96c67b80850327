"""Axes, limits and gains that no real joint has.

In:  a URDF and the table of robot.toml.   Out: ``Finding`` s.
Not here: what is missing altogether (embodiment.table).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from h2s2r_retarget.embodiment import Finding
from h2s2r_retarget.embodiment.table import joint_limits
from h2s2r_retarget.kinematics import UrdfModel

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: Largest plausible values: a turn of two revolutions each way, a slide of 2 m, 40 rad/s, 5 m/s, 1000 N·m, 10 kN.
_RANGE = {"revolute": 8 * np.pi, "continuous": 8 * np.pi, "prismatic": 2.0}
_SPEED = {"revolute": 40.0, "continuous": 40.0, "prismatic": 5.0}
_TORQUE = {"revolute": 1000.0, "continuous": 1000.0, "prismatic": 1e4}
#: [s] a joint that needs longer to reach its speed, or its acceleration, has a limit that was not meant.
_SLOW = 5.0


def axis_findings(robot: Element) -> Iterator[Finding]:
    """Axes that programs read differently."""
    for joint in robot.findall("joint"):
        if joint.get("type") not in _RANGE:
            continue
        subject, axis = f"joint {joint.get('name')}", joint.find("axis")
        if axis is None:
            remedy = "Write <axis> down; without it the axis is x."
            yield Finding("axis", subject, "It has no <axis>.", remedy, "warning")
            continue
        length = float(np.linalg.norm([float(word) for word in axis.get("xyz", "1 0 0").split()]))
        if abs(length - 1) > 1e-3:
            cause = f"Its axis {axis.get('xyz')!r} has length {length:.4g}."
            remedy = "Give a unit vector: not every program makes it one."
            yield Finding("axis", subject, cause, remedy, "warning")


def joint_findings(table: Mapping[str, Any], model: UrdfModel) -> Iterator[Finding]:
    """Limits of a table without errors that are not plausible."""
    for name, row in (*table.get("arm", {}).items(), *table["hand"].items()):
        kind, limits = model.joint(name).kind, joint_limits(row, name, model)
        lower, upper, velocity, torque = (float(limits[key] or 0.0) for key in ("lower", "upper", "velocity", "torque"))
        unit = "m" if kind == "prismatic" else "rad"
        subject = f"joint {name}"
        if upper - lower > _RANGE[kind]:
            remedy = f"Limits are in {unit}; degrees and millimetres are not."
            yield Finding("limits", subject, f"Its limits are [{lower}, {upper}] {unit}.", remedy, "warning")
        if velocity > _SPEED[kind]:
            yield Finding(
                "limits", subject, f"Its speed is {velocity} {unit}/s.", "Give that of a data sheet.", "warning"
            )
        if torque > _TORQUE[kind]:
            cause = f"Its torque (or force) is {torque}."
            yield Finding("limits", subject, cause, "Give that of a data sheet, in N·m or N.", "warning")
        for key, fast, slow in (
            ("acceleration", row["acceleration"], velocity),
            ("jerk", row["jerk"], row["acceleration"]),
        ):
            if slow / fast > _SLOW:
                cause = f"With {key} {fast} it would take {slow / fast:.3g} s to full {_REACHES[key]}."
                yield Finding("limits", subject, cause, f"Choose a larger {key}.", "warning")


_REACHES = {"acceleration": "speed", "jerk": "acceleration"}
