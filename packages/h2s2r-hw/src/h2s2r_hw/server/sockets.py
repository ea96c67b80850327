"""The gateway's two sockets: encrypted, limited, and read by one call.

In:  addresses, keys, limits.   Out: ``Sockets``: messages with their sender's key; what is published and answered.
Not here: what messages mean (gateway).
"""

from __future__ import annotations

from dataclasses import dataclass

import zmq

from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_hw.server.zap import DOMAIN, Doorkeeper
from h2s2r_schemas.client.addresses import HELLO, published_address
from h2s2r_schemas.errors import H2S2RError


@dataclass(frozen=True)
class Incoming:
    """One message from outside."""

    peer: bytes
    """Who gets the answer: name that the client chose for this connection."""
    user: str
    """Public key of the connection; empty for somebody who asks for a hello."""
    data: bytes
    """The message; empty for somebody who asks for a hello."""


class Sockets:
    """ROUTER for requests and commands, XPUB for states.

    Args:
        cfg: addresses and limits.
        keys: who may connect.

    Raises:
        H2S2RError: an address cannot be bound.
        NoKeyError: there are no keys.
    """

    def __init__(self, cfg: GatewayCfg, keys: KeyFolder) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._keys = keys.server_keys()
        self.doorkeeper = Doorkeeper(self._context, keys.allowed, cfg.max_connections, cfg.handshake)
        self.doorkeeper.start()
        self._router = self._socket(zmq.ROUTER, cfg)
        self._router.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self._router.setsockopt(zmq.SNDHWM, 100)
        self._publisher = self._socket(zmq.XPUB, cfg)
        self._poller = zmq.Poller()
        for socket, address in ((self._router, cfg.address), (self._publisher, published_address(cfg.address))):
            try:
                socket.bind(address)
            except zmq.ZMQError as error:
                self.close()
                raise H2S2RError(f"{address} cannot be listened at ({error}): is another server running?") from None
            self._poller.register(socket, zmq.POLLIN)

    def _socket(self, kind: int, cfg: GatewayCfg) -> zmq.Socket[bytes]:
        made = self._context.socket(kind)
        made.curve_server = True
        made.curve_publickey, made.curve_secretkey = self._keys.public, self._keys.secret
        made.setsockopt(zmq.ZAP_DOMAIN, DOMAIN.encode())
        made.setsockopt(zmq.LINGER, 0)
        # Between the limit and twice the limit a message is read, so that its sender can be told.
        made.setsockopt(zmq.MAXMSGSIZE, 2 * cfg.max_message_bytes)
        beat = round(cfg.heartbeat * 1e3)
        made.setsockopt(zmq.HEARTBEAT_IVL, beat)
        made.setsockopt(zmq.HEARTBEAT_TIMEOUT, 3 * beat)
        made.setsockopt(zmq.HANDSHAKE_IVL, round(cfg.handshake * 1e3))
        self.doorkeeper.watch(made)
        return made

    def read(self, seconds: float) -> Incoming | None:
        """The next message; None if none comes within so many seconds."""
        while True:
            ready = dict(self._poller.poll(round(seconds * 1e3)))
            if not ready:
                return None
            taken = self._read_subscription() if self._publisher in ready else self._read_message()
            if taken is not None:
                return taken

    def _read_message(self) -> Incoming:
        peer, *frames = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
        # Anything but one frame is nothing that can be read.
        return Incoming(peer.bytes, str(frames[-1].get("User-Id")), frames[0].bytes if len(frames) == 1 else b"")

    def _read_subscription(self) -> Incoming | None:
        topic = self._publisher.recv(zmq.NOBLOCK)
        asks = topic.startswith(b"\x01" + HELLO) and len(topic) <= len(HELLO) + 65
        return Incoming(topic[1 + len(HELLO) :], "", b"") if asks else None

    def answer(self, peer: bytes, kind: bytes, data: bytes) -> None:
        """To one client; dropped if it is gone or does not read."""
        self._router.send_multipart((peer, kind, data), zmq.NOBLOCK)

    def publish(self, topic: bytes, data: bytes) -> None:
        """To whoever listens; dropped for those who do not read."""
        self._publisher.send_multipart((topic, data), zmq.NOBLOCK)

    def close(self) -> None:
        """Close everything, without waiting for anybody."""
        self.doorkeeper.close()
        self._context.destroy(0)


def is_loopback(address: str) -> bool:
    """Whether nobody outside this machine can reach an address."""
    return address.startswith(("tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://"))
