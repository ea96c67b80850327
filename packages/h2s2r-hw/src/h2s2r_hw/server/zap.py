"""Lets in whose key is allowed, and as many as there is room for.

In:  handshakes of libzmq.   Out: accepted or refused connections, both counted; who is connected.
Not here: keys (keys), who may do what once connected (desk, admission).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import zmq
import zmq.auth.thread
from zmq.utils.monitor import recv_monitor_message

_LOG = logging.getLogger(__name__)
#: What the sockets are called in the handshake.
DOMAIN = "h2s2r"
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
_WATCHED = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | _FAILED
#: [s] between two lines in the log about refused handshakes: peers try again for ever.
_LINE_EVERY = 10.0
#: [s] after the time for a handshake at which one that failed has ended for certain.
_MARGIN = 1.0


class Doorkeeper:
    """Answers libzmq's questions about keys, in a thread of its own, for all sockets of one context.

    libzmq does not say which connection a key was allowed for. But one that is open for longer than a handshake may take is
    authenticated, and of younger ones at most as many as keys were allowed meanwhile. So never more than the limit are; and
    those that show no allowed key, however many, take nobody's place.

    Args:
        context: whose sockets are guarded. Only one doorkeeper per context.
        allowed: whether the holder of a public key (z85 text) may connect.
        max_connections: authenticated connections at a time.
        handshake: [s] after which libzmq ends a connection that has not authenticated itself.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        allowed: Callable[[str], bool],
        max_connections: int,
        handshake: float,
    ) -> None:
        self._allowed, self._max, self._young = allowed, max_connections, handshake + _MARGIN
        self._authenticator = zmq.auth.thread.ThreadAuthenticator(context)
        self._monitors: list[zmq.Socket[bytes]] = []
        self._open: dict[tuple[int, int], float] = {}
        self._let_in: deque[float] = deque()
        self._connections = self._since = 0
        self._lock = threading.Lock()
        self._last_line = -_LINE_EVERY
        self.counters = {"accepted": 0, "unknown_key": 0, "too_many_connections": 0, "failed_handshakes": 0}
        """What happened to handshakes."""

    def start(self) -> None:
        """Begin to answer; before that, every handshake waits."""
        self._authenticator.start()
        self._authenticator.configure_curve_callback(DOMAIN, self)

    def watch(self, socket: zmq.Socket[bytes]) -> None:
        """Count the connections of a socket; before it is bound."""
        self._monitors.append(socket.get_monitor_socket(_WATCHED))

    def look(self) -> None:
        """Take note of what happened to connections since the last look."""
        # Before the events are read: whoever was let in until here has an event that says so.
        since, now = self._since, time.monotonic()
        for number, monitor in enumerate(self._monitors):
            # What ``poll(0)`` says too, at ten times the cost.
            while int(monitor.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                self._note(number, recv_monitor_message(monitor, zmq.NOBLOCK), now)
        self._let_in.extend([now] * since)
        while self._let_in and now - self._let_in[0] > self._young:
            self._let_in.popleft()
        young = sum(now - opened <= self._young for opened in self._open.values())
        with self._lock:
            self._connections = len(self._open) - young + min(young, len(self._let_in))
            self._since -= since

    def _note(self, monitor: int, message: Mapping[str, Any], now: float) -> None:
        event, connection = int(message["event"]), (monitor, int(message["value"]))
        if event == zmq.EVENT_ACCEPTED:
            self._open[connection] = now
        elif event == zmq.EVENT_DISCONNECTED:
            self._open.pop(connection, None)
        else:
            self.counters["failed_handshakes"] += 1

    @property
    def connections(self) -> int:
        """Authenticated ones as of the last look; for some seconds perhaps more than there are, never fewer."""
        return self._connections

    def callback(self, domain: str, key: bytes) -> bool:
        """The question of libzmq: may this key connect? An error here would silently block every handshake."""
        try:
            allowed = self._allowed(key.decode())
        except Exception:  # noqa: BLE001 - whatever it is, handshakes would wait for ever
            _LOG.exception("The keys cannot be read, so nobody can connect.")
            allowed = False
        with self._lock:
            room = self._connections + self._since < self._max
            outcome = "accepted" if allowed and room else "too_many_connections" if allowed else "unknown_key"
            self.counters[outcome] += 1
            self._since += outcome == "accepted"
        if outcome != "accepted" and time.monotonic() - self._last_line > _LINE_EVERY:
            self._last_line = time.monotonic()
            _LOG.warning(
                "Refused the connection of key %s: %s (%d so far).", key.decode(), outcome, self.counters[outcome]
            )
        return outcome == "accepted"

    def close(self) -> None:
        """Stop answering."""
        self._authenticator.stop()
