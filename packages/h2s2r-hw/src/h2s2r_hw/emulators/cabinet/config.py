"""What the operator and the application on the emulated cabinet have chosen, and thresholds nobody publishes.

In:  nothing.   Out: ``CabinetCfg``.
Not here: quality (quality), gains of the arm's controller (twin).

On a real cabinet all of this is fixed by the application (Java) or the safety configuration; none of it can be changed over
FRI. The robot side must be configured to the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from h2s2r_hw.drivers.fri import NUM_JOINTS, ControlMode, FriVersion, OperationMode
from h2s2r_hw.emulators.cabinet.quality import QualityCfg
from h2s2r_schemas.errors import SchemaError

#: ± [rad] LBR iiwa 14 R820.
POSITION_LIMIT = tuple(math.radians(each) for each in (170, 120, 170, 120, 170, 120, 175))
#: [rad/s] of the same.
VELOCITY_LIMIT = tuple(math.radians(each) for each in (85, 85, 100, 75, 130, 135, 135))
#: [N·m] of the same.
TORQUE_LIMIT = (320.0, 320.0, 176.0, 176.0, 110.0, 40.0, 40.0)


@dataclass(frozen=True)
class CabinetCfg:
    """One application on one cabinet."""

    version: str = "1.15"
    """FRI generation: 1.15, 2.5 or 2.7."""
    send_period_ms: int = 5
    """[ms] from datagram to datagram."""
    receive_multiplier: int = 1
    """Every how many-th datagram the client answers."""
    mode: str = "position"
    """What the client commands: ``position``, or ``torque`` on top of joint impedance control."""
    operation_mode: str = "AUT"
    """``T1``, ``T2`` or ``AUT``."""
    quality: QualityCfg = field(default_factory=QualityCfg)
    """How connections are judged."""
    good_timeout: float = 10.0
    """[s] the application waits for GOOD before it gives up, as those that KUKA shows do."""
    ready_time: float = 0.1
    """[s] in MONITORING_READY before the application starts its motion. Ours."""
    active_time: float | None = None
    """[s] after which the application ends its motion and the session; none for never."""
    restart_after: float | None = 1.0
    """[s] after which the application starts its motion again once it was cancelled; none for never."""
    reopen_after: float | None = None
    """[s] after which somebody opens the session again once it is closed; none for never."""
    idle_messages: int = 3
    """Datagrams that say IDLE when a session is closed. Ours."""
    wait_answers: int = 100
    """Answers in a row that must mirror the cabinet's motion before COMMANDING_ACTIVE. Ours."""
    wait_tolerance: float = 1e-4
    """[rad] to which they must. Ours."""
    position_limit: tuple[float, ...] = POSITION_LIMIT
    """± (7) [rad]."""
    velocity_limit: tuple[float, ...] = VELOCITY_LIMIT
    """(7) [rad/s] that a commanded step may imply."""
    torque_limit: tuple[float, ...] = TORQUE_LIMIT
    """(7) [N·m] that may be added."""
    torque_gap: float = 0.005
    """[s] without a commanded torque, in torque mode, that stops the motion."""
    deviation_limit: float = 0.3
    """[rad] between commanded and measured position, in torque mode, that stops the motion. Ours."""
    braking_time: float = 0.25
    """[s] in which a joint at its velocity limit comes to rest. Ours."""
    tracking: tuple[float, float] = (0.1, 0.5)
    """[rad] distance of measured from commanded position at which tracking performance begins to fall from 1, and at which it is
    0. Ours."""
    ipo_joint: int = 3
    """Joint that the application's own motion moves, if it moves any."""
    ipo_amplitude: float = 0.0
    """[rad] how far, there and back; 0 for a motion that holds its position."""
    ipo_period: float = 4.0
    """[s] there and back."""
    epoch_ns: int = 1_767_225_600_000_000_000
    """[ns] Unix time of the cabinet's clock at time 0: 1 January 2026."""

    def __post_init__(self) -> None:
        if self.version not in {each.value for each in FriVersion}:
            raise SchemaError(f"FRI {self.version!r}; there are: {', '.join(each.value for each in FriVersion)}.")
        if self.mode not in ("position", "torque"):
            raise SchemaError(f"The client commands {self.mode!r}; the emulated cabinet takes position or torque.")
        if self.operation_mode not in OperationMode.__members__:
            raise SchemaError(
                f"Operation mode {self.operation_mode!r}; there are: {', '.join(OperationMode.__members__)}."
            )
        if not 1 <= self.send_period_ms <= 100 or self.receive_multiplier < 1:
            raise SchemaError(
                f"send_period_ms {self.send_period_ms} is 1 to 100, receive_multiplier {self.receive_multiplier} at least 1."
            )
        for name in ("position_limit", "velocity_limit", "torque_limit"):
            if len(getattr(self, name)) != NUM_JOINTS:
                raise SchemaError(f"{name} has {len(getattr(self, name))} values; the arm has {NUM_JOINTS} joints.")

    @property
    def send_period(self) -> float:
        """[s] from datagram to datagram."""
        return self.send_period_ms * 1e-3

    @property
    def control_mode(self) -> ControlMode:
        """How the arm is controlled."""
        return ControlMode.JOINT_IMPEDANCE if self.mode == "torque" else ControlMode.POSITION
