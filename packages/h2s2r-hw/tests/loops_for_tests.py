"""Both loops with the emulated cell in one thread and virtual time, and somebody who writes orders and targets into the slots.

In:  configuration, faults, a plant.   Out: ``LoopRig``.
Not here: the gateway, clients (door_for_tests), processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from h2s2r_hw.bus.records import (
    ARM_LOG,
    ARM_STATUS,
    HAND_LOG,
    HAND_STATUS,
    JOINT_NAMES,
    NUM_ARM,
    ORDERS,
    RESIDUAL,
    TARGET,
)
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.clock.inline import Inline
from h2s2r_hw.config import ArmCfg, MotionCfg, ServerCfg
from h2s2r_hw.drivers.fri.command import CommandMessage, decode_command
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.drivers.fri.messages import FriVersion
from h2s2r_hw.emulators.cabinet import CabinetCfg, QualityCfg
from h2s2r_hw.emulators.cell import Cell, CellCfg
from h2s2r_hw.emulators.faults import parse_faults
from h2s2r_hw.emulators.hand import HandCfg as EmulatedHandCfg
from h2s2r_hw.emulators.plant import Plant
from h2s2r_hw.emulators.ports import UdpPort
from h2s2r_hw.emulators.rehearsal.plant import light_plant
from h2s2r_hw.emulators.rehearsal.wire import Wire
from h2s2r_hw.loops import ArmLoop, HandLoop, LoopSlots
from h2s2r_hw.robots import load_robot
from h2s2r_hw.states import State

MS, SECOND = 1_000_000, 1_000_000_000
#: Quality is earned and COMMANDING_ACTIVE reached within a fraction of a second.
QUICK = CabinetCfg(quality=QualityCfg(window=20, hysteresis=5, poor_windows=20), wait_answers=10)
FULL_SPEED = ServerCfg(arm=ArmCfg(), motion=MotionCfg(speed_scale=1.0))


class Hands:
    """A gateway without a door: a stage that beats, and streams a path while told to."""

    def __init__(self, orders: Slot, target: Slot, residual: Slot) -> None:
        self.orders, self.target, self.residual = orders, target, residual
        spec = load_robot("iiwa14_allegro")
        record = orders.record
        record["speed_scale"] = 1.0
        record["position_lower"], record["position_upper"] = spec.position_lower, spec.position_upper
        record["velocity_limit"] = spec.velocity_limit
        self.path: Callable[[float], np.ndarray] | None = None
        self.period_ns, self.use_residual = 16_666_667, False
        self.correct: Callable[[float], dict[str, Any]] | None = None
        self.beats = True
        self._beat_ns = self._stream_ns = self._residual_ns = 0
        self.now_ns = 0

    def next_event_ns(self) -> int:
        streams = self._stream_ns if self.path else 2**62
        return min(self._beat_ns, streams, self._residual_ns if self.correct else 2**62)

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        self.now_ns = now_ns
        if self._beat_ns <= now_ns:
            self._beat_ns = now_ns + 20 * MS
            if self.beats:
                self.order()
        if self.path is not None and self._stream_ns <= now_ns:
            self._stream_ns = now_ns + self.period_ns
            self.aim(self.path(now_ns / SECOND))
        if self.correct is not None and self._residual_ns <= now_ns:
            self._residual_ns = now_ns + 5 * MS
            for name, value in {"time_ns": now_ns, **self.correct(now_ns / SECOND)}.items():
                self.residual.record[name] = value
            self.residual.write()
        return {}

    def order(self, **changes: Any) -> None:
        """Write ORDERS; a name with a + before its value grows by it."""
        record = self.orders.record
        for name, value in changes.items():
            record[name] = value
        record["number"] += 1
        record["time_ns"] = self.now_ns
        self.orders.write()

    def count(self, name: str) -> None:
        """Let one of the numbers grow."""
        self.order(**{name: int(self.orders.record[name]) + 1})

    def aim(self, joint_pos: np.ndarray, made_ns: int | None = None) -> None:
        """Write TARGET."""
        record = self.target.record
        record["number"] += 1
        record["command_sequence"] += 1
        record["time_ns"], record["made_ns"] = self.now_ns, self.now_ns if made_ns is None else made_ns
        record["use_residual"], record["joint_pos"] = self.use_residual, joint_pos
        self.target.write()


class LoopRig:
    """All of it."""

    def __init__(
        self,
        cabinet: CabinetCfg = QUICK,
        hand: EmulatedHandCfg | None = None,
        faults: str = "",
        cfg: ServerCfg = FULL_SPEED,
        plant: Plant | None = None,
        seed: int = 0,
        only: Sequence[str] = ("arm", "hand"),
    ) -> None:
        bus = Wire()
        self.plant = plant or light_plant(load_robot("iiwa14_allegro"), JOINT_NAMES[:NUM_ARM], JOINT_NAMES[NUM_ARM:])
        self.wire: list[tuple[int, str, bytes]] = []
        self._emulated_bus, self._own_bus = bus.port(), bus.port()
        self.link = ArmLink(("127.0.0.1", 0), ("127.0.0.1", 9))
        self.port = UdpPort(("127.0.0.1", 0), self.link.address)
        self.link.connect(self.port.address)
        cfg = replace(
            cfg, arm=replace(cfg.arm, version=cabinet.version, mode=cabinet.mode, send_period_ms=cabinet.send_period_ms)
        )
        self.cfg, self.robot = cfg, load_robot("iiwa14_allegro")
        self.cell = Cell(
            CellCfg(cabinet, hand or EmulatedHandCfg(), parse_faults(faults), seed),
            self.plant,
            self.port,
            self._emulated_bus,
            lambda now_ns, name, data: self.wire.append((now_ns, name, data)),
        )
        dtypes = {"target": TARGET, "orders": ORDERS, "residual": RESIDUAL, "arm": ARM_STATUS, "hand": HAND_STATUS}
        self.slots = {name: Slot(dtype) for name, dtype in dtypes.items()}
        self.logs = {"arm": Ring(ARM_LOG, 30_000), "hand": Ring(HAND_LOG, 30_000)}
        self.hands = Hands(self.slots["orders"], self.slots["target"], self.slots["residual"])
        pair = len(only) == 2
        self.arm = ArmLoop(cfg, self.robot, self.link, self._slots("arm", "hand" if pair else None))
        self.hand = HandLoop(cfg, self.robot, self._own_bus, self._slots("hand", "arm" if pair else None))
        loops = [each for name, each in (("arm", self.arm), ("hand", self.hand)) if name in only]
        self.time = Inline([self.hands, self.cell, *loops])
        self._states = {name: Slot(dtypes[name], self.slots[name].buffer) for name in ("arm", "hand")}

    def _slots(self, own: str, peer: str | None) -> LoopSlots:
        def seen(name: str) -> Slot:
            slot = self.slots[name]
            dtypes = {"target": TARGET, "orders": ORDERS, "residual": RESIDUAL, "arm": ARM_STATUS, "hand": HAND_STATUS}
            return Slot(dtypes[name], slot.buffer)

        return LoopSlots(
            seen("target"), seen("orders"), seen("residual"), seen(peer) if peer else None, seen(own), self.logs[own]
        )

    # ── what tests do ───────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.time.run(self.time.now_ns + round(seconds * SECOND))
        self.hands.now_ns = self.time.now_ns

    def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> float:
        """Let time pass until something is so; returns how long [s] that took."""
        begin, end = self.time.now_ns, self.time.now_ns + round(seconds * SECOND)
        while not condition():
            assert self.time.now_ns < end, (f"not within {seconds} s", self.states, self.faults)
            self.time.step(end)
        self.hands.now_ns = self.time.now_ns
        return (self.time.now_ns - begin) / SECOND

    @property
    def states(self) -> tuple[State, State]:
        return self.arm.part.state, self.hand.part.state

    @property
    def faults(self) -> tuple[int, int]:
        return self.arm.part.fault_code, self.hand.part.fault_code

    def status(self, name: str) -> np.void:
        """The newest status."""
        slot = self._states[name]
        slot.read()
        return slot.record[()]

    def setpoint(self) -> np.ndarray:
        """(23) what the loops send or follow."""
        return np.concatenate([self.status("arm")["joint_pos_target"], self.status("hand")["joint_pos_target"]])

    def measured(self) -> np.ndarray:
        """(23)"""
        return np.concatenate([self.status("arm")["joint_pos"], self.status("hand")["joint_pos"]])

    def arm_up(self) -> None:
        """Both parts armed and holding."""
        self.until(lambda: min(self.states) >= State.READY and self.arm.session.state == 4)
        self.hands.order(armed=1)
        self.hands.count("arm_number")
        self.until(lambda: self.states == (State.HOLD, State.HOLD))

    def follow(self, offset: float = 0.2, seconds: float = 1.0, hz: float = 0.5) -> None:
        """Arm, and stream a sine of all joints around where they are."""
        self.arm_up()
        start, began = self.setpoint(), self.time.now_ns / SECOND
        sizes = np.minimum(offset, 0.2 * (self.robot.position_upper - self.robot.position_lower))
        middle = (self.robot.position_upper + self.robot.position_lower) / 2
        towards = np.where(start < middle, sizes, -sizes)
        self.hands.path = lambda t: start + 0.5 * towards * (1 - np.cos(2 * np.pi * hz * (t - began)))
        self.run(seconds)

    def commands(self) -> list[tuple[int, CommandMessage]]:
        """Everything the cabinet was sent."""
        version = FriVersion(self.cell.cfg.cabinet.version)
        return [(now, decode_command(data, version)) for now, name, data in self.wire if name == "fri in"]

    def log(self, name: str) -> np.ndarray:
        """All ticks."""
        return self.logs[name].peek(10**6)

    def close(self) -> None:
        self.link.close()
        self.port.close()
