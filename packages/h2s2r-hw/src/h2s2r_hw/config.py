"""What a server is told before it starts; every figure that is not the robot's own.

In:  nothing.   Out: frozen dataclasses with defaults.
Not here: limits of joints (``RobotSpec``), how a file or the command line is read (cli).

*Ours* marks figures that no maker publishes: start from them and measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from h2s2r_hw.drivers.allegro import VERSIONS
from h2s2r_hw.drivers.fri import FriVersion
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class ArmCfg:
    """The arm's side: what the application on the cabinet has chosen must stand here too."""

    version: str = "1.15"
    """FRI generation: 1.15, 2.5 or 2.7."""
    own: tuple[str, int] = ("0.0.0.0", 30200)
    """Address and port that the cabinet sends to."""
    cabinet: tuple[str, int] = ("192.170.10.2", 30200)
    """Address and port that it sends from; datagrams from elsewhere are never seen."""
    send_period_ms: int = 5
    """[ms] from datagram to datagram: 5 for position, 2 for torque, as applications for either often have it."""
    mode: str = "position"
    """What is commanded: ``position``, or ``torque`` on top of joint impedance control."""
    operation_modes: tuple[str, ...] = ("T1", "AUT")
    """Positions of the key in which it may be armed. Start with T1."""
    timeout_periods: float = 3.0
    """Periods without a datagram after which the link counts as lost."""
    undecodable_limit: int = 10
    """Datagrams in a row that cannot be decoded, after which the version must be wrong. Ours."""
    off_target: float = 0.15
    """[rad] between measured and commanded position that stops it. Ours: a soft application (200 N·m/rad) sags by less."""
    external_torque_limit: tuple[float, ...] = (60.0, 60.0, 60.0, 30.0, 12.0, 12.0, 6.0)
    """(7) [N·m] from outside that stops it: the figures of drake-iiwa-driver."""
    external_torque_ticks: int = 3
    """For so many ticks in a row. Ours: a single reading may be noise."""
    overlay_torque_fraction: float = 0.1
    """In torque mode: part of a joint's torque limit that may be added to the cabinet's own. Ours."""

    def __post_init__(self) -> None:
        if self.version not in {each.value for each in FriVersion}:
            raise SchemaError(f"FRI {self.version!r}; there are: {', '.join(each.value for each in FriVersion)}.")
        if self.mode not in ("position", "torque"):
            raise SchemaError(f"The arm is commanded by {self.mode!r}; this server knows position and torque.")
        if not 1 <= self.send_period_ms <= 100:
            raise SchemaError(f"send_period_ms is {self.send_period_ms}; it is 1 to 100.")


@dataclass(frozen=True)
class HandCfg:
    """The hand's side."""

    version: str = "v4"
    """``v4`` or ``v5``: a wrong one means 17 times the position, so it is checked before arming."""
    side: str = "right"
    """``right`` or ``left``."""
    hardware_version: int | None = None
    """What the hand says as its hardware version; the number of its version if none. Unverified: look at ``status``."""
    can_interface: str = "socketcan"
    """python-can's name of the bus."""
    can_channel: str = "can0"
    """Channel of it."""
    period_ms: int = 3
    """[ms] from report to report: it clocks the loop. The vendor's drivers use 3 (2 in one for version 5)."""
    kp: tuple[float, ...] = (1.0,) * 16
    """(16) [N·m/rad]. The vendor's drivers use 0.4 to 3."""
    kd: tuple[float, ...] = (0.05,) * 16
    """(16) [N·m·s/rad]. The vendor's drivers use 0.01 to 0.1."""
    observer_hz: float = 30.0
    """[Hz] bandwidth of the velocity observer: Wonik's ROS 2 driver filters at 30."""
    current_fraction: float = 0.25
    """Part of the version's largest command that may be sent: 0.25 at first power-on (60 mA for version 5), then up to 1."""
    silent_zero: float = 0.010
    """[s] without a complete set of positions after which all currents are zero: within 4 periods. Facts of ours: 12 ms."""
    silent_off: float = 0.060
    """[s] after which the servo is switched off and a fault latched; 100 ms at the latest."""
    incomplete_limit: int = 3
    """Sets in a row in which a finger is missing, after which currents are zero."""
    jump: float = 0.35
    """[rad] from one report to the next that no finger moves. Ours: 7 rad/s in 3 ms are 0.02, a lost report or two 0.06."""
    stuck_time: float = 1.5
    """[s] for which a joint's count does not change at all while it is pushed with ``stuck_error``. Ours: a thumb that
    a pushed box presses against its own stop, with the largest current, stood for up to 0.74 s in 100 emulated pushes."""
    stuck_error: float = 0.5
    """[rad] that a joint is away from where it is pushed to, then. Ours: grasps stay below."""
    hot: float = 65.0
    """[°C] at which it is switched off. Ours; the hand itself does so somewhat later."""
    temperature_ms: int = 100
    """[ms] from report to report of temperatures; 0 for never."""

    def __post_init__(self) -> None:
        if self.version not in VERSIONS or self.side not in ("right", "left"):
            raise SchemaError(
                f"A hand of version {self.version!r} and side {self.side!r}; there are versions {', '.join(VERSIONS)}, "
                "and sides right and left."
            )
        if not 0.0 < self.current_fraction <= 1.0:
            raise SchemaError(f"current_fraction is {self.current_fraction}; it is above 0 and at most 1.")
        if not (0.0 < self.silent_zero < self.silent_off <= 0.1):
            raise SchemaError(
                f"silent_zero {self.silent_zero} s, silent_off {self.silent_off} s: the first is shorter, neither above 0.1 s."
            )


@dataclass(frozen=True)
class MotionCfg:
    """How targets become setpoints."""

    speed_scale: float = 0.3
    """Part of the velocity limits in use until commissioning is signed off; 1 afterwards."""
    soft_margin: float = 0.02
    """[rad] by which targets stay off the position limits; drake uses 1° (0.017)."""
    stale_floor: float = 0.060
    """[s] a target is followed at least, however fast its stream is."""
    stale_periods: float = 2.5
    """Periods of the stream after which a target is too old to follow and motion stops."""
    stale_ceiling: float = 0.25
    """[s] a target is followed at most, however slow its stream is."""
    start_tolerance: float = 0.05
    """[rad] by which the first target of a motion may be away from the arm's setpoint, per joint."""
    start_tolerance_hand: float = 0.3
    """[rad] the same for the hand, whose fingers may be held by what they grasp. Ours."""
    home_speed: float = 0.1
    """Part of the velocity limits used on the way home."""
    arming_timeout: float = 30.0
    """[s] from "arm" until the device must follow."""
    peer_timeout: float = 0.1
    """[s] after which the other loop counts as dead."""
    gateway_timeout: float = 0.3
    """[s] after which the gateway counts as dead, and motion stops."""


@dataclass(frozen=True)
class ResidualCfg:
    """Bounds of the learned correction. None of them makes it safety-rated."""

    warn_fraction: float = 0.2
    """``clamp_fraction`` of a ``ResidualSpec`` (0.15 unless it says otherwise) above which loading warns."""
    refuse_fraction: float = 0.5
    """Above it, loading is refused without ``override``."""
    override: bool = False
    """Whether fractions above ``refuse_fraction`` are loaded all the same."""
    position_limit: float = 0.1
    """[rad] that the fraction is of, where target positions are corrected. Ours."""
    ramp_time: float = 0.05
    """[s] in which it may go from 0 to 15 % of the limit: the rate clamp."""
    fallback_time: float = 0.1
    """[s] in which it goes from there to 0 after a fault."""
    max_age_ticks: float = 3.0
    """Ticks of the loop after which a correction is too old."""
    saturated_share: float = 0.05
    """Share of a second's ticks at its bound after which it is switched off."""
    retry_after: float = 5.0
    """[s] after which one that was switched off by its age or its bounds may act again."""
    stiffness: tuple[float, ...] = (2000.0,) * 7
    """(7) [N·m/rad] of the cabinet, by which a torque becomes an offset in position mode. FRI does not tell it."""


@dataclass(frozen=True)
class GuardianCfg:
    """The process that switches the hand off when its loop dies."""

    silence: float = 0.030
    """[s] without a heartbeat of the hand loop."""
    repeats: int = 3
    """How often zero currents and servo off are sent then."""


@dataclass(frozen=True)
class LogCfg:
    """The log of every tick."""

    folder: str = "logs"
    """Where logs go; none are written, and nothing can be armed, if it cannot be written to."""
    ring_seconds: float = 60.0
    """[s] that fit into memory while the disk is slow."""
    reserve_bytes: int = 256 * 2**20
    """[bytes] that are always left free on the disk."""


@dataclass(frozen=True)
class RealtimeCfg:
    """What is asked of the operating system; where it refuses, the server says so and goes on."""

    arm_priority: int = 80
    """SCHED_FIFO of the arm loop; 0 for none."""
    hand_priority: int = 80
    """Of the hand loop."""
    guardian_priority: int = 85
    """Of the guardian: above the loop it watches. Never above 90, where it would starve interrupts."""
    arm_core: int | None = None
    """Processor core of the arm loop; none for any."""
    hand_core: int | None = None
    """Of the hand loop and the guardian."""
    lock_memory: bool = True
    """Whether memory is kept from being swapped."""


@dataclass(frozen=True)
class ServerCfg:
    """All of it."""

    arm: ArmCfg = field(default_factory=ArmCfg)
    """The arm's driver."""
    hand: HandCfg = field(default_factory=HandCfg)
    """The hand's driver."""
    motion: MotionCfg = field(default_factory=MotionCfg)
    """Targets to setpoints."""
    residual: ResidualCfg = field(default_factory=ResidualCfg)
    """The bounded correction."""
    gateway: GatewayCfg = field(default_factory=GatewayCfg)
    """The door."""
    guardian: GuardianCfg = field(default_factory=GuardianCfg)
    """The hand's guardian."""
    log: LogCfg = field(default_factory=LogCfg)
    """The log."""
    realtime: RealtimeCfg = field(default_factory=RealtimeCfg)
    """Priorities and cores."""
