"""One robot under test: judged at every state, addressed by requests and streams of commands on its own clock.

In:  a ``Robot``.   Out: its states and replies, or a ``ContractError`` as soon as one breaks a clause.
Not here: which requests and commands a check makes, and why (check).
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Tuple

import numpy as np

from h2s2r_schemas.contracts import Robot
from h2s2r_schemas.errors import H2S2RError
from h2s2r_schemas.testing.clauses import broken
from h2s2r_schemas.testing.robot.states import STATE_ARRAYS, judge_hello, judge_state
from h2s2r_schemas.wire import Hello, Reply, Request, RobotCommand, RobotState

#: Epoch and token of a lease.
Lease = Tuple[int, int]
NO_LEASE: Lease = (0, 0)

#: [1/s] more states than this for each second of the robot's time and its clock counts as standing still.
_MOST_STATES_HZ = 2_000.0
#: [s] how far the time in a reply may lie from that in a state.
_REPLY_CLOCK = 1.0


class RobotSession:
    """A robot, the lease held on it, and its newest state.

    The time of the last state is the client's clock: that is what a runner does, and it works in virtual time.
    """

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.hello: Hello = robot.hello()
        judge_hello(self.hello)
        self.spec = self.hello.robot
        self.robot_hash = self.spec.hash()
        self.session, self.lease = "check-1", NO_LEASE
        self.command_period = 1.0 / float(np.sqrt(np.prod(self.hello.command_hz)))
        self.next_sequence = self.requests = 0
        self.last_sent = self.renewed = -np.inf
        self._kept: deque[tuple[RobotState, dict[str, np.ndarray]]] = deque(maxlen=4)
        self.seen: list[RobotState] = []
        self.state: RobotState = robot.next_state()
        judge_state(self.state, None, self.hello, self.robot_hash)

    # ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_state(self) -> RobotState:
        """The next state, judged."""
        before = self.state
        self._kept.append((before, {name: getattr(before, name).copy() for name in STATE_ARRAYS}))
        state = self.robot.next_state()
        for kept, copies in self._kept:
            for name, copy in copies.items():
                changed = getattr(kept, name) != copy
                if changed.any():
                    at = int(np.argmax(changed))
                    raise broken(
                        "Robot.state",
                        f"{name}[{at}] of the state with sequence {kept.sequence} was {copy[at]} when returned and is now "
                        f"{getattr(kept, name)[at]}.",
                        "arrays of a state that never change after it was returned.",
                        "Give each state arrays of its own (copy the buffer).",
                    )
        judge_state(state, before, self.hello, self.robot_hash)
        self.state = state
        self.seen.append(state)
        return state

    def mark(self) -> RobotState:
        """The present state; ``seen`` holds those after it."""
        self.seen = []
        return self.state

    def idle(self, seconds: float, renew: bool, until: Callable[[], bool] = lambda: False) -> list[RobotState]:
        """States of that long [s] without commands, with or without renewing the lease; ends early when ``until()``."""
        return self._pass_time(seconds, self.renew if renew else lambda: None, until)

    def renew(self) -> None:
        """Renew the lease, unless that was done a moment ago."""
        if self.state.time - self.renewed >= 0.25 * self.hello.lease_ttl:
            self.renewed = self.state.time
            self.must("renew_lease", "Robot.lease")

    def stream(
        self,
        target_at: Callable[[float], np.ndarray],
        seconds: float,
        until: Callable[[], bool] = lambda: False,
        renew: bool = False,
        **changes: Any,
    ) -> list[RobotState]:
        """States of that long [s], commanding ``target_at(elapsed [s])`` (J) meanwhile; ends early when ``until()``.

        ``changes`` are fields of each command that are not as they should be; ``renew`` keeps the lease besides.
        """
        start = self.state.time

        def act() -> None:
            if renew:
                self.renew()
            if self.state.time - self.last_sent >= self.command_period - 1e-6:
                self.send(target_at(self.state.time - start), **changes)

        return self._pass_time(seconds, act, until)

    def _pass_time(self, seconds: float, act: Callable[[], None], until: Callable[[], bool]) -> list[RobotState]:
        start = self.state.time
        states: list[RobotState] = []
        while self.state.time - start < seconds - 1e-6 and not until():
            act()
            states.append(self.next_state())
            if len(states) > 100 + seconds * _MOST_STATES_HZ:
                raise broken(
                    "Robot.time",
                    f"{len(states)} states took only {self.state.time - start:.4g} s of the robot's time.",
                    "a clock that moves on with every state.",
                    "Let next_state() wait for the next tick, or step virtual time by a whole period.",
                )
        return states

    # ── commands and requests ───────────────────────────────────────────────────────────────────────────────────────

    def send(self, joint_pos_target: np.ndarray, **changes: Any) -> None:
        """Hand over a command to go to ``joint_pos_target`` (J), valid but for ``changes``."""
        fields: dict[str, Any] = {
            "robot_hash": self.robot_hash,
            "lease_epoch": max(1, self.lease[0]),
            "lease_token": self.lease[1],
            "sequence": self.next_sequence,
            "client_time": self.state.time,
            "joint_pos_target": joint_pos_target,
        }
        if "client_age" in changes:
            fields["client_time"] -= changes.pop("client_age")
        command = RobotCommand(**{**fields, **changes})
        self.next_sequence += 1
        self.last_sent = self.state.time
        try:
            self.robot.command(command)
        except H2S2RError as error:
            raise broken(
                "Robot.verdict",
                f"command() raised {type(error).__name__}: {error}",
                "command() returns at once; a later state tells whether the command was accepted.",
                "Refuse in last_refusal and counters of the states, not by an exception.",
            ) from error

    def request(self, kind: str, lease: Lease = NO_LEASE, session: str = "") -> Reply:
        """The reply to a request, judged."""
        self.requests += 1
        request = Request(
            kind=kind,
            sequence=self.requests,
            session=session or self.session,
            client_time=self.state.time,
            lease_epoch=lease[0],
            lease_token=lease[1],
        )
        reply = self.robot.request(request)
        off = abs(reply.time - self.state.time)
        if type(reply) is not Reply or reply.sequence != request.sequence or off > _REPLY_CLOCK:
            raise broken(
                "Robot.request",
                f"the reply to request {request.sequence} ({kind}) has sequence {reply.sequence} and time {reply.time:.6g} s, "
                f"where the last state has {self.state.time:.6g} s.",
                f"a Reply with the request's sequence, and its time on the states' clock to {_REPLY_CLOCK} s.",
                "Copy the request's sequence, and stamp replies by the clock that stamps states.",
            )
        if not reply.ok and not (reply.code and reply.cause and reply.remedy):
            raise broken(
                "Robot.request",
                f"the refusal of {kind} has code {reply.code!r}, cause {reply.cause!r}, remedy {reply.remedy!r}.",
                "a refusal with all three.",
                "Say what was wrong and what the caller can do.",
            )
        return reply

    def must(self, kind: str, clause: str) -> Reply:
        """The reply to a request under the lease held that has to be granted."""
        reply = self.request(kind, self.lease)
        if not reply.ok:
            raise broken(
                clause,
                f"{kind} under the current lease is refused: {reply.code}: {reply.cause}",
                f"{kind} is done.",
                reply.remedy,
            )
        return reply

    def must_refuse(self, kind: str, why: str, lease: Lease = NO_LEASE, session: str = "") -> None:
        """Make a request that has to be refused because of ``why``, and see that it was and left the lease alone."""
        if self.state.lease_epoch and self.state.lease_epoch == self.lease[0]:
            self.renew()
        epoch = self.next_state().lease_epoch
        reply = self.request(kind, lease, session)
        now = self.next_state().lease_epoch
        if reply.ok or now != epoch:
            raise broken(
                "Robot.lease",
                f"{kind} {why} is {'done' if reply.ok else 'refused'}; the lease's epoch was {epoch} and is {now}.",
                "a refusal that changes nothing.",
                "Compare the epoch and token of every request that needs them with the current lease.",
            )
