"""Clients that do what a case wants, also what no honest client would.

In:  a rehearsal.   Out: ``Puppet``: commands and requests with anything in them; ``Stranger``: raw bytes.
Not here: the honest client (h2s2r_schemas.client), which a puppet uses underneath.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import zmq

from h2s2r_hw.emulators.rehearsal.whole import SECOND, Rehearsal
from h2s2r_schemas.client import ClientKeys
from h2s2r_schemas.client.addresses import TO_SERVER
from h2s2r_schemas.codec import encode
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.wire import Reply, Request, RobotCommand, RobotState

COMMAND_NS = round(SECOND / 60)


class Puppet:
    """One client with a lease, or without.

    Args:
        whole: the server.
        name: of its keys.
        operator: the role of its key.
        keys: those of another one, to pose as it.
    """

    def __init__(self, whole: Rehearsal, name: str, operator: bool = False, keys: ClientKeys | None = None) -> None:
        self.whole, self.name = whole, name
        self.keys = keys or whole.new_keys(name, operator)
        self.client = whole.client(keys=self.keys)
        self.epoch = self.token = 0
        """Of its lease."""
        self.sequence = -1
        """Of its last command."""
        self.sent = 0
        """Commands."""
        self.state: RobotState = self.client.next_state()
        """The last one seen."""
        self._requests = 0
        self._hash = whole.robot.hash()

    def look(self) -> RobotState:
        """The newest state."""
        self.state = self.client.next_state()
        return self.state

    def ask(self, kind: str, **arguments: Any) -> Reply:
        """Make a request under its lease."""
        self._requests += 1
        request = Request(
            kind=kind,
            sequence=self._requests,
            session=self.name,
            client_time=self.whole.now_ns * 1e-9,
            lease_epoch=self.epoch,
            lease_token=self.token,
            arguments=arguments,
        )
        return self.client.request(request)

    def acquire(self, **arguments: Any) -> Reply:
        """Take the lease, if it is granted."""
        reply = self.ask("acquire_lease", **arguments)
        if reply.ok:
            self.epoch, self.token, self.sequence = reply.lease_epoch, reply.lease_token, -1
        return reply

    def arm(self, seconds: float = 5.0) -> str:
        """Acquire, arm, and wait for it; returns the server's state, or the code of a refusal."""
        for reply in (self.acquire() if not self.epoch else None, self.ask("arm")):
            if reply is not None and not reply.ok:
                return reply.code
        end = self.state.time + seconds
        while self.look().server_state not in ("hold", "track") and self.state.time < end:
            self.ask("renew_lease")
        return self.state.server_state

    def command(self, joint_pos: np.ndarray, **changes: Any) -> RobotCommand:
        """The next command of its stream, with anything changed."""
        self.sequence += 1
        fields: dict[str, Any] = {
            "robot_hash": self._hash,
            "lease_epoch": max(1, self.epoch),
            "lease_token": self.token,
            "sequence": self.sequence,
            "client_time": self.whole.now_ns * 1e-9,
            "joint_pos_target": joint_pos,
        }
        return RobotCommand(**{**fields, **changes})

    def send(self, joint_pos: np.ndarray, **changes: Any) -> None:
        """Send it."""
        self.client.command(self.command(joint_pos, **changes))
        self.sent += 1

    def follow(self, seconds: float, path: Callable[[float], np.ndarray], **changes: Any) -> None:
        """Command (J) [rad] of the time [s] since now, 60 times a second, whatever becomes of it."""
        start_ns, group = self.whole.now_ns, self.whole.group
        due_ns, end_ns = start_ns, start_ns + round(seconds * SECOND)
        while due_ns < end_ns:
            group.run(due_ns)
            self.send(path((due_ns - start_ns) * 1e-9), **changes)
            due_ns += COMMAND_NS
            try:
                self.look()
            except RobotFault:
                # The server is gone: that is the case.
                continue
        group.run(end_ns)

    def hold(self, seconds: float) -> None:
        """Keep the lease without commanding."""
        end_ns = self.whole.now_ns + round(seconds * SECOND)
        while self.whole.now_ns < end_ns:
            self.ask("renew_lease")
            self.whole.group.run(min(end_ns, self.whole.now_ns + SECOND // 10))
            self.look()


class Stranger:
    """A socket that sends bytes.

    Args:
        whole: the server.
        keys: none for a connection without encryption.
        address: where it connects to; the server itself if not given.
    """

    def __init__(self, whole: Rehearsal, keys: ClientKeys | None, address: str = "") -> None:
        self._whole = whole
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, 100_000)
        if keys is not None:
            self._socket.curve_publickey, self._socket.curve_secretkey = keys.public, keys.secret
            self._socket.curve_serverkey = keys.server
        self._socket.connect(address or whole.server.gateway.address)

    def send(self, *messages: bytes) -> None:
        """Hand messages over, and let the server read them."""
        for data in messages:
            self._socket.send(data)
            self._whole.group.announce({TO_SERVER: 1}, None)

    def try_to_send(self, *messages: bytes, seconds: float = 0.3) -> None:
        """Hand messages over that perhaps never arrive, wait [s] of wall time, and let the server read what did."""
        for data in messages:
            with contextlib.suppress(zmq.Again):
                self._socket.send(data, zmq.NOBLOCK)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.02)
            self._whole.gateway.step(self._whole.now_ns)

    def close(self) -> None:
        """Let go."""
        self._context.destroy(0)


def sine(start: np.ndarray, reach: float, hz: float = 0.2) -> Callable[[float], np.ndarray]:
    """Every joint there and back by ``reach`` [rad], from (J) ``start``, gently."""
    return lambda seconds: start + reach * (1.0 - math.cos(2.0 * math.pi * hz * seconds)) / 2.0


def poisoned(command: RobotCommand, marker: float, value: float) -> bytes:
    """The bytes of a command with another number where one of its targets is ``marker``, which no honest client can make."""
    import struct  # noqa: PLC0415 - here alone

    data, old = encode(command), struct.pack("<d", marker)
    if data.count(old) != 1:
        raise ValueError("the marker must stand in the command once")
    return data.replace(old, struct.pack("<d", value))
