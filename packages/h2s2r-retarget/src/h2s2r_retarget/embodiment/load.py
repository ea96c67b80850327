"""Read a robot from its folder, or one of those that come with the package by name.

In:  a name or a folder with ``robot.urdf`` and ``robot.toml``, and a side.   Out: ``Embodiment``.
Not here: what the files hold (table), whether it is plausible (check).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment.finding import raise_findings
from h2s2r_retarget.embodiment.mirror import OTHER_SIDE, mirror_table, mirror_urdf
from h2s2r_retarget.embodiment.model import Embodiment
from h2s2r_retarget.embodiment.table import JOINT_OVERRIDES, SIDES, joint_limits, read_table, table_findings
from h2s2r_retarget.kinematics import Chain, UrdfModel, parse_xml, read_urdf
from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.errors import SchemaError

_ROBOTS = Path(__file__).parent.parent / "robots"


def embodiment_names() -> tuple[str, ...]:
    """Names of the robots that come with the package."""
    return tuple(sorted(path.parent.name for path in _ROBOTS.glob("*/robot.toml")))


def embodiment_folder(name_or_folder: str | Path) -> Path:
    """The folder of a robot.

    Raises:
        SchemaError: it is neither the name of a robot that comes with the package nor a folder.
    """
    if str(name_or_folder) in embodiment_names():
        return _ROBOTS / str(name_or_folder)
    folder = Path(name_or_folder)
    if not folder.is_dir():
        raise SchemaError(
            f"There is no robot {str(name_or_folder)!r}. Give one of {', '.join(embodiment_names())}, or a folder with "
            "robot.urdf and robot.toml."
        )
    return folder


def load_embodiment(name_or_folder: str | Path, side: str | None = None) -> Embodiment:
    """A robot by name or folder.

    Args:
        name_or_folder: one of ``embodiment_names()``, or a folder with ``robot.urdf`` and ``robot.toml``.
        side: ``right`` or ``left``; a hand made for the other side is mirrored. None takes it as it is. A robot of side
            ``none`` serves both sides unchanged.

    Raises:
        SchemaError: no such robot, an unknown side, or files that do not describe a robot; the message lists why.
    """
    if side is not None and side not in SIDES[:2]:
        raise SchemaError(f"A hand is {SIDES[0]!r} or {SIDES[1]!r}; got side={side!r}.")
    folder = embodiment_folder(name_or_folder)
    table = read_table(folder / "robot.toml")
    source = folder / "robot.urdf"
    model = read_urdf(source)
    raise_findings(str(folder), table_findings(table, model))

    from xml.etree import ElementTree  # noqa: PLC0415 - not needed to import the package

    robot = parse_xml(source)
    _write_limits(robot, table, model)
    if side is not None and table["side"] == OTHER_SIDE[side]:
        mirror_urdf(robot, model, tuple(table.get("arm", {})))
        table = mirror_table(table, model)
    return _embodiment(table, ElementTree.tostring(robot, encoding="unicode"))


def _write_limits(robot: Any, table: Mapping[str, Any], model: UrdfModel) -> None:
    """Put the limits of robot.toml into the URDF, so that everyone who reads it has the same."""
    rows = {**table.get("arm", {}), **table["hand"]}
    for joint in robot.findall("joint"):
        row = rows.get(joint.get("name"), {})
        if not any(key in row for key in JOINT_OVERRIDES):
            continue
        limit = joint.find("limit")
        if limit is None:
            limit = joint.makeelement("limit", {})
            joint.append(limit)
        for key, value in joint_limits(row, joint.get("name"), model).items():
            limit.set("effort" if key == "torque" else key, repr(float(value or 0.0)))
        if joint.get("type") == "continuous":
            joint.set("type", "revolute")


def _embodiment(table: Mapping[str, Any], urdf: str) -> Embodiment:
    arm, hand, tips = table.get("arm", {}), table["hand"], table["fingertips"]
    rows: dict[str, Mapping[str, float]] = {**arm, **hand}
    names = tuple(rows)
    model = read_urdf(urdf)
    chain = Chain(model, (table["palm"]["frame"], *tips), joint_names=names)
    limits = [joint_limits(rows[name], name, model) for name in names]
    synergies = table.get("synergies", {})
    collision = table.get("collision", {})

    def column(key: str) -> np.ndarray:
        values = (limit.get(key, row.get(key)) for limit, row in zip(limits, rows.values(), strict=True))
        return np.array(list(values), dtype=np.float64)

    return Embodiment(
        name=table["name"],
        description=table["description"],
        side=table["side"],
        urdf=urdf,
        palm_frame=table["palm"]["frame"],
        palm_offset=np.array(table["palm"]["offset"], dtype=np.float64),
        fingertip_frames=tuple(tips),
        fingertip_weights=np.array([[weights.get(key, 0.0) for key in KEYPOINT_NAMES] for weights in tips.values()]),
        joint_names=names,
        num_arm_joints=len(arm),
        position_lower=chain.lower,
        position_upper=chain.upper,
        velocity_limit=column("velocity"),
        acceleration_limit=column("acceleration"),
        jerk_limit=column("jerk"),
        torque_limit=column("torque"),
        home=column("home"),
        kp=column("kp"),
        kd=column("kd"),
        synergy_names=tuple(synergies),
        synergies=np.array([[row.get(name, 0.0) for name in hand] for row in synergies.values()]).reshape(
            -1, len(hand)
        ),
        collision_exclusions=tuple((a, b) for a, b in collision.get("exclude", [])),
        collision_never=tuple((a, b) for a, others in collision.get("never", {}).items() for b in others),
        collision_capsules=tuple(
            (each["link"], tuple(each["start"]), tuple(each["end"]), float(each["radius"]))
            for each in collision.get("capsule", [])
        ),
    )
