"""Where the camera side sees the object, from one process to others.

In:  ``ObjectState``s of a tracker.   Out: the same elsewhere: ``ObjectPublisher``, ``ObjectSubscriber``.
Not here: tracking (perception), what is done with it (rl).

Encrypted where keys are given. Without keys only addresses of this machine are served.
"""

from __future__ import annotations

import time
from typing import Any

import zmq

from h2s2r_schemas.client.clock import ClientClock, WallClock
from h2s2r_schemas.client.keys import ClientKeys
from h2s2r_schemas.codec import decode, encode
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.wire import ObjectState

DEFAULT_OBJECT_ADDRESS = "tcp://127.0.0.1:5720"
#: Channel of a clock that counts messages.
OBJECTS = "objects"
#: Largest message read: an ``ObjectState`` has a few hundred bytes.
_MAX_BYTES = 4096
_THIS_MACHINE = ("tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://", "inproc://")


def _check(address: str, keys: object) -> None:
    if keys is None and not address.startswith(_THIS_MACHINE):
        raise SchemaError(
            f"{address} can be reached from other machines, so keys are needed: make them with `h2s2r-hw keys`, or use an "
            f"address of this machine, e.g. {DEFAULT_OBJECT_ADDRESS}."
        )


class ObjectPublisher:
    """Sends object states to whoever listens; never waits.

    Args:
        address: to listen at.
        keys: public and secret key of this publisher (``zmq.curve_keypair()``); subscribers know the public one.
        clock: the wall's if not given.

    Raises:
        SchemaError: other machines could reach the address, and there are no keys; or it cannot be listened at.
    """

    def __init__(
        self,
        address: str = DEFAULT_OBJECT_ADDRESS,
        keys: ClientKeys | None = None,
        clock: ClientClock | None = None,
    ) -> None:
        _check(address, keys)
        self._clock: ClientClock = WallClock() if clock is None else clock
        self._context: Any = zmq.Context()
        # As PUB, but it tells of everybody who begins to listen.
        self._socket = self._context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self._socket.setsockopt(zmq.LINGER, 0)
        if keys is not None:
            self._socket.curve_server = True
            self._socket.curve_publickey, self._socket.curve_secretkey = keys.public, keys.secret
        try:
            self._socket.bind(address)
        except zmq.ZMQError as error:
            self.close()
            raise SchemaError(f"{address} cannot be listened at ({error}): choose another one.") from None

    def publish(self, state: ObjectState) -> None:
        """Send one."""
        self._socket.send(encode(state), zmq.NOBLOCK)
        self._clock.sent(OBJECTS)

    def wait_for_listener(self, seconds: float) -> bool:
        """Wait so long [s] of wall time for somebody who has not listened before: from then on he misses nothing.

        Returns:
            Whether somebody came.
        """
        end = time.monotonic() + seconds
        while self._socket.poll(max(0, round((end - time.monotonic()) * 1e3))):
            if self._socket.recv(zmq.NOBLOCK)[:1] == b"\x01":
                return True
        return False

    def close(self) -> None:
        """Stop."""
        self._context.destroy(0)


class ObjectSubscriber:
    """Hears object states. The first ones after a connection may be missed.

    Args:
        address: of the publisher.
        keys: of this subscriber, with the publisher's public key as ``server``.
        clock: the wall's if not given.

    Raises:
        SchemaError: another machine's address without keys.
    """

    def __init__(
        self,
        address: str = DEFAULT_OBJECT_ADDRESS,
        keys: ClientKeys | None = None,
        clock: ClientClock | None = None,
    ) -> None:
        _check(address, keys)
        self._clock: ClientClock = WallClock() if clock is None else clock
        self.malformed = 0
        """Messages that were no object states."""
        self._context: Any = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        if keys is not None:
            self._socket.curve_publickey, self._socket.curve_secretkey = keys.public, keys.secret
            self._socket.curve_serverkey = keys.server
        self._socket.setsockopt(zmq.MAXMSGSIZE, _MAX_BYTES)
        self._socket.subscribe(b"")
        self._socket.connect(address)

    def latest(self, timeout: float = 0.0) -> ObjectState | None:
        """The newest state that came since the last call; none if none comes within ``timeout`` [s]."""
        newest = self._next(self._clock.now_ns() + round(timeout * 1e9))
        while newest is not None and (more := self._next(self._clock.now_ns())) is not None:
            newest = more
        return newest

    def _next(self, until_ns: int) -> ObjectState | None:
        while (data := self._clock.receive(OBJECTS, self._read, until_ns)) is not None:
            try:
                return decode(data, ObjectState, _MAX_BYTES)
            except SchemaError:
                self.malformed += 1
        return None

    def _read(self, seconds: float) -> bytes | None:
        if not self._socket.poll(round(seconds * 1e3)):
            return None
        frames: list[bytes] = self._socket.recv_multipart(zmq.NOBLOCK)
        return frames[0] if len(frames) == 1 else b""

    def close(self) -> None:
        """Stop."""
        self._context.destroy(0)
