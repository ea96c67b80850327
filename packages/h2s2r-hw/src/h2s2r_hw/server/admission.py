"""Which commands are followed.

In:  a decoded command, who sent it and when, what the robot does now.   Out: accepted, or the first reason why not.
Not here: requests (requests), how a target is approached (motion).

Checks come in the order of what must be known first: whose command it is, for which robot, whether it is the next one, how old
it is, whether the robot may follow at all, and at last where it leads. A refused command changes nothing here.
"""

from __future__ import annotations

import math

import numpy as np

from h2s2r_hw.server.age import AgeFilter
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.lease import Client, Lease
from h2s2r_hw.server.refusals import Refused, refuse
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import RobotCommand

#: What is said while the robot is in a state in which it follows nothing.
_NOT_FOLLOWING = {"estop": "estop", "fault": "fault", "soft_stop": "stopping"}


class Admission:
    """Judges the commands of the current lease.

    Args:
        cfg: how old, how far outside.
        spec: the robot that is commanded.
        lease: who may command.
        start_tolerance: (J) [rad; m] by which the first target after standing still may lie from what was sent last.
    """

    def __init__(self, cfg: GatewayCfg, spec: RobotSpec, lease: Lease, start_tolerance: np.ndarray) -> None:
        self._cfg, self._spec, self._lease, self._start_tolerance = cfg, spec, lease, start_tolerance
        self._robot_hash = spec.hash()
        self._span = spec.position_upper - spec.position_lower
        self._slack = cfg.outside_tolerance * self._span
        self._clock: AgeFilter | None = None
        self._youngest = -math.inf
        self.sequence = -1
        """Of the last command accepted under this lease; -1 before the first."""

    def begin(self, client_time: float, now_ns: int) -> None:
        """A lease was granted, by a request made at that time [s] of the client."""
        self._clock, self._youngest, self.sequence = AgeFilter(client_time, now_ns), -math.inf, -1

    def made_ns(self, client_time: float, now_ns: int) -> int:
        """[ns] on our clock when the holder made a message, at most now."""
        return now_ns if self._clock is None else self._clock.made_ns(client_time, now_ns)

    def judge_age(self, client_time: float, now_ns: int, oldest: float) -> Refused | None:
        """Whether a message of the holder is at most so old [s], and not from a clock that has jumped."""
        age = math.inf if self._clock is None else self._clock.age(client_time, now_ns)
        if age > oldest:
            return refuse("stale_command", f"It is {age:.3g} s old; at most {oldest:.3f} s is followed.")
        if -age > self._cfg.future_tolerance:
            return refuse(
                "future_command",
                f"Its client_time is {-age:.3g} s ahead of the client's clock as seen before; at most "
                f"{self._cfg.future_tolerance:.3f} s is taken for a quicker connection.",
            )
        return None

    def note_fresh(self, client_time: float, now_ns: int) -> None:
        """A message of the holder was accepted: its clock is better known now, and the lease lives on."""
        if self._clock is not None:
            made_ns = self._clock.made_ns(client_time, now_ns)
            self._clock.accept(client_time, now_ns)
            self._lease.keep(made_ns)

    def judge(
        self, command: RobotCommand, client: Client, now_ns: int, server_state: str, joint_pos_sent: np.ndarray
    ) -> Refused | None:
        """The reason to refuse a command, if there is one.

        Args:
            command: as decoded, so finite.
            client: who sent it.
            now_ns: [ns] when it was received.
            server_state: one of ``wire.SERVER_STATES``.
            joint_pos_sent: (J) [rad; m] last sent to the drivers.
        """
        return (
            self._lease.check(client, command.lease_epoch, command.lease_token)
            or self._judge_robot(command)
            or self._judge_order(command, now_ns)
            or self._judge_state(server_state)
            or self._judge_target(command.joint_pos_target, server_state, joint_pos_sent)
        )

    def accept(self, command: RobotCommand, now_ns: int) -> None:
        """A command is followed."""
        self.note_fresh(command.client_time, now_ns)
        self._youngest = max(self._youngest, command.client_time)
        self.sequence = command.sequence

    def _judge_robot(self, command: RobotCommand) -> Refused | None:
        if command.robot_hash != self._robot_hash:
            return refuse("foreign_robot", f"Its robot hash is {command.robot_hash!r}, ours {self._robot_hash!r}.")
        joints, given = len(self._spec.joint_names), len(command.joint_pos_target)
        if given != joints:
            return refuse("joint_count", f"It has {given} joints; {self._spec.name} has {joints}.")
        return None

    def _judge_order(self, command: RobotCommand, now_ns: int) -> Refused | None:
        if command.sequence <= self.sequence:
            return refuse("old_sequence", f"Its sequence is {command.sequence}; {self.sequence} was accepted already.")
        behind = self._youngest - command.client_time
        if behind > self._cfg.stale_age:
            return refuse(
                "stale_command",
                f"It was made {behind:.3g} s before another one of this lease; at most {self._cfg.stale_age:.3f} s is followed.",
            )
        return self.judge_age(command.client_time, now_ns, self._cfg.stale_age)

    def _judge_state(self, server_state: str) -> Refused | None:
        if server_state in ("hold", "track"):
            return None
        return refuse(_NOT_FOLLOWING.get(server_state, "not_armed"), f"The robot's state is {server_state!r}.")

    def _judge_target(
        self, joint_pos_target: np.ndarray, server_state: str, joint_pos_sent: np.ndarray
    ) -> Refused | None:
        spec = self._spec
        below = spec.position_lower - joint_pos_target
        above = joint_pos_target - spec.position_upper
        outside = np.maximum(below, above)
        # Written so that a value that is not finite is refused too, should one ever come this far.
        if not (outside <= self._slack).all():
            at = int(np.argmax(np.where(outside <= self._slack, -np.inf, outside - self._slack)))
            return refuse(
                "far_outside",
                f"The target of {spec.joint_names[at]} is {joint_pos_target[at]:.4g}; its limits are "
                f"[{spec.position_lower[at]:.4g}, {spec.position_upper[at]:.4g}], and {self._slack[at]:.3g} beyond them is cut.",
            )
        if server_state == "hold" or self.sequence < 0:
            cut = np.clip(joint_pos_target, spec.position_lower, spec.position_upper)
            off = np.abs(cut - joint_pos_sent)
            if not (off <= self._start_tolerance).all():
                at = int(np.argmax(off - self._start_tolerance))
                return refuse(
                    "far_start",
                    f"The target of {spec.joint_names[at]} begins {off[at]:.4g} from {joint_pos_sent[at]:.4g}, where it stands; "
                    f"at most {self._start_tolerance[at]:.4g}.",
                )
        return None
