"""Somebody who watches a server by its states, and clears what is in the way of the next scene.

In:  an operator's client.   Out: times to a stop, rates, counts.
Not here: the scenes (real_time).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

import numpy as np

from h2s2r_hw.server.refusals import REFUSALS
from h2s2r_schemas.client import RobotClient, Session
from h2s2r_schemas.errors import H2S2RError, RobotFault
from h2s2r_schemas.wire import RobotState

Figures = dict[str, float | int | str]
#: [rad] of one state below which setpoints stand still.
_STILL = 1e-7
_RATES = {"arm_hz": "arm.sent", "hand_hz": "hand.cycles"}
_COUNTS = (
    "arm.lost",
    "arm.late",
    "arm.timeouts",
    "arm.stops",
    "arm.stale_targets",
    "hand.incomplete",
    "hand.zeroed",
    "hand.undecodable",
)


class Watcher:
    """Reads every state.

    Args:
        robot: with an operator's key.
    """

    def __init__(self, robot: RobotClient) -> None:
        self._robot, self._session = robot, Session(robot)
        self.faults: list[str] = []
        """Codes of those that were acknowledged on the way."""

    @property
    def state(self) -> RobotState:
        """The newest."""
        return self._session.state

    def look(self) -> RobotState:
        """The next one; a server that says nothing for a while may still come back."""
        with contextlib.suppress(RobotFault):
            self._session.next_state()
        return self.state

    def until(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Look until then, or for so long [s]; whether it was reached."""
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                return False
            self.look()
        return True

    def ready(self, seconds: float = 60.0) -> RobotState:
        """Nobody has the lease, and the robot can be armed; faults are acknowledged on the way.

        Raises:
            H2S2RError: it cannot, with what it says.
        """
        end = time.monotonic() + seconds
        while self.state.lease_epoch or self.state.server_state not in ("ready", "hold"):
            fault = self.state.fault
            self.clear()
            if time.monotonic() > end:
                cause = "" if fault is None else f": {fault.code}: {fault.cause}"
                raise H2S2RError(f"After {seconds:.0f} s the robot is {self.state.server_state!r}{cause}.")
            self.look()
        return self.state

    def clear(self) -> None:
        """Acknowledge a fault, if there is one."""
        fault = self.state.fault
        if fault is not None:
            self.faults.append(fault.code)
            with contextlib.suppress(RobotFault):
                self._session.ask("acknowledge_fault")
            self.until(lambda: self.state.fault is None, 2.0)

    def attend(self, ended: Callable[[], bool], seconds: float) -> None:
        """Look until then, or for so long [s], and acknowledge every fault on the way."""
        end = time.monotonic() + seconds
        while not ended() and time.monotonic() < end:
            self.clear()
            self.look()

    def tracks(self, seconds: float) -> bool:
        """Whether it comes to follow somebody, and does so for so long; faults are acknowledged on the way."""
        since, end = time.monotonic(), time.monotonic() + 60.0
        while time.monotonic() < end:
            self.clear()
            if self.look().server_state != "track":
                since = time.monotonic()
            elif time.monotonic() - since > seconds:
                return True
        return False

    def stops(self, seconds: float = 5.0) -> Figures:
        """How long it takes from now until nothing moves, and until the lease is free."""
        began = moved = time.monotonic()
        freed = -1.0
        before = self.state.joint_pos_target
        while time.monotonic() - began < seconds:
            state = self.look()
            now = time.monotonic()
            if np.abs(state.joint_pos_target - before).max() > _STILL:
                moved = now
            before = state.joint_pos_target
            if freed < 0.0 and not state.lease_epoch:
                freed = now - began
        return {"rest_s": moved - began, "lease_free_s": freed, "state_then": self.state.server_state}

    def trouble(self) -> Figures:
        """Why it does not follow."""
        fault = self.state.fault
        return {"did_not_follow": self.state.server_state if fault is None else f"{fault.code}: {fault.cause}"}

    def count(self, name: str) -> int:
        """One of the server's counters."""
        return self.state.counters.get(name, 0)

    def grown(self, before: RobotState, names: Sequence[str]) -> int:
        """By how much these counters grew together."""
        return sum(self.count(name) - before.counters.get(name, 0) for name in names)

    def rates(self, before: RobotState) -> Figures:
        """Of the loops since then, and what they missed."""
        seconds = self.state.time - before.time
        found: Figures = {name: self.grown(before, (counter,)) / seconds for name, counter in _RATES.items()}
        found["state_hz"] = (self.state.sequence - before.sequence) / seconds
        found["commands_followed"] = self.grown(before, ("accepted",))
        return found | {name: self.grown(before, (name,)) for name in _COUNTS} | self.refused(before)

    def refused(self, before: RobotState) -> Figures:
        """Messages refused since then, by code."""
        grown = {name: self.grown(before, (name,)) for name in REFUSALS}
        return {f"refused_{name}": count for name, count in grown.items() if count}

    def totals(self) -> Figures:
        """At the end."""
        if self.state.fault is not None:
            self.faults.append(self.state.fault.code)
        return {
            "state_at_the_end": self.state.server_state,
            "faults": ", ".join(self.faults),
            "watcher_states_lost": self._robot.lost_states,
            "guard_holds": self.count("arm.guard_holds") + self.count("hand.guard_holds"),
        }
