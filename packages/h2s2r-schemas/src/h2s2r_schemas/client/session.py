"""One program's lease on a robot: asked for, kept while states are asked for, and given back.

In:  any ``Robot``.   Out: ``Session``: states, commands in order, refusals as ``RobotFault``.
Not here: sockets (robot), what is commanded.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Any, Callable

import numpy as np

from h2s2r_schemas.contracts import Robot
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.wire import Reply, Request, RobotCommand, RobotState

ARMED = ("hold", "track")
#: Part of the lease's life after which it is renewed.
_RENEW = 0.25


class Session:
    """Use it in a ``with``: the lease is given back at the end, whatever happens.

    The lease is renewed from within ``next_state()`` alone, so that a program that hangs loses it. ``client_time`` is the
    robot's time of the last state, which works in virtual time too.

    Args:
        robot: keeps the contract.
        name: of the session; random if not given.
    """

    def __init__(self, robot: Robot, name: str = "") -> None:
        self.robot, self.hello = robot, robot.hello()
        self.name = name or secrets.token_hex(8)
        self._hash = self.hello.robot.hash()
        self._requests, self._sequence = 0, -1
        self._epoch = self._token = 0
        self._renewed = 0.0
        self.state: RobotState = robot.next_state()
        """The last one."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def ask(self, kind: str, **arguments: Any) -> Reply:
        """Make a request under the lease, if there is one.

        Raises:
            RobotFault: it was refused, with the robot's code; or the robot cannot be reached.
        """
        self._requests += 1
        reply = self.robot.request(
            Request(
                kind=kind,
                sequence=self._requests,
                session=self.name,
                client_time=self.state.time,
                lease_epoch=self._epoch,
                lease_token=self._token,
                arguments=arguments,
            )
        )
        if not reply.ok:
            raise RobotFault(reply.code, reply.cause, reply.remedy)
        return reply

    def acquire(self, force: bool = False) -> None:
        """Take the lease; ``force`` takes it from another session of the same key, or from anybody with an operator's key.

        Raises:
            RobotFault: refused.
        """
        granted = self.ask("acquire_lease", force=True) if force else self.ask("acquire_lease")
        self._epoch, self._token, self._sequence = granted.lease_epoch, granted.lease_token, -1
        self._renewed = self.state.time

    def next_state(self) -> RobotState:
        """Wait for the next state, and keep the lease.

        Raises:
            RobotFault: ``no_lease``: it was lost; or the robot cannot be reached.
        """
        self.state = self.robot.next_state()
        if self._epoch and self.state.time - self._renewed >= _RENEW * self.hello.lease_ttl:
            self._renewed = self.state.time
            self.ask("renew_lease")
        return self.state

    def wait(self, reached: Callable[[RobotState], bool], timeout: float, what: str) -> RobotState:
        """States until one is as wanted.

        Args:
            reached: whether a state is.
            timeout: [s] of the robot's time.
            what: what is waited for, in words.

        Raises:
            RobotFault: a fault is latched, or ``not_reached`` in time.
        """
        began = self.state.time
        while not reached(self.state):
            fault = self.state.fault
            if fault is not None:
                raise RobotFault(fault.code, fault.cause, fault.remedy)
            if self.state.time - began > timeout:
                raise RobotFault(
                    "not_reached",
                    f"{what}: after {timeout} s the robot's state is {self.state.server_state!r}.",
                    "See h2s2r-hw status for what it waits for.",
                )
            self.next_state()
        return self.state

    def arm(self, timeout: float = 30.0) -> RobotState:
        """Arm, and wait for it: at most ``timeout`` [s] of the robot's time.

        Raises:
            RobotFault: refused, a fault, or not armed in time.
        """
        self.ask("arm")
        return self.wait(lambda state: state.server_state in ARMED, timeout, "Arming")

    def command(
        self,
        joint_pos_target: np.ndarray,
        joint_torque_feedforward: np.ndarray | None = None,
        use_residual: bool = False,
    ) -> int:
        """Ask for joint positions (J) [rad; m], and torques (J) [N·m] on top; returns the sequence of the command."""
        self._sequence += 1
        self.robot.command(
            RobotCommand(
                robot_hash=self._hash,
                lease_epoch=max(1, self._epoch),
                lease_token=self._token,
                sequence=self._sequence,
                client_time=self.state.time,
                joint_pos_target=joint_pos_target,
                joint_torque_feedforward=joint_torque_feedforward,
                use_residual=use_residual,
            )
        )
        return self._sequence

    def release(self) -> None:
        """Give the lease back, if it is held: the robot stands still under its own control."""
        if not self._epoch:
            return
        # Gone already, or the robot is: then it runs out by itself.
        with contextlib.suppress(RobotFault):
            self.ask("release_lease")
        self._epoch = self._token = 0
