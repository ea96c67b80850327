"""How the joints one commands move the joints there are: mimic, frozen and free joints, and their limits.

In:  ``UrdfModel`` and names.   Out: ``Coupling``: ``q_moving = matrix @ joint_pos + offset``, and limits of ``joint_pos``.
Not here: geometry (tables).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.kinematics.model import UrdfJoint, UrdfModel
from h2s2r_schemas.errors import SchemaError

SUPPORTED = ("revolute", "continuous", "prismatic")


@dataclass(frozen=True)
class Coupling:
    """The affine map from the J joints of a chain to the M joints that move in it."""

    joint_names: tuple[str, ...]
    """(J) joints one sets, in the chain's order."""
    matrix: np.ndarray
    """(M, J) multiplier of each joint in each moving joint."""
    offset: np.ndarray
    """(M) [rad or m] of each moving joint when all of ``joint_names`` are at zero."""
    lower: np.ndarray
    """(J) [rad or m] smallest position that leaves every coupled joint inside its limits."""
    upper: np.ndarray
    """(J) [rad or m] largest such position."""


def couple(
    model: UrdfModel,
    moving: Sequence[UrdfJoint],
    joint_names: Sequence[str] | None,
    frozen: Mapping[str, float],
    missing_limits: tuple[float, float] | None,
) -> Coupling:
    """Work out which joints are free, and what they do.

    Args:
        model: the robot.
        moving: (M) movable joints that move one of the frames.
        joint_names: the free joints in the wanted order; None for all that are needed, in the order of the file.
        frozen: joints held at a position [rad or m].
        missing_limits: (lower, upper) [rad or m] for a revolute or prismatic joint without limits; None to refuse it.

    Raises:
        SchemaError: a joint is unknown, mimics nothing, has no limits, is frozen outside them, or is left out.
    """
    driven = [_driver(model, joint) for joint in moving]
    drivers = {driver for driver, _, _ in driven}
    in_file_order = [joint.name for joint in model.joints if joint.name in drivers and joint.name not in frozen]
    names = tuple(in_file_order if joint_names is None else joint_names)
    _check_names(model, names, in_file_order, frozen)

    matrix, offset = np.zeros((len(moving), len(names))), np.zeros(len(moving))
    for row, (driver, multiplier, constant) in enumerate(driven):
        if driver in frozen:
            offset[row] = multiplier * frozen[driver] + constant
        else:
            matrix[row, names.index(driver)] = multiplier
            offset[row] = constant
    limits = [_limits_with_mimics(model, name, missing_limits) for name in names]
    for name, value in frozen.items():
        lower, upper = _limits_with_mimics(model, name, missing_limits or (-np.inf, np.inf))
        if not lower <= value <= upper:
            raise SchemaError(f"Joint {name!r} is frozen at {value}, outside its limits [{lower}, {upper}].")
    bounds = np.array(limits, dtype=np.float64).reshape(-1, 2)
    return Coupling(names, matrix, offset, bounds[:, 0], bounds[:, 1])


def _driver(model: UrdfModel, joint: UrdfJoint) -> tuple[str, float, float]:
    """The joint that in the end drives ``joint``, with multiplier and offset."""
    multiplier, offset, seen = 1.0, 0.0, [joint.name]
    while joint.mimic is not None:
        offset += multiplier * joint.mimic.offset
        multiplier *= joint.mimic.multiplier
        joint = model.joint(joint.mimic.joint)
        if joint.name in seen:
            raise SchemaError(f"The joints {seen} of {model.name} mimic each other in a circle.")
        seen.append(joint.name)
    if joint.kind not in SUPPORTED:
        raise SchemaError(
            f"Joint {joint.name!r} of {model.name} is {joint.kind}; a chain is made of {list(SUPPORTED)} and fixed joints. "
            "Author it as several of these, or choose a root below it."
        )
    return joint.name, multiplier, offset


def _limits_with_mimics(model: UrdfModel, name: str, missing_limits: tuple[float, float] | None) -> tuple[float, float]:
    """Limits of joint ``name``, narrowed by those of every joint that mimics it."""
    lower, upper = _own_limits(model.joint(name), model, missing_limits)
    for joint in model.joints:
        if joint.mimic is None or joint.lower is None or joint.upper is None:
            continue
        driver, multiplier, offset = _driver(model, joint)
        if driver == name and multiplier != 0:
            ends = sorted(((joint.lower - offset) / multiplier, (joint.upper - offset) / multiplier))
            lower, upper = max(lower, ends[0]), min(upper, ends[1])
    if lower > upper:
        raise SchemaError(
            f"Joint {name!r} of {model.name} and the joints that mimic it share no position within limits."
        )
    return lower, upper


def _own_limits(joint: UrdfJoint, model: UrdfModel, missing_limits: tuple[float, float] | None) -> tuple[float, float]:
    if joint.kind == "continuous":
        return -np.inf, np.inf
    if joint.lower is not None and joint.upper is not None:
        return joint.lower, joint.upper
    if missing_limits is None:
        raise SchemaError(
            f'Joint {joint.name!r} of {model.name} has no limits. Add <limit lower="…" upper="…"/> to it, make it '
            "continuous, or pass missing_limits=(lower, upper) [rad or m] for all such joints."
        )
    return missing_limits


def _check_names(model: UrdfModel, names: tuple[str, ...], needed: Sequence[str], frozen: Mapping[str, float]) -> None:
    for name in (*names, *frozen):
        joint = model.joint(name)
        if joint.mimic is not None:
            raise SchemaError(f"Joint {name!r} of {model.name} follows {joint.mimic.joint!r}: set that one instead.")
        if joint.kind not in SUPPORTED:
            raise SchemaError(f"Joint {name!r} of {model.name} is {joint.kind}: it has no single position to set.")
    if len(set(names)) != len(names) or set(names) & set(frozen):
        raise SchemaError(f"A joint is named twice among joint_names {list(names)} and frozen {list(frozen)}.")
    missing = [name for name in needed if name not in names]
    if missing:
        raise SchemaError(
            f"joint_names leaves out {missing}, which move the chosen frames of {model.name}. Name them, or give the "
            "position they keep in frozen={name: position}."
        )
