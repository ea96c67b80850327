"""A robot behind a robot server, over encrypted sockets.

In:  the server's address, keys, a clock.   Out: ``RobotClient``, which satisfies ``Robot``.
Not here: lease and arming made easy (session), the server (h2s2r-hw).
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import Any

import zmq

from h2s2r_schemas.client.addresses import (
    DEFAULT_ADDRESS,
    HELLO,
    REPLY,
    STATE,
    STATES,
    TO_SERVER,
    own_channels,
    published_address,
)
from h2s2r_schemas.client.clock import ClientClock, WallClock
from h2s2r_schemas.client.keys import ClientKeys
from h2s2r_schemas.codec import Message, decode, encode
from h2s2r_schemas.errors import RobotFault, SchemaError
from h2s2r_schemas.wire import Hello, Reply, Request, RobotCommand, RobotState

#: Replies to refused commands that are kept.
_KEPT = 32


class RobotClient:
    """Satisfies ``Robot``. One thread uses one client.

    Its constructor returns when the server has said hello: nothing is lost afterwards without being noticed. It does not keep a
    lease by itself, as only a program that commands may; ``Session`` does, as long as states are asked for.

    Args:
        address: of the server; its states come from the next port.
        keys: from ``h2s2r-hw keys client NAME``.
        timeout: [s] without hello, reply or state after which the server counts as gone.
        clock: the wall's if not given; in other time there are no heartbeats of the connection.
        name: of this connection, at most 64 letters; random if not given. It has to be unique.

    Raises:
        RobotFault: ``no_server``: nobody answers there, or the keys are not allowed.
    """

    def __init__(
        self,
        keys: ClientKeys,
        address: str = DEFAULT_ADDRESS,
        timeout: float = 2.0,
        clock: ClientClock | None = None,
        name: str = "",
    ) -> None:
        self.address, self.name = address, name or secrets.token_hex(8)
        self._answers, self._hellos = own_channels(self.name)
        self._clock: ClientClock = WallClock() if clock is None else clock
        self._timeout_ns = round(timeout * 1e9)
        self.refusals: deque[Reply] = deque(maxlen=_KEPT)
        """Replies to commands that were refused, the newest last: they say why, where states say only the code."""
        self.unsent = 0
        """Commands that were dropped here, as the connection was down or full."""
        self.lost_states = 0
        """States that never arrived, by their sequence numbers."""
        self._last: RobotState | None = None
        self._context: Any = zmq.Context()
        self._requests = self._socket(zmq.DEALER, keys)
        self._requests.setsockopt(zmq.ROUTING_ID, self.name.encode())
        # A long queue here would only make commands old.
        self._requests.setsockopt(zmq.SNDHWM, 16)
        self._requests.setsockopt(zmq.IMMEDIATE, 1)
        self._states = self._socket(zmq.SUB, keys)
        self._requests.connect(address)
        self._states.connect(published_address(address))
        try:
            self._hello = self._greet()
        except RobotFault:
            self.close()
            raise

    def _socket(self, kind: int, keys: ClientKeys) -> Any:
        made = self._context.socket(kind)
        made.curve_publickey, made.curve_secretkey, made.curve_serverkey = keys.public, keys.secret, keys.server
        made.setsockopt(zmq.LINGER, 0)
        if isinstance(self._clock, WallClock):
            # In other time, a busy machine would end connections that are well.
            made.setsockopt(zmq.HEARTBEAT_IVL, 100)
            made.setsockopt(zmq.HEARTBEAT_TIMEOUT, 300)
        made.setsockopt(zmq.RECONNECT_IVL, 50)
        made.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        return made

    def _greet(self) -> Hello:
        topic = HELLO + self.name.encode()
        self._states.subscribe(STATE)
        self._states.subscribe(topic)
        self._clock.sent(TO_SERVER)
        until_ns = self._clock.now_ns() + self._timeout_ns
        frames = self._clock.receive(self._hellos, lambda seconds: _read(self._states, topic, seconds), until_ns)
        if frames is None:
            raise self._gone("no_server", "has not said hello")
        self._states.unsubscribe(topic)
        return decode(frames[1], Hello)

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    def hello(self) -> Hello:
        """Who the robot is and what it accepts."""
        return self._hello

    def request(self, request: Request) -> Reply:
        """Ask, and wait for the answer.

        Raises:
            RobotFault: ``no_reply``: none came in time. What was asked may or may not have been done.
        """
        until_ns = self._clock.now_ns() + self._timeout_ns
        # IMMEDIATE: a message can only be handed over while there is a connection.
        if not self._requests.poll(round(self._timeout_ns * 1e-6), zmq.POLLOUT) or not self._send(request):
            raise self._gone("no_reply", "is not connected")
        while True:
            frames = self._clock.receive(self._answers, self._read_answer, until_ns)
            if frames is None:
                raise self._gone("no_reply", f"has not answered {request.kind!r}")
            reply = self._sort(frames)
            if reply is not None and reply.sequence == request.sequence:
                return reply

    def command(self, command: RobotCommand) -> None:
        """Hand a command over; states tell what became of it. Nothing is raised: without a connection it is dropped."""
        if not self._send(command):
            self.unsent += 1

    def next_state(self) -> RobotState:
        """The newest state, once there is one after the last.

        Raises:
            RobotFault: ``no_state``: none came in time; ``server_restarted``: the robot's time began anew.
        """
        until_ns = self._clock.now_ns() + self._timeout_ns
        frames = self._clock.receive(STATES, self._read_state, until_ns)
        if frames is None:
            raise self._gone("no_state", "has sent no state")
        count = 1
        while (more := self._clock.receive(STATES, self._read_state, self._clock.now_ns())) is not None:
            frames, count = more, count + 1
        self._hear_refusals()
        state = decode(frames[1], RobotState)
        before, self._last = self._last, state
        if before is not None:
            if state.sequence <= before.sequence or state.time <= before.time:
                self._last = before
                raise RobotFault(
                    "server_restarted",
                    f"After state {before.sequence} at {before.time:.3f} s came {state.sequence} at {state.time:.3f} s.",
                    "Make a new RobotClient: lease, time and arming are gone.",
                )
            self.lost_states += state.sequence - before.sequence - count
        return state

    def close(self) -> None:
        """Let go of the connection. A lease that is held runs out."""
        self._context.destroy(0)

    def __enter__(self) -> RobotClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, message: Message) -> bool:
        # Asked first, as a socket that looks full may only not yet know that its queue was emptied.
        if not self._requests.poll(0, zmq.POLLOUT):
            return False
        self._requests.send(encode(message), zmq.NOBLOCK)
        self._clock.sent(TO_SERVER)
        return True

    def _read_state(self, seconds: float) -> list[bytes] | None:
        return _read(self._states, STATE, seconds)

    def _read_answer(self, seconds: float) -> list[bytes] | None:
        return _read(self._requests, b"", seconds)

    def _hear_refusals(self) -> None:
        """Take what came besides replies that somebody waits for."""
        while (frames := self._clock.receive(self._answers, self._read_answer, self._clock.now_ns())) is not None:
            self._sort(frames)

    def _sort(self, frames: list[bytes]) -> Reply | None:
        """The reply to a request; others are kept as refusals."""
        try:
            reply = decode(frames[1], Reply)
        except SchemaError:
            return None
        if frames[0] == REPLY:
            return reply
        self.refusals.append(reply)
        return None

    def _gone(self, code: str, what: str) -> RobotFault:
        return RobotFault(
            code,
            f"The server at {self.address} {what} within {self._timeout_ns * 1e-9:.3g} s.",
            "See whether it runs (h2s2r-hw doctor), whether the address is right, and whether it allows this client's key.",
        )


def _read(socket: Any, topic: bytes, seconds: float) -> list[bytes] | None:
    """The next message of two frames whose first one is this topic (any if empty)."""
    while socket.poll(round(seconds * 1e3)):
        frames: list[bytes] = socket.recv_multipart(zmq.NOBLOCK)
        if len(frames) == 2 and (not topic or frames[0] == topic):
            return frames
    return None
