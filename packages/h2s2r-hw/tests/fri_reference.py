"""FRI messages by stock protobuf, built from the table of fields and tags alone: the witness of our codec.

In:  a version.   Out: message classes ``Monitoring`` and ``Command`` of stock protobuf.
Not here: our codec, which must agree with it byte for byte.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import pytest

descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2", reason="stock protobuf is the witness here")

from google.protobuf import descriptor_pool, message_factory  # noqa: E402

#: Message: fields as "label type name tag"; r required, o optional, * repeated and not packed.
COMMON = {
    "Header": "r u32 messageIdentifier 1; r u32 sequenceCounter 2; r u32 reflectedSequenceCounter 3",
    "Joints": "* double value 1",
    "Time": "r u32 sec 1; r u32 nanosec 2",
    "RobotInfo": "o i32 numberOfJoints 1; o enum safetyState 2; * enum driveState 5; "
    "o enum operationMode 6; o enum controlMode 7",
    "ConnectionInfo": "r enum sessionState 1; r enum quality 2; o u32 sendPeriod 3; o u32 receiveMultiplier 4",
    "Checksum": "o i32 crc32 1",
    "End": "o i32 messageLength 1; o Checksum messageChecksum 2",
    "Request": "o text name 1; * double matrix 2; o Time timestamp 3",
    "Pose": "* double element 1",
    "Io": "o text name 1; o i32 kind 2",
    "CommandData": "o Joints jointPosition 1; o Joints cartesianWrenchFeedForward 2; o Joints jointTorque 3; "
    "* Request commandedTransformations 4; * Io writeIORequest 5{pose}",
    "Ipo": "o Joints jointPosition 1; o enum clientCommandMode 10; o enum overlayType 11; "
    "o double trackingPerformance 12{pose_ipo}",
    "MonitorData": "o Joints measuredJointPosition 1; o Joints measuredTorque 2; {commanded}o Joints commandedTorque 4; "
    "o Joints externalTorque 5; * Io readIORequest 8; o Time timestamp 15{pose_monitor}",
    "Monitoring": "r Header header 1; o RobotInfo robotInfo 2; o MonitorData monitorData 3; o ConnectionInfo connectionInfo 4; "
    "o Ipo ipoData 5; * Request requestedTransformations 6{end}",
    "Command": "r Header header 1; o CommandData commandData 2{end}",
}
OLD = {
    "pose": "",
    "pose_ipo": "",
    "pose_monitor": "",
    "end": "; o End endOfMessageData 15",
    "commanded": "o Joints commandedJointPosition 3; ",
}
NEW = {
    "pose": "; o Pose cartesianPose 6; o double redundancyInformation 7",
    "pose_ipo": "; o Pose cartesianPose 2; o double redundancy 3",
    "pose_monitor": "; o Pose measuredCartesianPose 9; o double measuredRedundancy 10",
    "end": "",
    "commanded": "",
}
_LABEL = {"r": 2, "o": 1, "*": 3}
# An enumeration stands on the wire as a 32-bit number does.
_TYPE = {"double": 1, "i32": 5, "enum": 5, "u32": 13, "text": 9}


@dataclass(frozen=True)
class Reference:
    """Classes of stock protobuf for one version."""

    Monitoring: Any
    Command: Any


def _build(name: str, fills: dict[str, str]) -> Reference:
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=name, syntax="proto2")
    for message, fields in COMMON.items():
        made = file.message_type.add(name=message)
        for line in fields.format(**fills).split("; "):
            label, kind, field, tag = line.split()
            added = made.field.add(name=field, number=int(tag), label=_LABEL[label])
            if kind in _TYPE:
                added.type = _TYPE[kind]
            else:
                added.type, added.type_name = 11, f".{name}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    one = [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{name}.{each}"))
        for each in ("Monitoring", "Command")
    ]
    return Reference(*one)


REFERENCE = {"1.15": _build("fri_old", OLD), "2.5": _build("fri_middle", NEW), "2.7": _build("fri_new", NEW)}


def frame(payload: bytes, version: str) -> bytes:
    """2.7 writes the length in front and the CRC-32 behind, both little-endian."""
    if version != "2.7":
        return payload
    return struct.pack("<I", len(payload)) + payload + struct.pack("<I", zlib.crc32(payload))


def unframe(datagram: bytes, version: str) -> bytes:
    """The payload, after its frame was checked."""
    if version != "2.7":
        return datagram
    payload = datagram[4:-4]
    assert struct.unpack("<I", datagram[:4])[0] == len(payload)
    assert struct.unpack("<I", datagram[-4:])[0] == zlib.crc32(payload)
    return payload
