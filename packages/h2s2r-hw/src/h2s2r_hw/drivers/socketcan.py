"""One end of a SocketCAN bus for a hot loop: frames go straight through the socket.

In:  a socket that python-can has opened.   Out: ``SocketCanPort``, a ``CanPort``.
Not here: other interfaces (can_port), what frames say (allegro).

python-can is made for all buses: each of its messages is checked, formatted for a log and waited for. That took 14 µs to send
and 12 µs to receive where the system calls and this take 2 and 3 (one core, EPYC): for the eight frames of a hand's tick, 100 µs.
"""

from __future__ import annotations

import select
import socket
import struct
from typing import Any

import can

from h2s2r_hw.drivers.allegro import Frame
from h2s2r_hw.drivers.can_port import CanPort, open_bus

#: ``struct can_frame`` of linux/can.h: identifier with flags, length, three bytes of nothing, eight of data.
FRAME = struct.Struct("=IB3x8s")
_EXTENDED, _REMOTE, _ERROR = 0x8000_0000, 0x4000_0000, 0x2000_0000
_STANDARD, _LONG = 0x7FF, 0x1FFF_FFFF


class SocketCanPort(CanPort):
    """Reads and writes ``struct can_frame``.

    Args:
        bus: python-can's, of the kind ``socketcan``; closed with this port. None in tests and benchmarks.
        end: its socket, or any that carries whole messages.
    """

    def __init__(self, bus: can.BusABC | None, end: socket.socket) -> None:
        if bus is not None:
            super().__init__(bus)
        self._shutdown = end.close if bus is None else bus.shutdown
        end.setblocking(False)
        self._take, self._put = end.recv, end.send
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)

    def send(self, frame: Frame) -> None:
        """Onto the bus.

        Raises:
            OSError: the controller does not take it.
        """
        self._put(pack_frame(frame))

    def read(self, seconds: float) -> Frame | None:
        """The next frame of anybody else, or error report of the controller; None if none comes within so many seconds.

        Raises:
            can.CanOperationError: the interface is gone.
        """
        if not self._poll.poll(min(1e9, 1e3 * max(0.0, seconds))):
            return None
        try:
            return unpack_frame(self._take(FRAME.size))
        except BlockingIOError:
            return None
        except OSError as error:
            raise can.CanOperationError(f"The CAN bus cannot be read: {error.strerror}.", error.errno) from error

    def close(self) -> None:
        """Leave the bus."""
        self._shutdown()


def pack_frame(frame: Frame) -> bytes:
    """Sixteen bytes as SocketCAN takes them."""
    identifier, data, remote, error = frame
    if remote or error:
        identifier |= _REMOTE * remote | _ERROR * error
    return FRAME.pack(identifier, len(data), data)


def unpack_frame(data: bytes) -> Frame | None:
    """A frame from sixteen bytes; None for anything else."""
    if len(data) != FRAME.size:
        return None
    identifier, length, payload = FRAME.unpack(data)
    if identifier <= _STANDARD and length == 8:
        return Frame._make((identifier, payload, False, False))
    number = identifier & (_LONG if identifier & _EXTENDED else _STANDARD)
    return Frame(number, payload[: min(length, 8)], bool(identifier & _REMOTE), bool(identifier & _ERROR))


def open_port(interface: str, channel: str) -> CanPort:
    """A bus of python-can, past whose messages frames go where it is SocketCAN.

    Raises:
        H2S2RError: it cannot be opened.
    """
    bus: Any = open_bus(interface, channel)
    return SocketCanPort(bus, bus.socket) if interface == "socketcan" else CanPort(bus)
