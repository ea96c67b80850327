"""One end of a python-can bus, with the frames of ``drivers.allegro``.

In:  frames.   Out: frames of all others on the bus.
Not here: what they say (allegro).
"""

from __future__ import annotations

import itertools
import os

import can

from h2s2r_hw.drivers.allegro import Frame

_NUMBERS = itertools.count()


class CanPort:
    """One end. ``udp_multicast`` hands a sender its own frames, which no CAN controller does; they are passed over here."""

    def __init__(self, bus: can.BusABC) -> None:
        self._bus = bus
        # Travels with each frame where the bus is emulated; on a real one only identifier and data do.
        self._own = f"{os.getpid()}.{next(_NUMBERS)}"

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
        while True:
            message = self._bus.recv(seconds)
            if message is None:
                return None
            if message.channel != self._own:
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
    """
    if interface == "udp_multicast":
        return can.Bus(interface=interface, channel=channel, port=port, hop_limit=0)
    return can.Bus(interface=interface, channel=channel)
