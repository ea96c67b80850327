"""A robot that needs no simulator: joints that follow their targets with a lag, behind the whole ``Robot`` contract.

In:  a ``RobotSpec``.   Out: ``FirstOrderRobot``, in virtual time.
Not here: dynamics, contact, faults (sim, hw). To test against a robot that misbehaves, override one of its small methods.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import Hello, Reply, Request, RobotCommand, RobotState

_NEED_LEASE = ("renew_lease", "release_lease", "arm", "disarm", "home")


def fake_robot_spec() -> RobotSpec:
    """Two arm joints [rad] of different range, a finger [rad] that rests near its limit, and a sliding thumb [m]."""
    return RobotSpec(
        name="fake",
        side="right",
        joint_names=("arm_1", "arm_2", "finger_1", "thumb_slide"),
        num_arm_joints=2,
        position_lower=np.array([-2.9, -2.0, -0.2, 0.0]),
        position_upper=np.array([2.9, 2.0, 1.6, 0.08]),
        velocity_limit=np.array([1.5, 1.5, 6.0, 0.3]),
        acceleration_limit=np.array([6.0, 6.0, 60.0, 3.0]),
        jerk_limit=np.array([120.0, 120.0, 1200.0, 60.0]),
        torque_limit=np.array([100.0, 100.0, 0.7, 20.0]),
        home=np.array([0.3, -0.5, -0.19, 0.04]),
        base_frame="base",
        palm_frame="palm",
        fingertip_frames=("fingertip_index", "fingertip_thumb"),
    )


class FirstOrderRobot:
    """Satisfies ``Robot``. Each ``next_state()`` lets one state period of virtual time pass.

    Args:
        spec: the robot to be; four joints of its own by default.
        state_hz: [Hz] states for each second of its time.
        lag: [s] time constant with which joints follow what is sent to them.
        lease_ttl: [s] a lease lives without an accepted command or a renewal.
        emulated: what ``hello()`` says.
    """

    def __init__(
        self,
        spec: RobotSpec | None = None,
        state_hz: float = 60.0,
        lag: float = 0.03,
        lease_ttl: float = 0.5,
        emulated: bool = True,
    ) -> None:
        self.spec = fake_robot_spec() if spec is None else spec
        self.robot_hash = self.spec.hash()
        self.period, self.lag, self.lease_ttl, self.emulated = 1.0 / state_hz, lag, lease_ttl, emulated
        self.time, self.state_sequence = 0.0, 0
        self.joint_pos = self.spec.home.copy()
        self.joint_vel = np.zeros_like(self.joint_pos)
        self.joint_pos_sent = self.spec.home.copy()
        self.joint_pos_wanted = self.spec.home.copy()
        self.server_state, self.last_refusal = "ready", ""
        self.counters: dict[str, int] = {}
        self.lease_session, self.lease_epoch, self.lease_token, self.last_epoch = "", 0, 0, 0
        self.lease_used = self.command_time = 0.0
        self.command_sequence, self.youngest = -1, -math.inf

    def hello(self) -> Hello:
        return Hello(
            server="h2s2r-schemas fake",
            robot=self.spec,
            emulated=self.emulated,
            control_hz=200.0,
            command_hz=np.array([15.0, 60.0]),
            lease_ttl=self.lease_ttl,
            max_message_bytes=65536,
        )

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────

    def request(self, request: Request) -> Reply:
        refusal = self.request_refusal(request)
        answer: dict[str, Any] = {"sequence": request.sequence, "time": self.time}
        if refusal:
            cause = f"{request.kind} by session {request.session!r} under epoch {request.lease_epoch}."
            return Reply(ok=False, code=refusal, cause=cause, remedy="Ask when the code no longer holds.", **answer)
        return Reply(ok=True, **self.carry_out(request), **answer)

    def request_refusal(self, request: Request) -> str:
        """Code with which a request is refused; empty if it is not."""
        theirs = (request.lease_epoch, request.lease_token)
        if request.kind in _NEED_LEASE and (not self.lease_epoch or theirs != (self.lease_epoch, self.lease_token)):
            return "no_lease"
        if request.kind == "acquire_lease" and self.lease_epoch and request.session != self.lease_session:
            return "lease_taken"
        if request.kind == "reset_estop" and self.lease_epoch:
            return "lease_not_free"
        if request.kind == "arm" and self.server_state == "estop":
            return "estop"
        return ""

    def carry_out(self, request: Request) -> dict[str, Any]:
        """Do what was asked. Returns what the reply carries besides."""
        if request.kind == "acquire_lease":
            return self.grant(request.session)
        if request.kind == "renew_lease":
            self.lease_used = self.time
        elif request.kind == "release_lease":
            self.free_lease()
        elif request.kind == "estop":
            self.server_state = "estop"
        elif request.kind in ("disarm", "reset_estop"):
            self.server_state = "ready"
        elif request.kind == "arm" and self.server_state == "ready":
            self.joint_pos_sent = self.joint_pos_wanted = self.joint_pos.copy()
            self.server_state = "hold"
        return {}

    def grant(self, session: str) -> dict[str, Any]:
        """A new lease: larger epoch, new token, sequence numbers anew."""
        self.last_epoch += 1
        self.lease_session, self.lease_epoch, self.lease_token = session, self.last_epoch, 7000 + self.last_epoch
        self.lease_used, self.command_sequence, self.youngest = self.time, -1, -math.inf
        return {"lease_epoch": self.lease_epoch, "lease_token": self.lease_token}

    def free_lease(self) -> None:
        """Nobody commands: stand still where it was sent last."""
        self.lease_session, self.lease_epoch, self.lease_token = "", 0, 0
        self.joint_pos_wanted = self.joint_pos_sent.copy()
        if self.server_state == "track":
            self.server_state = "hold"

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def command(self, command: RobotCommand) -> None:
        refusal = self.command_refusal(command)
        if refusal:
            self.refuse(command, refusal)
        else:
            self.accept(command)

    def command_refusal(self, command: RobotCommand) -> str:
        """Code with which a command is refused; empty if it is not."""
        if not self.lease_epoch or (command.lease_epoch, command.lease_token) != (self.lease_epoch, self.lease_token):
            return "no_lease"
        if command.robot_hash != self.robot_hash:
            return "foreign_robot"
        if len(command.joint_pos_target) != len(self.spec.joint_names):
            return "joint_count"
        if command.sequence <= self.command_sequence:
            return "old_sequence"
        if command.client_time < self.youngest - self.lease_ttl:
            return "stale_command"
        return "" if self.server_state in ("hold", "track") else "not_armed"

    def refuse(self, command: RobotCommand, code: str) -> None:
        """Count it and say why."""
        self.last_refusal = code
        self.counters[code] = self.counters.get(code, 0) + 1

    def accept(self, command: RobotCommand) -> None:
        """Follow it."""
        self.joint_pos_wanted = self.within_limits(command.joint_pos_target)
        self.command_sequence, self.youngest = command.sequence, max(self.youngest, command.client_time)
        self.lease_used = self.command_time = self.time
        self.server_state = "track"

    def within_limits(self, joint_pos_target: np.ndarray) -> np.ndarray:
        """The nearest (J) targets that the limits allow."""
        return np.clip(joint_pos_target, self.spec.position_lower, self.spec.position_upper)

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_state(self) -> RobotState:
        self.time += self.period
        self.state_sequence += 1
        if self.lease_epoch and self.time - self.lease_used > self.lease_ttl:
            self.silence()
        self.move(self.period)
        return RobotState(**self.measure())

    def silence(self) -> None:
        """Nobody has commanded or renewed for longer than the lease lives."""
        self.free_lease()

    def move(self, period: float) -> None:
        """Let the joints follow for one period [s]."""
        if self.server_state in ("hold", "track"):
            step = self.spec.velocity_limit * period
            self.joint_pos_sent = self.joint_pos_sent + np.clip(
                self.joint_pos_wanted - self.joint_pos_sent, -step, step
            )
        change = (self.joint_pos_sent - self.joint_pos) * (1.0 - math.exp(-period / self.lag))
        self.joint_pos, self.joint_vel = self.joint_pos + change, change / period

    def measure(self) -> dict[str, Any]:
        """Fields of the state at this instant."""
        return {
            "robot_hash": self.robot_hash,
            "sequence": self.state_sequence,
            "time": self.time,
            "joint_pos": self.joint_pos,
            "joint_vel": self.joint_vel,
            "joint_torque": np.zeros_like(self.joint_pos),
            "joint_pos_target": self.joint_pos_sent,
            "server_state": self.server_state,
            "lease_epoch": self.lease_epoch,
            "command_sequence": self.command_sequence,
            "command_age": self.time - self.command_time,
            "last_refusal": self.last_refusal,
            "counters": self.counters,
        }
