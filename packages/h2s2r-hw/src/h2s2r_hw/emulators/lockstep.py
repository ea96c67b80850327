"""Let virtual time pass for a group of processes, one of them the emulated cell.

In:  the processes' wishes (``clock.lockstep``), the cell's next event.   Out: turns, one after the other.
Not here: what the cell does (cell), real time (realtime).

Time stands still while anybody still has something to do: first come those to whom something was sent or whose time it is,
in the order of their names, one at a time; only then time jumps to the next moment at which anybody wants to act.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from h2s2r_hw.clock.lockstep import LockstepError


class Stage(Protocol):
    """The process that holds the group together; it acts first in each moment."""

    def next_event_ns(self) -> int:
        """[ns] when it wants to act next."""
        ...

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Do what is due; returns how many messages were sent on which channel."""
        ...

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Read so many messages that others sent; returns how many were sent in answer."""
        ...


class _Participant:
    def __init__(self, connection: socket.socket, name: str, channels: list[str]) -> None:
        self.connection, self.name, self.channels = connection, name, channels
        self.buffer = b""
        self.until_ns = 0
        self.arrived: dict[str, int] = {}

    def due(self, now_ns: int) -> bool:
        return bool(self.arrived) or self.until_ns <= now_ns


class Lockstep:
    """The clock of a group.

    Args:
        address: ``(host, port)`` to listen at; port 0 for any.
        patience: [s] of wall time for everybody to join, and for one turn.
        on_leave: told the name of whoever leaves or dies; the others go on.
    """

    def __init__(
        self,
        address: tuple[str, int] = ("127.0.0.1", 0),
        patience: float = 60.0,
        on_leave: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._server = socket.create_server(address)
        self._patience, self._on_leave = patience, on_leave
        self._participants: dict[str, _Participant] = {}
        self.now_ns = 0
        """[ns] of virtual time."""

    @property
    def address(self) -> str:
        """``"host:port"`` for ``LockstepClock``."""
        host, port = self._server.getsockname()[:2]
        return f"{host}:{port}"

    @property
    def names(self) -> tuple[str, ...]:
        """Who is in the group now."""
        return tuple(self._participants)

    def gather(self, names: tuple[str, ...]) -> None:
        """Wait until all of these have joined.

        Raises:
            LockstepError: somebody did not come in time; the message names those who are missing.
        """
        end = time.monotonic() + self._patience
        while set(names) - set(self._participants):
            missing = ", ".join(sorted(set(names) - set(self._participants)))
            ready, _, _ = select.select([self._server], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise LockstepError(f"{missing} did not join {self.address} within {self._patience} s.")
            self._welcome(names)
        # In the order of names, whoever came first.
        self._participants = {name: self._participants[name] for name in sorted(self._participants)}

    def _welcome(self, names: tuple[str, ...]) -> None:
        connection, _ = self._server.accept()
        connection.settimeout(self._patience)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        newcomer = _Participant(connection, "", [])
        said = self._hear_line(newcomer) or {}
        newcomer.name, newcomer.channels = str(said.get("join", "")), [str(each) for each in said.get("channels", [])]
        if newcomer.name not in names or newcomer.name in self._participants:
            refused = f"{newcomer.name!r} is not expected here, or here already; expected are: {', '.join(names)}."
            connection.sendall(json.dumps({"refused": refused}).encode() + b"\n")
            connection.close()
            return
        self._participants[newcomer.name] = newcomer

    def run(self, stage: Stage, until_ns: int, stop: Callable[[], bool] = lambda: False) -> None:
        """Let time pass up to a moment, or until nobody is left of a group that had somebody, or ``stop()``."""
        had_somebody = bool(self._participants)
        while not stop() and (self._participants or not had_somebody):
            self._settle(stage)
            wishes = [each.until_ns for each in self._participants.values()]
            following = min([stage.next_event_ns(), *wishes])
            if following > until_ns:
                break
            self.now_ns = max(self.now_ns, following)
            if stage.next_event_ns() <= self.now_ns:
                self._announce(stage.act(self.now_ns), None)

    def close(self) -> None:
        """End the group; everybody in it is told."""
        for each in self._participants.values():
            each.connection.close()
        self._participants = {}
        self._server.close()

    def _settle(self, stage: Stage) -> None:
        """Turns at this moment, until nobody wants one."""
        while True:
            due = next((each for each in self._participants.values() if each.due(self.now_ns)), None)
            if due is None:
                return
            sent = self._turn(due)
            if sent:
                self._announce(sent, due)
                for channel, count in sent.items():
                    self._announce(stage.hear(channel, count, self.now_ns), None)

    def _turn(self, participant: _Participant) -> Mapping[str, int]:
        """One process acts; returns what it sent."""
        turn = {"now": self.now_ns, "arrived": participant.arrived}
        participant.arrived = {}
        try:
            participant.connection.sendall(json.dumps(turn).encode() + b"\n")
            said = self._hear_line(participant)
        except TimeoutError:
            raise LockstepError(
                f"{participant.name} did not end its turn within {self._patience} s of wall time: it waits for something "
                "without asking its clock, or is stuck."
            ) from None
        except OSError:
            said = None
        if said is None:
            participant.connection.close()
            del self._participants[participant.name]
            self._on_leave(participant.name)
            return {}
        participant.until_ns = int(said["until"])
        return said["sent"]

    def _announce(self, sent: Mapping[str, int], sender: _Participant | None) -> None:
        for channel, count in sent.items():
            for each in self._participants.values():
                if each is not sender and channel in each.channels and count:
                    each.arrived[channel] = each.arrived.get(channel, 0) + count

    def _hear_line(self, participant: _Participant) -> dict[str, Any] | None:
        """One line, or None where the other end is closed."""
        while b"\n" not in participant.buffer:
            received = participant.connection.recv(65536)
            if not received:
                return None
            participant.buffer += received
        line, _, participant.buffer = participant.buffer.partition(b"\n")
        return json.loads(line)
