"""The emulated cell's real ends of cable and bus.

In:  addresses.   Out: ``UdpPort`` and ``CanPort``: bytes and frames on real sockets and python-can buses.
Not here: what they carry (cabinet, hand).
"""

from __future__ import annotations

import socket

import can

from h2s2r_hw.drivers.allegro import Frame
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


class CanPort:
    """The hand's end of a python-can bus."""

    def __init__(self, bus: can.BusABC) -> None:
        self._bus = bus

    @property
    def bus(self) -> can.BusABC:
        """The bus."""
        return self._bus

    def send(self, frame: Frame, error: bool = False) -> None:
        """Onto the bus; ``error`` for what a controller would report instead of a frame."""
        message = can.Message(
            arbitration_id=frame.identifier,
            data=frame.data,
            is_extended_id=False,
            is_remote_frame=frame.remote,
            is_error_frame=error,
            check=False,
        )
        self._bus.send(message)

    def read(self, seconds: float) -> Frame | None:
        """The next frame of anybody else; None if none comes within so many seconds."""
        message = self._bus.recv(seconds)
        if message is None:
            return None
        return Frame(message.arbitration_id, bytes(message.data), message.is_remote_frame)

    def close(self) -> None:
        """Leave the bus."""
        self._bus.shutdown()


def open_bus(interface: str, channel: str, port: int = 43113) -> can.BusABC:
    """A python-can bus on this machine: ``virtual`` within a process, ``udp_multicast`` between processes."""
    if interface == "udp_multicast":
        return can.Bus(interface=interface, channel=channel, port=port, hop_limit=0)
    return can.Bus(interface=interface, channel=channel)
