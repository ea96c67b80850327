"""Names and numbers of the FRI: versions, states, modes.

In:  nothing.   Out: enumerations with the numbers that stand on the wire.
Not here: bytes (protobuf, monitoring, command).
"""

from __future__ import annotations

from enum import Enum, IntEnum

from h2s2r_schemas.errors import SchemaError

NUM_JOINTS = 7
#: Joints of the arm in the order of every array on the wire, base first; the names are those of the robot's URDF.
JOINT_NAMES = tuple(f"iiwa14_joint_{number}" for number in range(1, NUM_JOINTS + 1))

#: Identifier of messages from the cabinet and from the client; the same from FRI 1.11 to 2.7.
MONITORING_ID, COMMAND_ID = 0x245142, 0x34001

#: [bytes] buffers of both ends; no datagram is larger.
MAX_DATAGRAM = 1500


class DatagramError(SchemaError):
    """A datagram is not what the configured FRI version sends. Whoever receives datagrams counts these and goes on."""


class FriVersion(Enum):
    """Generation of the wire format. 1.14, 1.15 and 1.16 are one; it is configured, never guessed."""

    V1_15 = "1.15"
    V2_5 = "2.5"
    V2_7 = "2.7"

    @property
    def framed(self) -> bool:
        """Whether length and CRC-32 stand around the payload."""
        return self is FriVersion.V2_7

    @property
    def commanded_pos_in_monitoring(self) -> bool:
        """Whether monitoring messages have ``commandedJointPosition``."""
        return self is FriVersion.V1_15

    @property
    def joint_pos_while_monitoring(self) -> bool:
        """Whether clients of this generation send a joint position in monitoring states too; later ones send a header."""
        return self is FriVersion.V1_15


class SessionState(IntEnum):
    """Where a session stands."""

    IDLE = 0
    MONITORING_WAIT = 1
    MONITORING_READY = 2
    COMMANDING_WAIT = 3
    COMMANDING_ACTIVE = 4


class Quality(IntEnum):
    """Of the connection, as the cabinet judges it; commanding needs at least GOOD."""

    POOR = 0
    FAIR = 1
    GOOD = 2
    EXCELLENT = 3


class SafetyState(IntEnum):
    """What the safety controller asks for."""

    NORMAL_OPERATION = 0
    SAFETY_STOP_LEVEL_0 = 1
    SAFETY_STOP_LEVEL_1 = 2
    SAFETY_STOP_LEVEL_2 = 3


class OperationMode(IntEnum):
    """Chosen with the key on the pendant."""

    T1 = 0
    T2 = 1
    AUT = 2


class DriveState(IntEnum):
    """Of one joint."""

    OFF = 0
    TRANSITIONING = 1
    ACTIVE = 2


class ControlMode(IntEnum):
    """How the cabinet controls the arm."""

    POSITION = 0
    CARTESIAN_IMPEDANCE = 1
    JOINT_IMPEDANCE = 2
    NONE = 3


class ClientCommandMode(IntEnum):
    """What the client commands. 2.x calls POSITION by the name JOINT_POSITION, and adds CARTESIAN_POSE."""

    NONE = 0
    POSITION = 1
    WRENCH = 2
    TORQUE = 3
    CARTESIAN_POSE = 4


class Overlay(IntEnum):
    """What the client's motion is added to."""

    NONE = 0
    JOINT = 1
    CARTESIAN = 2
