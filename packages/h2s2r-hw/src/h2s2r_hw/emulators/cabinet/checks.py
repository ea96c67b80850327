"""Which commands the emulated cabinet stops for.

In:  a command, what was commanded before, limits.   Out: a code and what was wrong; None if nothing was.
Not here: what stopping means (session).
"""

from __future__ import annotations

import math
from operator import le, lt, sub

from h2s2r_hw.drivers.fri import NUM_JOINTS, CommandMessage
from h2s2r_hw.emulators.cabinet.config import CabinetCfg

Refusal = tuple[str, str]


def refuse_command(
    command: CommandMessage,
    cfg: CabinetCfg,
    last_joint_pos: tuple[float, ...],
    cycles: int,
    measured: tuple[float, ...],
) -> Refusal | None:
    """Why a command in COMMANDING_ACTIVE is not followed.

    Args:
        command: what came.
        cfg: limits.
        last_joint_pos: (7) [rad] commanded before.
        cycles: how many periods ago.
        measured: (7) [rad].
    """
    wrong = refuse_values(command.joint_pos, "joint position") or _refuse_torque(command, cfg)
    if wrong is not None or command.joint_pos is None:
        return wrong
    period = cycles * cfg.send_period
    ways = [period * each for each in cfg.velocity_limit]
    moved = map(abs, map(sub, command.joint_pos, last_joint_pos))
    if (
        cfg.mode != "torque"
        and all(map(le, map(abs, command.joint_pos), cfg.position_limit))
        and all(map(lt, moved, ways))
    ):
        return None
    for joint, (position, last) in enumerate(zip(command.joint_pos, last_joint_pos, strict=True)):
        if abs(position) > cfg.position_limit[joint]:
            return (
                "position_limit",
                f"joint {joint + 1} to {position:.4f} rad; its limit is ± {cfg.position_limit[joint]:.4f}.",
            )
        speed = abs(position - last) / period
        if speed > cfg.velocity_limit[joint]:
            limit = cfg.velocity_limit[joint]
            return "velocity_limit", f"joint {joint + 1} at {speed:.3f} rad/s; its limit is {limit:.3f}."
        if cfg.mode == "torque" and abs(position - measured[joint]) > cfg.deviation_limit:
            away = abs(position - measured[joint])
            return (
                "axis_deviation",
                f"joint {joint + 1} is {away:.3f} rad from its command; {cfg.deviation_limit} are allowed.",
            )
    return None


def refuse_values(values: tuple[float, ...] | None, name: str) -> Refusal | None:
    """Why values are none that could be followed at all."""
    if values is None:
        return f"no_{name.replace(' ', '_')}", f"the command has no {name}."
    if len(values) != NUM_JOINTS:
        return "joint_count", f"the {name} has {len(values)} values; the arm has {NUM_JOINTS} joints."
    if not all(map(math.isfinite, values)):
        return "not_finite", f"the {name} is {values}."
    return None


def _refuse_torque(command: CommandMessage, cfg: CabinetCfg) -> Refusal | None:
    if cfg.mode != "torque" or command.joint_torque is None:
        # A torque that is missing once is missed by its age (session).
        return None
    wrong = refuse_values(command.joint_torque, "joint torque")
    if wrong is not None:
        return wrong
    for joint, torque in enumerate(command.joint_torque):
        if abs(torque) > cfg.torque_limit[joint]:
            return (
                "torque_limit",
                f"joint {joint + 1} with {torque:.1f} N·m; its limit is {cfg.torque_limit[joint]:.0f}.",
            )
    return None
