"""One client in a process of its own, which others may kill, freeze, or take the lease from.

In:  address and keys of a server, seconds, a file.   Out: figures of what it sent and heard, as JSON in that file.
Not here: who does that to it (real_time). It is an honest client with one bad habit: after a pause it sends everything that it
had planned for the time of the pause at once, as a program does that counts its ticks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from h2s2r_schemas.client import ClientKeys, RobotClient, Session
from h2s2r_schemas.errors import RobotFault

_COMMAND_HZ = 60.0
#: [rad] and [Hz] of each joint's path.
_REACH, _SLOW = 0.1, 0.2

#: [s] after which a motion that does not begin is begun anew.
_AGAIN = 0.3
#: [s] for which it tries to arm.
_PATIENCE = 20.0

Figures = dict[str, float | int | str]


class Follower:
    """Arms, and follows a gentle path.

    Args:
        robot: the server.
        force: whether the lease is taken from whoever has it.
    """

    def __init__(self, robot: RobotClient, force: bool) -> None:
        self._robot, self._session = robot, Session(robot)
        self._sent_at: dict[int, float] = {}
        self._pauses: list[float] = []
        self._delays: list[float] = []
        self._force, self._heard = force, time.monotonic()
        self._followed = -1
        self._sent = self._states = self._interrupted = 0
        self._start, self._away = np.zeros(0), np.zeros(0)
        self._began, self._tracked = 0.0, False

    def run(self, seconds: float) -> Figures:
        """Follow for so long [s], then stop and let go."""
        session, outcome = self._session, ""
        began = time.monotonic()
        try:
            session.acquire(force=self._force)
            self._arm()
            self._begin()
            began = due = time.monotonic()
            while (now := time.monotonic()) - began < seconds:
                while due <= now:
                    self._command(due)
                    due += 1.0 / _COMMAND_HZ
                self._look()
            session.ask("disarm")
        except RobotFault as refused:
            outcome = refused.code
        wall = time.monotonic() - began
        session.release()
        return {"outcome": outcome, "wall_s": wall} | self._figures()

    def _arm(self) -> None:
        """Arm, once the motion of whoever commanded before has come to rest and faults are acknowledged."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._session.arm(20.0)
            except RobotFault as refused:
                if refused.code in ("no_lease", "lease_taken") or time.monotonic() > end:
                    raise
                self._session.next_state()
            else:
                return

    def _begin(self) -> None:
        """From here on the path is followed from where the robot stands."""
        state, robot = self._session.state, self._session.hello.robot
        self._start, self._began = state.joint_pos_target.copy(), time.monotonic()
        # Away from the nearer limit.
        self._away = np.where(self._start < 0.5 * (robot.position_lower + robot.position_upper), _REACH, -_REACH)
        self._tracked, self._heard = False, self._began

    def _command(self, due: float) -> None:
        """What was planned for a moment [s]."""
        if self._session.state.server_state not in ("hold", "track"):
            return
        part = (1.0 - np.cos(2.0 * np.pi * _SLOW * max(0.0, due - self._began))) / 2.0
        self._sent_at[self._session.command(self._start + part * self._away)] = time.monotonic()
        self._sent += 1

    def _look(self) -> None:
        """The next state. A motion that was stopped begins anew from there; after a fault, once somebody acknowledged it."""
        state = self._session.next_state()
        self._hear()
        self._states += 1
        if self._tracked and state.server_state != "track":
            self._tracked = False
            self._interrupted += 1
        if state.server_state == "ready":
            self._arm()
            self._begin()
        elif state.server_state == "hold" and not self._tracked and time.monotonic() - self._began > _AGAIN:
            self._begin()
        self._tracked = self._tracked or state.server_state == "track"

    def _hear(self) -> None:
        """A state came: how long after the one before, and which command it has followed."""
        now = time.monotonic()
        self._pauses.append(now - self._heard)
        self._heard = now
        followed = self._session.state.command_sequence
        if followed > self._followed and followed in self._sent_at:
            self._delays.append(now - self._sent_at[followed])
        self._followed = max(self._followed, followed)
        for old in [each for each in self._sent_at if each <= followed]:
            del self._sent_at[old]

    def _figures(self) -> Figures:
        found: Figures = {
            "commands_sent": self._sent,
            "states": self._states,
            "interrupted": self._interrupted,
            "states_lost": self._robot.lost_states,
            "commands_unsent": self._robot.unsent,
            "refused": ", ".join(sorted({reply.code for reply in self._robot.refusals})),
        }
        for name, values in (("state_pause", self._pauses), ("command_to_state", self._delays)):
            if values:
                parts = np.percentile(values, (50.0, 99.0, 100.0)) * 1e3
                found |= {
                    f"{name}_{part}_ms": float(value) for part, value in zip(("p50", "p99", "max"), parts, strict=True)
                }
        return found


def main(arguments: Sequence[str]) -> None:
    """Be the client."""
    address, keys, seconds, out, force = arguments
    with RobotClient(ClientKeys.load(Path(keys)), address, timeout=10.0) as robot:
        figures = Follower(robot, force == "force").run(float(seconds))
    Path(out).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
