"""Our FRI codec and stock protobuf agree byte for byte, and a datagram that is not one is refused.

In:  random values.   Out: the same bytes and the same values from both.
Not here: sessions (test_cabinet), what a codec costs (`h2s2r bench cell`).
"""

from __future__ import annotations

import math
import random
import struct
import zlib

import pytest
from fri_reference import REFERENCE, frame, unframe

from h2s2r_hw.drivers.fri import (
    ClientCommandMode,
    CommandMessage,
    ControlMode,
    DatagramError,
    DriveState,
    FriVersion,
    MonitoringMessage,
    OperationMode,
    Overlay,
    Quality,
    SafetyState,
    SessionState,
    decode_command,
    decode_monitoring,
    encode_command,
    encode_monitoring,
)

VERSIONS = pytest.mark.parametrize("version", list(FriVersion), ids=lambda version: version.value)


def joints(rng: random.Random) -> tuple[float, ...]:
    return tuple(rng.uniform(-3.0, 3.0) for _ in range(7))


def monitoring(rng: random.Random, version: FriVersion, commanding: bool) -> MonitoringMessage:
    return MonitoringMessage(
        sequence=rng.choice([0, 127, 128, 20_000, 2**32 - 1]),
        reflected_sequence=rng.choice([0, 1, 300, 2**31]),
        session_state=rng.choice(list(SessionState)),
        quality=rng.choice(list(Quality)),
        send_period_ms=rng.randint(1, 200),
        receive_multiplier=rng.randint(1, 5),
        num_joints=rng.choice([6, 7]),
        safety_state=rng.choice(list(SafetyState)),
        operation_mode=rng.choice(list(OperationMode)),
        control_mode=rng.choice(list(ControlMode)),
        drive_states=tuple(rng.choice(list(DriveState)) for _ in range(7)),
        measured_joint_pos=joints(rng),
        measured_torque=joints(rng),
        commanded_joint_pos=joints(rng) if version is FriVersion.V1_15 else (),
        commanded_torque=joints(rng),
        external_torque=joints(rng),
        time_ns=rng.choice([1_700_000_000_000_000_000, 5, 123_456_789, 4_000_000_000 * 10**9 + 999_999_999]),
        ipo_joint_pos=joints(rng) if commanding else (),
        client_command_mode=rng.choice(list(ClientCommandMode)) if commanding else ClientCommandMode.NONE,
        overlay=rng.choice(list(Overlay)) if commanding else Overlay.NONE,
        tracking_performance=rng.random() if commanding else 0.0,
    )


def by_protobuf(message: MonitoringMessage, version: FriVersion):
    """The same message, filled field by field."""
    made = REFERENCE[version.value].Monitoring()
    made.header.messageIdentifier = 0x245142
    made.header.sequenceCounter, made.header.reflectedSequenceCounter = message.sequence, message.reflected_sequence
    made.robotInfo.numberOfJoints, made.robotInfo.safetyState = message.num_joints, message.safety_state
    made.robotInfo.driveState.extend(message.drive_states)
    made.robotInfo.operationMode, made.robotInfo.controlMode = message.operation_mode, message.control_mode
    data = made.monitorData
    data.measuredJointPosition.value.extend(message.measured_joint_pos)
    data.measuredTorque.value.extend(message.measured_torque)
    if message.commanded_joint_pos:
        data.commandedJointPosition.value.extend(message.commanded_joint_pos)
    data.commandedTorque.value.extend(message.commanded_torque)
    data.externalTorque.value.extend(message.external_torque)
    data.timestamp.sec, data.timestamp.nanosec = divmod(message.time_ns, 10**9)
    info = made.connectionInfo
    info.sessionState, info.quality = message.session_state, message.quality
    info.sendPeriod, info.receiveMultiplier = message.send_period_ms, message.receive_multiplier
    if message.ipo_joint_pos:
        made.ipoData.jointPosition.value.extend(message.ipo_joint_pos)
        made.ipoData.clientCommandMode, made.ipoData.overlayType = message.client_command_mode, message.overlay
        made.ipoData.trackingPerformance = message.tracking_performance
    return made


@VERSIONS
@pytest.mark.parametrize("commanding", [False, True])
def test_monitoring_messages_are_those_of_stock_protobuf(version, commanding):
    rng = random.Random(1)
    for _ in range(50):
        message = monitoring(rng, version, commanding)
        datagram = frame(by_protobuf(message, version).SerializeToString(), version.value)
        assert encode_monitoring(message, version) == datagram
        assert decode_monitoring(datagram, version) == message


@VERSIONS
@pytest.mark.parametrize("parts", ["", "p", "pt", "pw", "ptw"])
def test_command_messages_are_those_of_stock_protobuf(version, parts):
    rng = random.Random(2)
    for _ in range(20):
        made = REFERENCE[version.value].Command()
        sequence, reflected = rng.randint(0, 2**32 - 1), rng.randint(0, 300)
        made.header.messageIdentifier = 0x34001
        made.header.sequenceCounter, made.header.reflectedSequenceCounter = sequence, reflected
        values = {name: joints(rng)[: 6 if name == "w" else 7] for name in parts}
        for name, field in (("p", "jointPosition"), ("w", "cartesianWrenchFeedForward"), ("t", "jointTorque")):
            if name in values:
                getattr(made.commandData, field).value.extend(values[name])
        command = CommandMessage(sequence, reflected, values.get("p"), values.get("t"), values.get("w"))
        datagram = frame(made.SerializeToString(), version.value)
        assert encode_command(command, version) == datagram
        assert decode_command(datagram, version) == command


def test_sizes_are_those_that_clients_of_the_vendor_were_seen_to_send():
    position = CommandMessage(100, 100, (0.1,) * 7)
    assert 77 <= len(encode_command(position, FriVersion.V1_15)) <= 79
    assert len(encode_command(position._replace(joint_torque=(0.0,) * 7), FriVersion.V1_15)) in range(143, 147)
    assert len(encode_command(position._replace(sequence=300, reflected_sequence=300), FriVersion.V2_7)) == 87
    assert 18 <= len(encode_command(CommandMessage(0, 5), FriVersion.V2_7)) <= 20
    message = monitoring(random.Random(0), FriVersion.V1_15, commanding=True)._replace(
        sequence=200, reflected_sequence=200
    )
    commanding = len(encode_monitoring(message, FriVersion.V1_15))
    assert commanding - len(encode_monitoring(message._replace(ipo_joint_pos=()), FriVersion.V1_15)) == 80


@VERSIONS
def test_what_it_does_not_know_is_passed_over_in_any_order(version):
    message = monitoring(random.Random(3), version, commanding=True)
    made = by_protobuf(message, version)
    made.requestedTransformations.add(name="flange", matrix=[1.0] * 12)
    made.monitorData.readIORequest.add(name="gripper", kind=1)
    if version is not FriVersion.V1_15:
        made.monitorData.measuredCartesianPose.element.extend([0.0] * 7)
        made.ipoData.cartesianPose.element.extend([0.0] * 7)
    unknown = b"\xa0\x06\x2a" + b"\xaa\x06\x03abc" + b"\xa1\x06" + bytes(8) + b"\xa5\x06" + bytes(4)
    payload = unknown + made.SerializeToString() + unknown
    assert decode_monitoring(frame(payload, version.value), version) == message
    assert REFERENCE[version.value].Monitoring.FromString(payload) is not None


def test_fields_in_another_order_and_packed_are_read():
    version = FriVersion.V1_15
    message = monitoring(random.Random(4), version, commanding=True)
    parts = split(encode_monitoring(message, version))
    backwards = b"".join(reversed(parts))
    assert decode_monitoring(backwards, version) == message
    drives = b"\x2a\x07" + bytes(message.drive_states)
    info = bytes((0x38, message.control_mode, 0x30, message.operation_mode)) + drives
    info += bytes((0x10, message.safety_state, 0x08, message.num_joints))
    vector = b"\x0a\x38" + struct.pack("<7d", *message.measured_joint_pos)
    monitor = parts[2][3:].replace(
        b"\x0a\x3f" + b"".join(b"\x09" + struct.pack("<d", q) for q in message.measured_joint_pos), b""
    )
    monitor += b"\x0a\x3a" + vector
    repacked = parts[0] + b"\x12" + bytes((len(info),)) + info
    repacked += b"\x1a" + bytes((len(monitor) & 127 | 128, len(monitor) >> 7)) + monitor + parts[3] + parts[4]
    assert REFERENCE["1.15"].Monitoring.FromString(repacked).SerializeToString() == encode_monitoring(message, version)
    assert decode_monitoring(repacked, version) == message


def split(payload: bytes) -> list[bytes]:
    """The parts of a message, each with its tag and length."""
    parts, at = [], 0
    while at < len(payload):
        size, used = payload[at + 1], 2
        if size > 127:
            size, used = (size & 127) | payload[at + 2] << 7, 3
        parts.append(payload[at : at + used + size])
        at += used + size
    return parts


def test_another_number_of_joints_is_read_as_it_is():
    message = monitoring(random.Random(5), FriVersion.V1_15, commanding=False)._replace(
        num_joints=6, measured_joint_pos=(0.5,) * 6
    )
    assert decode_monitoring(encode_monitoring(message, FriVersion.V1_15), FriVersion.V1_15) == message


@VERSIONS
def test_values_that_are_no_numbers_pass_for_whoever_checks_them(version):
    got = decode_command(encode_command(CommandMessage(1, 1, (math.nan, math.inf) + (0.0,) * 5), version), version)
    assert math.isnan(got.joint_pos[0]) and math.isinf(got.joint_pos[1])


@VERSIONS
def test_every_cut_and_every_flipped_bit_is_refused_or_read_and_never_crashes(version):
    message = monitoring(random.Random(6), version, commanding=True)
    datagram = encode_monitoring(message, version)
    # Only a cut between two parts leaves a message, and only where the session state is still in it.
    whole = sum(len(each) for each in split(unframe(datagram, version.value))[:4])
    for length in range(len(datagram)):
        if length == whole and not version.framed:
            assert decode_monitoring(datagram[:length], version).ipo_joint_pos == ()
        else:
            with pytest.raises(DatagramError):
                decode_monitoring(datagram[:length], version)
    for bit in range(8 * len(datagram)):
        flipped = bytearray(datagram)
        flipped[bit // 8] ^= 1 << bit % 8
        if version.framed:
            with pytest.raises(DatagramError):
                decode_monitoring(bytes(flipped), version)
        else:
            try:
                decode_monitoring(bytes(flipped), version)
            except DatagramError:
                continue


@pytest.mark.parametrize(("sent", "expected"), [("1.15", "2.7"), ("2.7", "1.15"), ("1.15", "2.5"), ("2.5", "2.7")])
def test_the_first_datagram_of_another_version_is_refused(sent, expected):
    datagram = encode_monitoring(monitoring(random.Random(7), FriVersion(sent), False), FriVersion(sent))
    with pytest.raises(DatagramError):
        decode_monitoring(datagram, FriVersion(expected))


@VERSIONS
def test_a_message_of_the_other_direction_or_without_what_it_needs_is_refused(version):
    message = monitoring(random.Random(8), version, commanding=False)
    with pytest.raises(DatagramError, match="identifier"):
        decode_monitoring(encode_monitoring(message, version, identifier=0x245143), version)
    with pytest.raises(DatagramError, match="identifier"):
        decode_monitoring(encode_command(CommandMessage(1, 1, (0.0,) * 7), version), version)
    with pytest.raises(DatagramError, match="identifier"):
        decode_command(encode_monitoring(message, version), version)
    with pytest.raises(DatagramError, match="no header"):
        decode_command(frame(b"", version.value), version)
    made = by_protobuf(message, version)
    made.ClearField("connectionInfo")
    with pytest.raises(DatagramError, match="session state"):
        decode_monitoring(frame(made.SerializeToString(), version.value), version)
    made = by_protobuf(message, version)
    made.connectionInfo.sessionState = 9
    with pytest.raises(DatagramError, match="enumerator 9"):
        decode_monitoring(frame(made.SerializeToString(), version.value), version)


def test_a_frame_whose_length_or_checksum_lies_is_refused():
    payload = unframe(encode_command(CommandMessage(1, 1), FriVersion.V2_7), "2.7")
    crc = struct.pack("<I", zlib.crc32(payload))
    for forged in (struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", len(payload) + 1)):
        with pytest.raises(DatagramError, match="length"):
            decode_command(forged + payload + crc, FriVersion.V2_7)
    with pytest.raises(DatagramError, match="CRC"):
        decode_command(struct.pack("<I", len(payload)) + payload + b"\0\0\0\0", FriVersion.V2_7)
    with pytest.raises(DatagramError, match="larger"):
        decode_command(bytes(1501), FriVersion.V1_15)
