"""Somebody on the line between a client and the server who changes what passes.

In:  the server's address.   Out: ``Line``: another address that leads there, and a switch.
Not here: what must come of it (cases.message).
"""

from __future__ import annotations

import contextlib
import socket
import threading

_READ = 65_536
#: [s] between two looks whether it is over.
_LOOK = 0.05


class Line:
    """A relay between two sockets in the file system. Use it in a ``with``.

    Args:
        server: ``ipc://`` address of the server.
        address: ``ipc://`` address at which the relay listens, one connection after the other.
    """

    def __init__(self, server: str, address: str) -> None:
        self.address, self._server = address, server.removeprefix("ipc://")
        self.changes = False
        """Whether one bit of whatever a client sends is changed."""
        self.changed = 0
        """Pieces that were."""
        self._open: list[socket.socket] = []
        self._ended = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address.removeprefix("ipc://"))
        self._listener.listen()
        self._listener.settimeout(_LOOK)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self._ended:
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self._open += [client, server]
                server.connect(self._server)
                for source, sink, outward in ((client, server, True), (server, client, False)):
                    self._threads.append(threading.Thread(target=self._pass, args=(source, sink, outward), daemon=True))
                    self._threads[-1].start()

    def _pass(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        """Everything, until one end closes; then the other one is closed too."""
        with contextlib.suppress(OSError):
            while data := source.recv(_READ):
                sink.sendall(self._change(data) if outward and self.changes else data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _change(self, data: bytes) -> bytes:
        """One bit in the middle: of the message, not of the head of its frame."""
        self.changed += 1
        changed = bytearray(data)
        changed[len(changed) // 2] ^= 0x10
        return bytes(changed)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = True
        self._threads[0].join()
        for each in self._open:
            # Who waits for bytes wakes up by a shutdown, not by a close.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._open):
            each.close()
