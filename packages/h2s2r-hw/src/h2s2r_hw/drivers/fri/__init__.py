"""KUKA's Fast Robot Interface: one UDP datagram in, one out, in each period of the cabinet.

In:  values, or datagrams.   Out: datagrams, or values.
Not here: sockets, the state machine of a session, what to answer (server, emulators).

Written from the wire format alone (field tags and types), without KUKA's software.
"""

from h2s2r_hw.drivers.fri.command import CommandMessage, decode_command, encode_command
from h2s2r_hw.drivers.fri.messages import (
    JOINT_NAMES,
    NUM_JOINTS,
    ClientCommandMode,
    ControlMode,
    DatagramError,
    DriveState,
    FriVersion,
    OperationMode,
    Overlay,
    Quality,
    SafetyState,
    SessionState,
)
from h2s2r_hw.drivers.fri.monitoring import MonitoringMessage, decode_monitoring, encode_monitoring

__all__ = [
    "JOINT_NAMES",
    "NUM_JOINTS",
    "ClientCommandMode",
    "CommandMessage",
    "ControlMode",
    "DatagramError",
    "DriveState",
    "FriVersion",
    "MonitoringMessage",
    "OperationMode",
    "Overlay",
    "Quality",
    "SafetyState",
    "SessionState",
    "decode_command",
    "decode_monitoring",
    "encode_command",
    "encode_monitoring",
]
