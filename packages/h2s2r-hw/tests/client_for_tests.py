"""The smallest clients that satisfy cabinet and hand: not our server, and not our codecs.

In:  a socket or a bus, a clock.   Out: what they saw and sent.
Not here: the emulated cell they talk to. FRI messages go through stock protobuf, CAN frames through ``struct``.
"""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import can
from fri_reference import REFERENCE, frame, unframe

COMMANDING = (3, 4)
#: From the last message and the time since commanding began [s]: overlay (7) [rad] and torque (7) [N·m].
Behaviour = Callable[[Any, float], "tuple[list[float], list[float]]"]


def still(message: Any, seconds: float) -> tuple[list[float], list[float]]:
    """Add nothing."""
    return [0.0] * 7, [0.0] * 7


def sine(joint: int, amplitude: float, hz: float = 0.5) -> Behaviour:
    """Move one joint."""

    def overlay(message: Any, seconds: float) -> tuple[list[float], list[float]]:
        moved = [0.0] * 7
        moved[joint] = amplitude * math.sin(2 * math.pi * hz * seconds)
        return moved, [0.0] * 7

    return overlay


@dataclass
class FriClient:
    """Answers every datagram of a cabinet, as KUKA's example programs do."""

    version: str
    mode: str
    clock: Any
    behaviour: Behaviour = still
    silent: Callable[[int], bool] = lambda now_ns: False
    spoil: Callable[[Any, bytes, int], bytes] = lambda command, datagram, now_ns: datagram
    cabinet: tuple[str, int] | None = None
    states: list[int] = field(default_factory=list)
    messages: list[tuple[int, Any]] = field(default_factory=list)
    mirrored: list[tuple[bytes, bytes]] = field(default_factory=list)
    undecodable: list[bytes] = field(default_factory=list)
    foreign: int = 0
    sent: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        self.reference = REFERENCE[self.version]
        self._active_since = 0

    @property
    def address(self) -> tuple[str, int]:
        return self.socket.getsockname()

    def run(self, until_ns: int) -> None:
        while self.clock.now_ns() < until_ns:
            datagram = self.clock.receive("fri", self._read, until_ns)
            if datagram is not None:
                self._answer(datagram, self.clock.now_ns())

    def _read(self, seconds: float) -> bytes | None:
        self.socket.settimeout(max(seconds, 1e-6))
        while True:
            try:
                datagram, sender = self.socket.recvfrom(1500)
            except (TimeoutError, BlockingIOError):
                return None
            if self.cabinet is None or sender == self.cabinet:
                return datagram
            self.foreign += 1

    def _answer(self, datagram: bytes, now_ns: int) -> None:
        try:
            message = self.reference.Monitoring.FromString(unframe(datagram, self.version))
            assert message.header.messageIdentifier == 0x245142
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            self.undecodable.append(datagram)
            return
        state = message.connectionInfo.sessionState
        if not self.states or self.states[-1] != state:
            self.states.append(state)
            self._active_since = now_ns
        self.messages.append((now_ns, message))
        if state == 0 or self.silent(now_ns):
            return
        command = self._command(message, state, (now_ns - self._active_since) * 1e-9)
        answer = self.spoil(command, frame(command.SerializeToString(), self.version), now_ns)
        if answer:
            self.socket.sendto(answer, self.cabinet)
            self.clock.sent("fri")
            self.sent += 1

    def _command(self, message: Any, state: int, seconds: float) -> Any:
        command = self.reference.Command()
        command.header.messageIdentifier = 0x34001
        command.header.sequenceCounter = self.sent
        command.header.reflectedSequenceCounter = message.header.sequenceCounter
        measured = list(message.monitorData.measuredJointPosition.value)
        ipo = list(message.ipoData.jointPosition.value)
        overlay, torque = self.behaviour(message, seconds) if state == 4 else ([0.0] * 7, [0.0] * 7)
        if state in COMMANDING:
            command.commandData.jointPosition.value.extend(a + b for a, b in zip(ipo, overlay, strict=len(ipo) == 7))
            if state == 3:
                sent = struct.pack("<7d", *command.commandData.jointPosition.value)
                self.mirrored.append((struct.pack("<7d", *ipo), sent))
            if self.mode == "torque":
                command.commandData.jointTorque.value.extend(torque)
        elif self.version == "1.15":
            command.commandData.jointPosition.value.extend(measured)
        return command

    def close(self) -> None:
        self.socket.close()


@dataclass
class HandClient:
    """A controller of positions that the hand's own stream clocks: torques go out once all four fingers have reported."""

    bus: Any
    clock: Any
    unit: float = math.radians(333.3) / 65536
    per_newton_metre: float = 1200.0
    target: Callable[[float], list[float]] | None = None
    servo: bool = True
    period_ms: int = 3
    kp: float = 0.8
    kd: float = 0.02
    limit: int = 240
    info: list[bytes] = field(default_factory=list)
    serial: list[bytes] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)
    temperatures: list[tuple[int, bytes]] = field(default_factory=list)
    bus_errors: int = 0
    reports: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    commands: int = 0

    def __post_init__(self) -> None:
        self.joint_pos: list[float | None] = [None] * 16
        self._before: list[float] = []
        self._velocity = [0.0] * 16
        self._fresh: set[int] = set()

    def send(self, identifier: int, data: bytes = b"", remote: bool = False) -> None:
        frame = can.Message(
            arbitration_id=identifier, data=data, is_extended_id=False, is_remote_frame=remote, channel="host"
        )
        self.bus.send(frame)
        self.clock.sent("can")

    def _read(self, seconds: float) -> can.Message | None:
        # udp_multicast hands a sender its own frames too.
        while (message := self.bus.recv(seconds)) is not None and message.channel == "host":
            pass
        return message

    def run(self, until_ns: int) -> None:
        for identifier in (0x200, 0x220):
            self.send(identifier, remote=True)
        self.send(0x204, struct.pack("<3h", self.period_ms, 0, 100))
        if self.servo:
            self.send(0x100)
        while self.clock.now_ns() < until_ns:
            message = self.clock.receive("can", self._read, until_ns)
            if message is not None:
                self._hear(message, self.clock.now_ns())

    def _hear(self, message: can.Message, now_ns: int) -> None:
        if message.is_error_frame:
            self.bus_errors += 1
            return
        identifier, data = message.arbitration_id, bytes(message.data)
        kept = {0x200: self.info, 0x220: self.serial, 0x3B8: self.errors}.get(identifier)
        if kept is not None:
            kept.append(data)
        elif 0xE0 <= identifier <= 0xEC:
            self.temperatures.append((identifier, data))
        elif 0x80 <= identifier <= 0x8C:
            finger = (identifier - 0x80) // 4
            counts = struct.unpack("<4h", data)
            self.reports.append((now_ns, finger, counts))
            self.joint_pos[4 * finger : 4 * finger + 4] = [count * self.unit for count in counts]
            self._fresh.add(finger)
            if len(self._fresh) == 4:
                self._fresh.clear()
                self._control(now_ns * 1e-9)

    def _control(self, seconds: float) -> None:
        if self.target is None:
            return
        now = [float(q) for q in self.joint_pos if q is not None]
        before, self._before = self._before or now, now
        for joint in range(16):
            speed = (now[joint] - before[joint]) / (self.period_ms * 1e-3)
            self._velocity[joint] += 0.3 * (speed - self._velocity[joint])
        for finger in range(4):
            currents = []
            for joint in range(4 * finger, 4 * finger + 4):
                torque = self.kp * (self.target(seconds)[joint] - now[joint]) - self.kd * self._velocity[joint]
                currents.append(max(-self.limit, min(self.limit, round(torque * self.per_newton_metre))))
            self.send(0x180 + 4 * finger, struct.pack("<4h", *currents))
            self.commands += 1
