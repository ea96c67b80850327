"""The emulated cabinet's end of the cable: a real UDP socket.

In:  addresses.   Out: ``UdpPort``: datagrams to and from one client.
Not here: what they say (cabinet), the hand's bus (drivers.can_port).
"""

from __future__ import annotations

import socket

from h2s2r_hw.drivers.fri.messages import MAX_DATAGRAM

Address = tuple[str, int]


class UdpPort:
    """The cabinet's UDP socket; what others than its client send is counted and dropped.

    Args:
        own: where it listens; port 0 for any.
        client: where the client listens. It must answer from there, as KUKA's does.
    """

    def __init__(self, own: Address, client: Address) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(own)
        self._stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client = (socket.gethostbyname(client[0]), client[1])
        """Where datagrams go."""
        self._timeout = -1.0
        self.foreign = 0
        """Datagrams that came from somebody else."""

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def send(self, datagram: bytes) -> None:
        """To the client; if nobody listens there it is lost, as on a real cable."""
        self._socket.sendto(datagram, self.client)

    def forge(self, datagram: bytes) -> None:
        """To the client, from another socket."""
        self._stranger.sendto(datagram, self.client)

    def read(self, seconds: float) -> bytes | None:
        """The next datagram of the client; None if none comes within so many seconds."""
        if seconds != self._timeout:
            self._timeout = seconds
            self._socket.settimeout(max(seconds, 1e-6))
        while True:
            try:
                datagram, sender = self._socket.recvfrom(MAX_DATAGRAM + 1)
            except (TimeoutError, BlockingIOError, ConnectionError):
                # Nothing there, or nobody listens at the client's address yet.
                return None
            if sender == self.client:
                return datagram
            self.foreign += 1

    def close(self) -> None:
        """Close both sockets."""
        self._socket.close()
        self._stranger.close()
