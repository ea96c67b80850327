"""Messages between runner, robot server, camera and operator.

In:  what is asked, sent and measured now.   Out: ``Hello``, ``Request``, ``Reply``, ``RobotCommand``, ``RobotState``,
``ObjectState``, ``Fault``.
Not here: sockets (client, hw), logs of these over time (artifacts).

Times of the robot and of a client come from different monotonic clocks and are never compared directly. Joint arrays
are in the order of the ``RobotSpec`` whose hash the message carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec
from h2s2r_schemas.codec.message import Message, MessageSpec, field, message
from h2s2r_schemas.codec.specs import (
    BoolSpec,
    DataSpec,
    FloatSpec,
    IntSpec,
    MappingSpec,
    OptionalSpec,
    TextSpec,
)
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.se3 import SE3

#: States of the robot server, in the order in which they are reached.
SERVER_STATES = (
    "offline",
    "monitor",
    "ready",
    "arming",
    "hold",
    "track",
    "soft_stop",
    "homing",
    "fault",
    "estop",
)

REQUEST_KINDS = (
    "acquire_lease",
    "renew_lease",
    "release_lease",
    "arm",
    "disarm",
    "home",
    "estop",
    "reset_estop",
    "acknowledge_fault",
    "tighten_limits",
    "load_residual",
    "mark_log",
)

_HASH = TextSpec(empty=False, max_length=64)
_CODE = TextSpec(max_length=64)


@message("h2s2r.Hello", version=1)
class Hello(Message):
    """The first thing a robot says: who it is and what it accepts."""

    server: str = field(TextSpec(empty=False, max_length=128))
    """Software and version, e.g. ``"h2s2r-hw 0.1.0"``."""
    robot: RobotSpec = field(MessageSpec(RobotSpec))
    """Joints, limits and frames; its hash stands in every command and state."""
    emulated: bool = field(BoolSpec())
    """True where no hardware is behind it."""
    control_hz: float = field(FloatSpec(1.0, 1e4, "Hz"))
    """[Hz] of the arm's driver loop."""
    command_hz: np.ndarray = field(ArraySpec((2,), unit="Hz", minimum=0.0))
    """(2) [Hz] slowest and fastest stream of commands it follows."""
    lease_ttl: float = field(FloatSpec(0.0, 60.0, "s"))
    """[s] a lease lives without a valid command or a renewal."""
    max_message_bytes: int = field(IntSpec(1))
    """Largest message it reads."""


@message("h2s2r.Request", version=1)
class Request(Message):
    """Something asked of the robot server that gets a ``Reply``."""

    kind: str = field(TextSpec(REQUEST_KINDS))
    """What is asked."""
    sequence: int = field(IntSpec())
    """Number of this request in its session; the reply repeats it."""
    session: str = field(TextSpec(empty=False, max_length=64))
    """Random name of the client's session."""
    client_time: float = field(FloatSpec(unit="s"))
    """[s] on the client's monotonic clock."""
    lease_epoch: int = field(IntSpec(), default=0)
    """Epoch of the lease this request is made under; 0 for none."""
    lease_token: int = field(IntSpec(), default=0)
    """Secret of that lease; 0 for none."""
    arguments: Mapping[str, Any] = field(DataSpec(), default_factory=dict)
    """What the kind needs besides, e.g. ``{"ttl": 0.5}``."""


@message("h2s2r.Reply", version=1)
class Reply(Message):
    """The answer to a ``Request``: done, or refused with a reason and a remedy."""

    sequence: int = field(IntSpec())
    """The request's."""
    ok: bool = field(BoolSpec())
    """Whether it was done."""
    time: float = field(FloatSpec(unit="s"))
    """[s] on the robot's clock."""
    code: str = field(_CODE, default="")
    """Short stable name of the refusal; empty when ok."""
    cause: str = field(TextSpec(), default="")
    """What was wrong, with the value."""
    remedy: str = field(TextSpec(), default="")
    """What to do about it."""
    lease_epoch: int = field(IntSpec(), default=0)
    """Epoch of a lease just granted; 0 otherwise."""
    lease_token: int = field(IntSpec(), default=0)
    """Secret of a lease just granted; 0 otherwise."""

    def check(self) -> None:
        if self.ok == bool(self.code) or (not self.ok and not (self.cause and self.remedy)):
            raise SchemaError(
                f"A reply that is {'ok has no code' if self.ok else 'refused has a code, a cause and a remedy'}; "
                f"this one has code {self.code!r}, cause {self.cause!r}, remedy {self.remedy!r}."
            )


@message("h2s2r.Fault", version=1)
class Fault(Message):
    """Why the robot stopped; latched until an operator acknowledges it."""

    code: str = field(TextSpec(empty=False, max_length=64))
    """Short stable name, e.g. ``"fri_quality_lost"``."""
    cause: str = field(TextSpec(empty=False))
    """What happened, with the value."""
    remedy: str = field(TextSpec(empty=False))
    """What the operator does next."""
    time: float = field(FloatSpec(unit="s"))
    """[s] on the robot's clock."""
    snapshot: Mapping[str, Any] = field(DataSpec(), default_factory=dict)
    """What was measured at that moment."""


@message("h2s2r.RobotCommand", version=1)
class RobotCommand(Message):
    """Where the joints shall go next. The server refuses one that is old, foreign or out of order."""

    robot_hash: str = field(_HASH)
    """``RobotSpec.hash()`` of the robot whose joint order the arrays have."""
    lease_epoch: int = field(IntSpec(1))
    """Epoch of the lease held."""
    lease_token: int = field(IntSpec())
    """Secret of the lease held."""
    sequence: int = field(IntSpec())
    """Grows by one with each command; starts anew, anywhere, with each lease."""
    client_time: float = field(FloatSpec(unit="s"))
    """[s] on the client's monotonic clock when it was made."""
    joint_pos_target: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m for a sliding joint]."""
    joint_torque_feedforward: np.ndarray | None = field(OptionalSpec(ArraySpec(("J",), unit="N·m or N")), default=None)
    """(J) [N·m; N] added to the controller's own; none for none."""
    use_residual: bool = field(BoolSpec(), default=False)
    """Whether the bounded correction may act."""


@message("h2s2r.RobotState", version=1)
class RobotState(Message):
    """What the robot measures and does, at one instant of its own clock."""

    robot_hash: str = field(_HASH)
    """``RobotSpec.hash()`` of the robot whose joint order the arrays have."""
    sequence: int = field(IntSpec())
    """Grows by one with each state sent: a gap is a lost message."""
    time: float = field(FloatSpec(unit="s"))
    """[s] on the robot's monotonic clock. The runner acts on this time, not its own."""
    joint_pos: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m for a sliding joint] measured."""
    joint_vel: np.ndarray = field(ArraySpec(("J",), unit="rad/s or m/s"))
    """(J) [rad/s; m/s] measured or observed."""
    joint_torque: np.ndarray = field(ArraySpec(("J",), unit="N·m or N"))
    """(J) [N·m; N] measured."""
    joint_pos_target: np.ndarray = field(ArraySpec(("J",), unit="rad or m"))
    """(J) [rad; m] last sent to the drivers, after all limits."""
    server_state: str = field(TextSpec(SERVER_STATES))
    """One of ``SERVER_STATES``."""
    lease_epoch: int = field(IntSpec(), default=0)
    """Epoch of the current lease; 0 when free."""
    command_sequence: int = field(IntSpec(-1), default=-1)
    """Sequence of the last command accepted; -1 before the first of a lease."""
    command_age: float = field(FloatSpec(0.0, unit="s"), default=0.0)
    """[s] since that command was received."""
    clamped: int = field(IntSpec(), default=0)
    """How many joints' targets were limited in this step."""
    last_refusal: str = field(_CODE, default="")
    """Code of the last command refused; empty for none."""
    fault: Fault | None = field(OptionalSpec(MessageSpec(Fault)), default=None)
    """The latched fault, if any."""
    counters: Mapping[str, int] = field(MappingSpec(IntSpec()), default_factory=dict)
    """Refusals and limit events by code, since start."""


@message("h2s2r.ObjectState", version=1)
class ObjectState(Message):
    """Where the camera side sees the object."""

    object_name: str = field(TextSpec(empty=False, max_length=128))
    """``ObjectModel.name``."""
    sequence: int = field(IntSpec())
    """Grows by one with each state sent."""
    capture_time: float = field(FloatSpec(unit="s"))
    """[s] when the picture was taken, on the clock the runner was told to compare with (robot time where synchronised)."""
    wxyz_xyz_world_object: np.ndarray = field(PoseSpec(finite=False))
    """(7) object pose in the world; NaN when lost."""
    confidence: float = field(FloatSpec(0.0, 1.0))
    """How sure the tracker is, 0 to 1; 0 when lost."""
    lost: bool = field(BoolSpec())
    """Whether the object was not found."""

    def check(self) -> None:
        if bool(np.isfinite(self.wxyz_xyz_world_object).all()) == self.lost:
            raise SchemaError("A lost object has a NaN pose and every other a finite one; this ObjectState mixes them.")

    @property
    def T_world_object(self) -> SE3:
        """``wxyz_xyz_world_object`` as a pose."""
        return SE3(self.wxyz_xyz_world_object)
