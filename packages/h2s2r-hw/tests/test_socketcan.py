"""Frames that go past python-can's messages are the same bytes, and a port on a socket behaves as one on a bus.

In:  frames.   Out: the bytes that python-can would send, the frames that it would read.
Not here: a real controller.
"""

from __future__ import annotations

import random
import socket
import struct

import can
import pytest
from can.interfaces.socketcan.socketcan import build_can_frame, dissect_can_frame

from h2s2r_hw.drivers.allegro import Frame, request_info, zero_torques
from h2s2r_hw.drivers.socketcan import SocketCanPort, pack_frame, unpack_frame


def by_python_can(frame: Frame) -> bytes:
    message = can.Message(
        arbitration_id=frame.identifier, data=frame.data, is_extended_id=False, is_remote_frame=frame.remote
    )
    data = bytearray(build_can_frame(message))
    # Its length once more, of which the kernel takes notice from nine bytes on, so never here.
    data[7] = 0
    return bytes(data)


def test_bytes_are_those_of_python_can():
    rng = random.Random(1)
    frames = [Frame(rng.randrange(0x800), rng.randbytes(length)) for length in range(9) for _ in range(20)]
    for frame in (*frames, *zero_torques(), request_info()):
        data = pack_frame(frame)
        assert data == by_python_can(frame)
        assert unpack_frame(data) == frame
        identifier, length, _, payload = dissect_can_frame(data)
        assert (identifier & 0x7FF, bytes(payload[:length])) == (frame.identifier, frame.data)


def test_error_reports_and_extended_identifiers():
    assert unpack_frame(pack_frame(Frame(0x40, bytes(8), error=True))) == Frame(0x40, bytes(8), error=True)
    assert unpack_frame(struct.pack("=IB3x8s", 0x9234_5678, 2, b"ab")) == Frame(0x1234_5678, b"ab")


@pytest.mark.parametrize("data", [b"", b"short", bytes(15), bytes(72)])
def test_what_is_no_frame_is_none(data):
    assert unpack_frame(data) is None


def test_a_port_reads_what_came_and_waits_no_longer_than_told():
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    port, other = SocketCanPort(None, here), SocketCanPort(None, there)
    assert port.read(0.0) is None and port.read(-1.0) is None and port.read(0.001) is None
    for frame in zero_torques():
        other.send(frame)
    assert [port.read(1.0) for _ in range(4)] == zero_torques()
    assert port.read(0.0) is None
    other.close()
    with pytest.raises(OSError):
        port.send(zero_torques()[0])
    port.close()
