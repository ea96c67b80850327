"""One end of a python-can bus, with the frames of ``drivers.allegro``.

In:  frames.   Out: frames of all others on the bus.
Not here: what they say (allegro).
"""

from __future__ import annotations

import itertools
import os
import socket
import sys

import can
from can.interfaces.udp_multicast.bus import UdpMulticastBus
from can.interfaces.udp_multicast.utils import unpack_message

from h2s2r_hw.drivers.allegro import Frame
from h2s2r_schemas.errors import H2S2RError

_NUMBERS = itertools.count()
#: Of Linux, ip(7), which Python does not name.
_IP_MULTICAST_ALL = 49


class _MulticastBus(UdpMulticastBus):
    """python-can's bus, but without a sender's own frames, which no CAN controller hands back."""

    def __init__(self, channel: str, port: int) -> None:
        # Kept from leaving this machine.
        super().__init__(channel, port=port, hop_limit=0)
        # Otherwise Linux hands over what is sent to the groups of all other processes on this port too: other cells.
        with socket.socket(fileno=os.dup(self.fileno())) as same:
            if same.family == socket.AF_INET and sys.platform == "linux":
                same.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        # What came before.
        while self._multicast.recv(0.0) is not None:
            pass
        self.own = f"h2s2r {os.getpid()} {next(_NUMBERS)}"
        """Travels with each frame as its channel."""
        self._mark = self.own.encode()

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        received = self._multicast.recv(timeout)
        if received is None or self._mark in received[0]:
            return None, False
        return unpack_message(received[0], replace={"timestamp": received[2]}), False


class CanPort:
    """One end of a bus."""

    def __init__(self, bus: can.BusABC) -> None:
        self._bus = bus
        self._own = bus.own if isinstance(bus, _MulticastBus) else None

    @property
    def bus(self) -> can.BusABC:
        """The bus."""
        return self._bus

    def send(self, frame: Frame) -> None:
        """Onto the bus."""
        self._bus.send(
            can.Message(
                arbitration_id=frame.identifier,
                data=frame.data,
                is_extended_id=False,
                is_remote_frame=frame.remote,
                is_error_frame=frame.error,
                channel=self._own,
            )
        )

    def read(self, seconds: float) -> Frame | None:
        """The next frame of anybody else, or error report of the controller; None if none comes within so many seconds."""
        message = self._bus.recv(seconds)
        if message is None:
            return None
        identifier, data = message.arbitration_id, bytes(message.data)
        return Frame(identifier, data, message.is_remote_frame, message.is_error_frame)

    def close(self) -> None:
        """Leave the bus."""
        self._bus.shutdown()


def open_bus(interface: str, channel: str, port: int = 43113) -> can.BusABC:
    """A python-can bus: ``virtual`` within a process, ``udp_multicast`` between processes of one machine, ``socketcan``.

    Args:
        interface: python-can's name of it.
        channel: which one.
        port: UDP port of ``udp_multicast``, which is kept from leaving this machine.

    Raises:
        H2S2RError: it cannot be opened.
    """
    try:
        if interface == "udp_multicast":
            return _MulticastBus(channel, port)
        return can.Bus(interface=interface, channel=channel)
    except (can.CanError, OSError, ValueError) as error:
        what = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise H2S2RError(
            f"The CAN bus {interface} {channel} cannot be opened ({what}): {_remedy(interface)}"
        ) from error


def _remedy(interface: str) -> str:
    if interface == "socketcan":
        return "plug the adapter in and bring it up, ip link set can0 up type can bitrate 1000000."
    if interface == "udp_multicast":
        return "it needs a route, ip route add 239.0.0.0/8 dev lo."
    return "python-can has to know this interface, and its adapter has to be there."
