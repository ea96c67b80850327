"""Start the processes of a server, see that they live, and end them in the right order.

In:  how to start each role.   Out: running processes; a line for each event.
Not here: what they do (child). It is never in the way of a command, and needs no priority.

A gateway or logger that ends is started anew: they hold no motion. A loop that ends is not: the cabinet brakes by itself, the
guardian switches the hand off, the other loop stops and holds, and a person has to look before the server is started again.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

#: Roles that may be started anew while the server runs.
REPLACEABLE = ("gateway", "logger", "residual")
#: Times that a role is started anew within ``_WINDOW`` before that is given up.
_MOST, _WINDOW = 5, 60.0
#: [s] for a process to end by itself before it is killed.
_PATIENCE = 5.0
#: Who is ended first: nobody may command, then come to rest, then be guarded no more, and be logged to the last tick.
_ENDING = ("gateway", "residual", "arm", "hand", "guardian", "logger")


@dataclass
class Child:
    """One process."""

    role: str
    """As in ``runtime.ROLES``."""
    process: subprocess.Popen[bytes]
    """Running, or ended."""
    descriptor: int
    """Of the process (pidfd): readable once it has ended."""
    starts: list[float] = field(default_factory=list[float])
    """[s] when it was started, monotonic."""


class Supervisor:
    """Watches.

    Args:
        commands: how to start each role, in this order.
        tell: told of every event.
        environment: of the processes.
    """

    def __init__(
        self, commands: Mapping[str, Sequence[str]], tell: Callable[[str], None], environment: Mapping[str, str]
    ) -> None:
        self._commands, self._tell, self._environment = commands, tell, environment
        self.children: dict[str, Child] = {}
        """By role."""
        self.failed: list[str] = []
        """Roles that are gone for good."""

    def start(self) -> None:
        """Start all."""
        for role in self._commands:
            self._start(role, [])

    def _start(self, role: str, starts: list[float]) -> None:
        process = subprocess.Popen(self._commands[role], env=dict(self._environment), start_new_session=True)
        self.children[role] = Child(role, process, os.pidfd_open(process.pid), [*starts, time.monotonic()])
        self._tell(f"{role}: started as process {process.pid}")

    def watch(self, seconds: float) -> None:
        """See to it for so long that all live; returns early when one has ended and was dealt with."""
        alive = {child.descriptor: child for child in self.children.values()}
        ready, _, _ = select.select(list(alive), [], [], seconds)
        for descriptor in ready:
            self._ended(alive[descriptor])

    def _ended(self, child: Child) -> None:
        code = child.process.wait()
        os.close(child.descriptor)
        del self.children[child.role]
        how = f"ended with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
        recent = [start for start in child.starts if time.monotonic() - start < _WINDOW]
        if child.role in REPLACEABLE and len(recent) <= _MOST:
            self._tell(f"{child.role}: {how}; it is started anew")
            self._start(child.role, recent)
            return
        self.failed.append(child.role)
        self._tell(f"{child.role}: {how}; it is not started anew. Look why, then start the server again.")

    def stop(self) -> None:
        """End all, one after the other, each in its own time; those that do not end are killed."""
        for role in sorted(self.children, key=lambda role: _ENDING.index(role) if role in _ENDING else -1):
            child = self.children.pop(role)
            child.process.terminate()
            try:
                child.process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._tell(f"{role}: did not end within {_PATIENCE:.0f} s and is killed")
                child.process.kill()
                child.process.wait()
            os.close(child.descriptor)
