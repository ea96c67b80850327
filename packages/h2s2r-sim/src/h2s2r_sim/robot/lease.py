"""Who may command a simulated robot, and which requests and commands are refused.

In:  requests, commands, the robot's time.   Out: codes of refusals; the current lease.
Not here: what accepted commands do (simulated).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from h2s2r_schemas.wire import Request, RobotCommand

#: What a refusal means, and what helps.
REFUSALS = {
    "no_lease": (
        "The epoch and token are not those of the current lease.",
        "Acquire the lease, and use what the reply says.",
    ),
    "lease_taken": ("Another session holds the lease.", "Wait until it is released or runs out."),
    "lease_not_free": ("Somebody holds the lease.", "Release it, or wait until it runs out."),
    "estop": ("The e-stop is latched.", "Reset it with a free lease, then arm."),
    "unsupported": ("A simulated robot does not do this.", "Leave it out."),
    "foreign_robot": ("The command is for another robot.", "Use the robot that hello() describes."),
    "joint_count": ("The command has another number of joints.", "Use the joints that hello() lists."),
    "old_sequence": ("The command's sequence is not above the last accepted one.", "Count up by one."),
    "stale_command": ("The command is older than the lease lives.", "Send commands as soon as they are made."),
    "not_armed": ("The robot is not armed.", "Arm it first."),
}
_NEED_LEASE = ("renew_lease", "release_lease", "arm", "disarm", "home")
_UNSUPPORTED = ("tighten_limits", "load_residual", "mark_log")


@dataclass
class Lease:
    """The one lease of a robot; epoch 0 while it is free."""

    ttl: float
    """[s] it lives without an accepted command or a renewal."""
    session: str = ""
    """Who holds it."""
    epoch: int = 0
    """Larger than any before; 0 for none."""
    token: int = 0
    """Secret of it."""
    used: float = 0.0
    """[s] when it was last kept alive."""
    last_epoch: int = 0
    """Of the last one granted."""
    command_sequence: int = -1
    """Of the last command accepted under it."""
    youngest: float = -math.inf
    """[s] largest ``client_time`` of its commands."""

    def grant(self, session: str, time: float) -> None:
        """A new lease: larger epoch, new token, sequence numbers anew."""
        self.last_epoch += 1
        # No secret between processes: it only has to differ from what a confused client would send.
        self.session, self.epoch, self.token = session, self.last_epoch, 100_003 * self.last_epoch + 17
        self.used, self.command_sequence, self.youngest = time, -1, -math.inf

    def free(self) -> None:
        """Nobody holds it."""
        self.session, self.epoch, self.token = "", 0, 0

    def expired(self, time: float) -> bool:
        """Whether it has not been kept alive for longer than it lives."""
        return self.epoch > 0 and time - self.used > self.ttl

    def held(self, epoch: int, token: int) -> bool:
        """Whether these are its epoch and token."""
        return self.epoch > 0 and (epoch, token) == (self.epoch, self.token)

    def request_refusal(self, request: Request, server_state: str) -> str:
        """Code with which a request is refused; empty if it is not."""
        if request.kind in _UNSUPPORTED:
            return "unsupported"
        if request.kind in _NEED_LEASE and not self.held(request.lease_epoch, request.lease_token):
            return "no_lease"
        if request.kind == "acquire_lease" and self.epoch and request.session != self.session:
            return "lease_taken"
        if request.kind == "reset_estop" and self.epoch:
            return "lease_not_free"
        if request.kind in ("arm", "home") and server_state == "estop":
            return "estop"
        return ""

    def command_refusal(self, command: RobotCommand, robot_hash: str, num_joints: int, armed: bool) -> str:
        """Code with which a command is refused; empty if it is not."""
        if not self.held(command.lease_epoch, command.lease_token):
            return "no_lease"
        if command.robot_hash != robot_hash:
            return "foreign_robot"
        if len(command.joint_pos_target) != num_joints:
            return "joint_count"
        if command.sequence <= self.command_sequence:
            return "old_sequence"
        if command.client_time < self.youngest - self.ttl:
            return "stale_command"
        if command.joint_torque_feedforward is not None or command.use_residual:
            return "unsupported"
        return "" if armed else "not_armed"

    def accept(self, command: RobotCommand, time: float) -> None:
        """A command was accepted: it keeps the lease alive."""
        self.command_sequence, self.youngest = command.sequence, max(self.youngest, command.client_time)
        self.used = time
