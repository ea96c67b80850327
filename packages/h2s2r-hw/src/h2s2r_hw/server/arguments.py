"""What requests say besides their kind.

In:  ``Request.arguments``, which may be anything that msgpack can carry.   Out: values, or the reason why not.
Not here: whether the request is granted (desk).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from h2s2r_hw.server.refusals import Refused, refuse

#: Longest text of a mark in the log.
MAX_MARK = 500
#: Names that each kind takes; a kind that is not here takes none.
TAKES: Mapping[str, tuple[str, ...]] = {
    "acquire_lease": ("force", "ttl"),
    "tighten_limits": ("position_lower", "position_upper", "velocity_limit", "speed_scale"),
    "load_residual": ("number",),
    "mark_log": ("text",),
}
_LIMITS = TAKES["tighten_limits"][:3]


def check_names(kind: str, arguments: Mapping[str, Any]) -> Refused | None:
    """Whether a kind takes these arguments at all."""
    allowed = TAKES.get(kind, ())
    for name in arguments:
        if name not in allowed:
            return refuse(
                "bad_arguments", f"{kind} was given {str(name)[:64]!r}; it takes {', '.join(allowed) or 'none'}."
            )
    return None


def read_lease(arguments: Mapping[str, Any], longest: float) -> tuple[bool, float] | Refused:
    """Whether to force it, and how long it lives [s]."""
    force, ttl = arguments.get("force", False), arguments.get("ttl", longest)
    if type(force) is not bool:
        return refuse("bad_arguments", "force is true or false.")
    if type(ttl) not in (int, float) or not 0.0 < ttl <= longest:
        return refuse("bad_arguments", f"ttl is a number above 0 and at most {longest} s.")
    return force, float(ttl)


def read_limits(
    arguments: Mapping[str, Any], joint_names: Sequence[str], limits: Mapping[str, np.ndarray], speed_scale: float
) -> tuple[dict[str, np.ndarray], float] | Refused:
    """Tighter limits.

    Args:
        arguments: per kind of limit a map of joint names to values, and ``speed_scale``.
        joint_names: (J) of the robot.
        limits: present ones, each (J).
        speed_scale: the present one.
    """
    tighter = {name: limits[name].copy() for name in _LIMITS}
    for kind in _LIMITS:
        by_name: Any = arguments.get(kind, {})
        if not _is_map(by_name):
            return refuse("bad_arguments", f"{kind} is a map of joint names to values.")
        pairs: list[tuple[Any, Any]] = list(by_name.items())
        for joint, value in pairs:
            if joint not in joint_names or type(value) not in (int, float) or not np.isfinite(value):
                return refuse(
                    "bad_arguments", f"{kind} has {str(joint)[:64]!r}: a joint's name and a finite number are needed."
                )
            tighter[kind][joint_names.index(joint)] = float(value)
    scale = arguments.get("speed_scale", speed_scale)
    if type(scale) not in (int, float) or not 0.0 < scale <= 1.0:
        return refuse("bad_arguments", "speed_scale is a number above 0 and at most 1.")
    return _only_tighter(tighter, limits, float(scale), speed_scale, joint_names)


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping)


def _only_tighter(
    tighter: dict[str, np.ndarray],
    limits: Mapping[str, np.ndarray],
    scale: float,
    speed_scale: float,
    joint_names: Sequence[str],
) -> tuple[dict[str, np.ndarray], float] | Refused:
    lower, upper, speed = (tighter[name] for name in _LIMITS)
    wider = (lower < limits["position_lower"]) | (upper > limits["position_upper"]) | (speed > limits["velocity_limit"])
    if wider.any() or scale > speed_scale:
        what = joint_names[int(np.argmax(wider))] if wider.any() else "speed_scale"
        return refuse("not_tighter", f"The limits given for {what} are wider than the present ones.")
    empty = (lower > upper) | (speed <= 0.0)
    if empty.any():
        at = int(np.argmax(empty))
        return refuse(
            "bad_arguments",
            f"{joint_names[at]} would have [{lower[at]:.4g}, {upper[at]:.4g}] at speed {speed[at]:.4g}: nothing is left.",
        )
    return tighter, scale


def read_number(arguments: Mapping[str, Any]) -> int | Refused:
    """Which residual; 0 for none."""
    number = arguments.get("number")
    if type(number) is not int or not 0 <= number < 2**31:
        return refuse("bad_arguments", "number is a whole number from 0, which means none.")
    return number


def read_mark(arguments: Mapping[str, Any]) -> str | Refused:
    """What is written into the log."""
    text = arguments.get("text")
    if not isinstance(text, str) or not 0 < len(text) <= MAX_MARK:
        return refuse("bad_arguments", f"text has 1 to {MAX_MARK} characters.")
    return text
