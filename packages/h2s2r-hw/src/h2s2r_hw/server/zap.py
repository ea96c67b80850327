"""Lets in whose key is allowed, and as many as there is room for.

In:  handshakes of libzmq.   Out: accepted or refused connections, both counted; who is connected.
Not here: keys (keys), who may do what once connected (desk, admission).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import zmq
import zmq.auth.thread
from zmq.utils.monitor import recv_monitor_message

_LOG = logging.getLogger(__name__)
#: What the sockets are called in the handshake.
DOMAIN = "h2s2r"
_FAILED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
#: [s] between two lines in the log about refused handshakes: peers try again for ever.
_LINE_EVERY = 10.0


class Doorkeeper:
    """Answers libzmq's questions about keys, in a thread of its own, for all sockets of one context.

    Args:
        context: whose sockets are guarded. Only one doorkeeper per context.
        allowed: whether the holder of a public key (z85 text) may connect.
        max_connections: authenticated connections at a time.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], allowed: Callable[[str], bool], max_connections: int
    ) -> None:
        self._allowed, self._max = allowed, max_connections
        self._authenticator = zmq.auth.thread.ThreadAuthenticator(context)
        self._monitors: list[zmq.Socket[bytes]] = []
        self._connections = 0
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
        self._monitors.append(
            socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | _FAILED)
        )

    def look(self) -> None:
        """Take note of what happened to connections since the last look."""
        for monitor in self._monitors:
            while monitor.poll(0):
                event = int(recv_monitor_message(monitor, zmq.NOBLOCK)["event"])
                with self._lock:
                    if event & _FAILED:
                        self.counters["failed_handshakes"] += 1
                    # Each failed handshake is followed by the end of a connection that never counted as one.
                    self._connections += -1 if event == zmq.EVENT_DISCONNECTED else 1

    @property
    def connections(self) -> int:
        """Authenticated ones, as of the last look."""
        return self._connections

    def callback(self, domain: str, key: bytes) -> bool:
        """The question of libzmq: may this key connect? An error here would silently block every handshake."""
        try:
            allowed = self._allowed(key.decode())
        except Exception:  # noqa: BLE001 - whatever it is, handshakes would wait for ever
            _LOG.exception("The keys cannot be read, so nobody can connect.")
            allowed = False
        with self._lock:
            room = self._connections < self._max
            outcome = "accepted" if allowed and room else "too_many_connections" if allowed else "unknown_key"
            self.counters[outcome] += 1
        if outcome != "accepted" and time.monotonic() - self._last_line > _LINE_EVERY:
            self._last_line = time.monotonic()
            _LOG.warning(
                "Refused the connection of key %s: %s (%d so far).", key.decode(), outcome, self.counters[outcome]
            )
        return outcome == "accepted"

    def close(self) -> None:
        """Stop answering."""
        self._authenticator.stop()
