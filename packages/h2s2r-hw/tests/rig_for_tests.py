"""An emulated cell and clients in lock-step, in one process with a thread per client, over real sockets.

In:  what is emulated, how clients behave.   Out: a ``Run``: the clients afterwards, the cell, all that was on the wires.
Not here: several processes (test_processes).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import can
from client_for_tests import FriClient, HandClient

from h2s2r_hw.clock import LockstepClock
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.emulators.cabinet import CabinetCfg
from h2s2r_hw.emulators.cell import Cell, CellCfg
from h2s2r_hw.emulators.faults import parse_faults
from h2s2r_hw.emulators.hand import HandCfg
from h2s2r_hw.emulators.lockstep import Lockstep
from h2s2r_hw.emulators.plant import IdealPlant, Plant
from h2s2r_hw.emulators.ports import UdpPort

SECOND = 1_000_000_000
_BUSES = itertools.count()


@dataclass
class Run:
    """A run that is over."""

    cell: Cell
    fri: FriClient | None
    hand: HandClient | None
    wire: list[tuple[int, str, bytes]]
    foreign_at_cabinet: int

    @property
    def codes(self) -> list[str]:
        """What the pendant showed, changes of state aside."""
        return [event.code for event in self.cell.cabinet.events if event.code != "state"]

    def on(self, wire: str, start: float = 0.0, end: float = 1e9) -> list[bytes]:
        """What went over one wire within so many seconds."""
        return [data for now_ns, name, data in self.wire if name == wire and start * SECOND <= now_ns < end * SECOND]

    def seen(self, start: float, end: float) -> list[Any]:
        """Monitoring messages that the client got then."""
        return [message for now_ns, message in self.fri.messages if start * SECOND <= now_ns < end * SECOND]


def run_cell(
    seconds: float,
    cabinet: CabinetCfg | None = None,
    hand: HandCfg | None = None,
    faults: str = "",
    seed: int = 0,
    plant: Plant | None = None,
    fri: dict[str, Any] | None = None,
    fingers: dict[str, Any] | None = None,
    meddle: Callable[[Cell, UdpPort], None] = lambda cell, port: None,
) -> Run:
    """Let time pass for a cell with an FRI client, if ``fri`` says how it behaves, and a hand client, likewise."""
    cabinet = cabinet or CabinetCfg()
    names = ("arm",) * (fri is not None) + ("hand",) * (fingers is not None)
    clock, channel = Lockstep(patience=20.0), f"hand {next(_BUSES)}"
    until_ns, wire = round(seconds * SECOND), []
    bus = CanPort(can.Bus(interface="virtual", channel=channel))
    clients: list[threading.Thread] = []
    failures: list[BaseException] = []
    arm_client = hand_client = None
    if fri is not None:
        arm_client = FriClient(cabinet.version, cabinet.mode, None, **fri)
    port = UdpPort(("127.0.0.1", 0), arm_client.address if arm_client else ("127.0.0.1", 9))
    if fingers is not None:
        host = can.Bus(interface="virtual", channel=channel)
        hand_client = HandClient(host, None, **fingers)

    def live(client: Any, name: str, wire_name: str) -> None:
        try:
            client.clock = LockstepClock(clock.address, name, (wire_name,), patience=20.0)
            client.run(until_ns)
        except BaseException as error:  # noqa: BLE001 - shown in the test's own thread
            failures.append(error)
        finally:
            if client.clock is not None:
                client.clock.close()

    if arm_client is not None:
        arm_client.cabinet = port.address
        clients.append(threading.Thread(target=live, args=(arm_client, "arm", "fri")))
    if hand_client is not None:
        clients.append(threading.Thread(target=live, args=(hand_client, "hand", "can")))
    cfg = CellCfg(cabinet, hand or HandCfg(), parse_faults(faults), seed)
    cell = Cell(cfg, plant or IdealPlant(), port, bus, lambda now_ns, name, data: wire.append((now_ns, name, data)))
    meddle(cell, port)
    for each in clients:
        each.start()
    try:
        clock.gather(names)
        clock.run(cell, until_ns)
    finally:
        clock.close()
        for each in clients:
            each.join(30.0)
        port.close()
        bus.close()
        if arm_client is not None:
            arm_client.close()
        if hand_client is not None:
            hand_client.bus.shutdown()
    real = [failure for failure in failures if "has ended" not in str(failure)]
    if real:
        raise real[0]
    return Run(cell, arm_client, hand_client, wire, port.foreign)


def quick(cabinet: CabinetCfg, **changes: Any) -> CabinetCfg:
    """The same, but with quality earned and COMMANDING_ACTIVE reached within a fraction of a second."""
    from h2s2r_hw.emulators.cabinet import QualityCfg

    return replace(cabinet, quality=QualityCfg(window=20, hysteresis=5, poor_windows=20), wait_answers=10, **changes)
