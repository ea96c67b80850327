"""A decoder that has learned the shape of messages reads what the careful one reads, and refuses what it refuses.

In:  random messages, cut and flipped ones.   Out: the same values and the same refusals from both.
Not here: whether those values are right (test_fri_codec).
"""

from __future__ import annotations

import random

import pytest
from test_fri_codec import VERSIONS, monitoring

from h2s2r_hw.drivers.fri import DatagramError, FriVersion, MonitoringMessage, decode_monitoring, encode_monitoring
from h2s2r_hw.drivers.fri.decoder import MonitoringDecoder
from h2s2r_hw.drivers.fri.layout import learn, number
from h2s2r_hw.drivers.fri.protobuf import varint


def careful(datagram: bytes, version: FriVersion) -> MonitoringMessage | None:
    try:
        return decode_monitoring(datagram, version)
    except DatagramError:
        return None


def quick(decoder: MonitoringDecoder, datagram: bytes) -> MonitoringMessage | None:
    try:
        return decoder.decode(datagram)
    except DatagramError:
        return None


@VERSIONS
def test_whatever_came_before_the_values_are_those_of_the_message(version):
    rng, decoder = random.Random(1), MonitoringDecoder(version)
    for sequence in (*range(0, 300, 7), 16_383, 16_384, 2_097_151, 2_097_152, 2**31, 2**32 - 1):
        for commanding in (False, True, True):
            message = monitoring(rng, version, commanding)._replace(
                sequence=sequence, reflected_sequence=rng.randrange(2**32), time_ns=rng.randrange(2**61)
            )
            assert decoder.decode(encode_monitoring(message, version)) == message


@VERSIONS
def test_flipped_bits_are_read_or_refused_as_by_the_careful_one(version):
    rng, decoder = random.Random(2), MonitoringDecoder(version)
    payload = encode_monitoring(monitoring(rng, version, True), FriVersion.V1_15 if not version.framed else version)
    datagram = encode_monitoring(monitoring(rng, version, True), version)
    decoder.decode(datagram)
    assert learn(payload if not version.framed else payload[4:-4], version) is not None or version != FriVersion.V1_15
    for at in range(len(datagram)):
        flipped = bytearray(datagram)
        flipped[at] ^= 1 << rng.randrange(8)
        expected, found = careful(bytes(flipped), version), quick(decoder, bytes(flipped))
        assert repr(found) == repr(expected)
        decoder.decode(datagram)
        assert quick(decoder, datagram[:at]) == careful(datagram[:at], version)


def test_a_message_in_another_order_teaches_nothing():
    message = encode_monitoring(monitoring(random.Random(3), FriVersion.V2_5, True), FriVersion.V2_5)
    assert learn(message, FriVersion.V2_5) is not None
    assert learn(message, FriVersion.V1_15) is None
    for cut in range(len(message)):
        assert learn(message[:cut], FriVersion.V2_5) is None or cut in whole(message)


def whole(message: bytes) -> tuple[int, ...]:
    """Where a message may end: before the cabinet's own motion, which is not in all of them."""
    return tuple(at for at in range(len(message)) if message[at : at + 1] == b"\x2a")


def test_numbers_are_those_of_varints():
    rng = random.Random(4)
    for bits in range(35):
        value = rng.randrange(1 << bits, 2 << bits)
        assert number(varint(value)) == value
    assert number(b"\x00") == 0


def test_shapes_that_never_come_again_are_forgotten():
    decoder, rng = MonitoringDecoder(FriVersion.V1_15), random.Random(5)
    for count in range(1, 100):
        message = monitoring(rng, FriVersion.V1_15, False)
        message = message._replace(num_joints=count, drive_states=message.drive_states[:1] * (count % 50 + 1))
        assert decoder.decode(encode_monitoring(message, FriVersion.V1_15)) == message
    assert 0 < len(decoder._layouts) <= 32


def test_an_unknown_enumerator_is_refused_however_often():
    version = FriVersion.V1_15
    datagram = encode_monitoring(monitoring(random.Random(6), version, True), version)
    decoder = MonitoringDecoder(version)
    decoder.decode(datagram)
    at = datagram.rindex(b"\x50") + 1
    wrong = datagram[:at] + b"\x0b" + datagram[at + 1 :]
    assert careful(wrong, version) is None
    for _ in range(3):
        with pytest.raises(DatagramError, match="enumerator"):
            decoder.decode(wrong)
