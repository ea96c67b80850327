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

    def run(self, seconds: float) -> Figures:
        """Follow for so long [s], then stop and let go."""
        session = self._session
        outcome = ""
        sent = states = 0
        began = time.monotonic()
        try:
            session.acquire(force=self._force)
            session.arm(20.0)
            start, path = session.state.joint_pos_target.copy(), _middle(session)
            began = due = self._heard = time.monotonic()
            while (now := time.monotonic()) - began < seconds:
                while due <= now:
                    moved = due - began
                    away = _REACH * (1.0 - np.cos(2.0 * np.pi * _SLOW * moved)) / 2.0
                    self._sent_at[session.command(start + path * away)] = now
                    due += 1.0 / _COMMAND_HZ
                    sent += 1
                session.next_state()
                self._hear()
                states += 1
            session.ask("disarm")
        except RobotFault as refused:
            outcome = refused.code
        wall = time.monotonic() - began
        session.release()
        return {"outcome": outcome, "wall_s": wall, "commands_sent": sent, "states": states} | self._figures()

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


def _middle(session: Session) -> np.ndarray:
    """(J) 1 or -1: away from the nearer limit."""
    robot = session.hello.robot
    return np.where(session.state.joint_pos_target < 0.5 * (robot.position_lower + robot.position_upper), 1.0, -1.0)


def main(arguments: Sequence[str]) -> None:
    """Be the client."""
    address, keys, seconds, out, force = arguments
    with RobotClient(ClientKeys.load(Path(keys)), address, timeout=10.0) as robot:
        figures = Follower(robot, force == "force").run(float(seconds))
    Path(out).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
