"""One client of a robot: its lease, its commands, and what the robot makes of them.

In:  a ``Robot``.   Out: states; commands in order under one lease.
Not here: what is commanded (mind), sockets (schemas' client).
"""

from __future__ import annotations

import contextlib
import secrets

import numpy as np

from h2s2r_rl.runner.config import RunError
from h2s2r_schemas.contracts import Robot
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.wire import Reply, Request, RobotCommand, RobotState

_ARMED = ("hold", "track")
#: [s] by which a state may come before its time, for rounding.
_EARLY = 1e-6


class Link:
    """Talks to one robot, on the robot's clock.

    Args:
        robot: keeps the contract.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot, self._session = robot, secrets.token_hex(8)
        self.hello = robot.hello()
        self._hash = self.hello.robot.hash()
        self._requests, self._sequence = 0, -1
        self._epoch = self._token = 0
        self.state = robot.next_state()
        self._heard = self.state.time

    def next_state(self) -> RobotState:
        """Wait for the next state."""
        self.state = self._robot.next_state()
        if self.state.command_sequence == self._sequence:
            self._heard = self.state.time
        return self.state

    def wait(self) -> RobotState:
        """Wait for the next state and keep the lease, if there is one."""
        if self._epoch:
            self._request("renew_lease")
            self._heard = self.state.time
        return self.next_state()

    def arm(self, timeout: float) -> None:
        """Take the lease and arm.

        Args:
            timeout: [s] of the robot's time.

        Raises:
            RunError: refused, or not armed in time; the lease is given back.
        """
        granted = self._request("acquire_lease")
        if not granted.ok:
            raise _refused("The lease", granted)
        self._epoch, self._token = granted.lease_epoch, granted.lease_token
        try:
            reply = self._request("arm")
            if not reply.ok:
                raise _refused("Arming", reply)
            began = self.state.time
            while self.wait().server_state not in _ARMED:
                if self.state.time - began > timeout or self.state.fault is not None:
                    raise RunError(
                        f"The robot is {self.state.server_state!r} {self.state.time - began:.1f} s after it was asked to arm"
                        f"{'' if self.state.fault is None else ': ' + self.state.fault.cause}. See its server's display."
                    )
        except RunError:
            self.release()
            raise
        self._heard = self.state.time

    def stand(self, period: float, timeout: float) -> None:
        """Command where it stands, in the rhythm of what is to come, until that is followed; a period later it returns.

        A server takes the first command of a motion only near where the robot stands. A policy's first step may be further.

        Args:
            period: [s] from command to command.
            timeout: [s] of the robot's time.

        Raises:
            RunError: it is not followed in time.
        """
        began = due = self.state.time
        while True:
            self.command(self.state.joint_pos_target)
            due += period
            while self.state.time < due - _EARLY:
                self.next_state()
            trouble = self.trouble()
            if not trouble and self.state.server_state == "track" and self.state.command_sequence == self._sequence:
                return
            if trouble or self.state.time - began > timeout:
                why = trouble or f"It is {self.state.server_state!r}, its last refusal {self.state.last_refusal!r}."
                raise RunError(
                    f"The robot does not follow commands to stay where it is: {why} See its server's display."
                )

    def command(self, joint_pos_target: np.ndarray) -> None:
        """Ask for joint positions (J) [rad; m]."""
        self._sequence += 1
        self._robot.command(
            RobotCommand(
                robot_hash=self._hash,
                lease_epoch=self._epoch,
                lease_token=self._token,
                sequence=self._sequence,
                client_time=self.state.time,
                joint_pos_target=joint_pos_target,
            )
        )

    def trouble(self) -> str:
        """Why commands are not followed; empty if they are."""
        state = self.state
        if state.fault is not None:
            return f"The robot has a fault, {state.fault.code}: {state.fault.cause} {state.fault.remedy}"
        if state.server_state not in _ARMED:
            return f"The robot is {state.server_state!r}."
        if state.time - self._heard > self.hello.lease_ttl:
            return (
                f"No command was accepted for {state.time - self._heard:.2f} s; last refusal: {state.last_refusal!r}."
            )
        return ""

    def release(self) -> None:
        """Give the lease back: the robot stands still under its own control. Where it cannot be reached, the lease runs out."""
        with contextlib.suppress(RobotFault):
            self._request("release_lease")

    def _request(self, kind: str) -> Reply:
        self._requests += 1
        return self._robot.request(
            Request(
                kind=kind,
                sequence=self._requests,
                session=self._session,
                client_time=self.state.time,
                lease_epoch=self._epoch,
                lease_token=self._token,
            )
        )


def _refused(what: str, reply: Reply) -> RunError:
    return RunError(f"{what} was refused, {reply.code}: {reply.cause} {reply.remedy}")
