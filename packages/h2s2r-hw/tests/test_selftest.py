"""The selftest names what is wrong, by the name of the setting, and moves nothing.

In:  emulated devices, machines that lack something.   Out: checks.
Not here: real devices; whether this machine is fit (it is shared).
"""

from __future__ import annotations

import socket
import threading
import time

import can
import pytest

from h2s2r_hw.config import ArmCfg, HandCfg, LogCfg
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.emulators.cabinet import CabinetCfg
from h2s2r_hw.emulators.cell import Cell, CellCfg
from h2s2r_hw.emulators.faults import parse_faults
from h2s2r_hw.emulators.hand import HandCfg as EmulatedHand
from h2s2r_hw.emulators.plant import IdealPlant
from h2s2r_hw.emulators.ports import UdpPort
from h2s2r_hw.selftest.check import Check
from h2s2r_hw.selftest.devices import check_arm, check_hand
from h2s2r_hw.selftest.jitter import Lateness, measure
from h2s2r_hw.selftest.machine import check_machine


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listen_to(cabinet: CabinetCfg, arm: ArmCfg, faults: str = "") -> dict[str, Check]:
    """What the selftest says about an emulated cabinet that sends as fast as this test lets it."""
    fri = UdpPort(arm.cabinet, arm.own)
    with can.Bus(interface="virtual", channel="selftest") as bus:
        cell = Cell(CellCfg(cabinet, faults=parse_faults(faults)), IdealPlant(), fri, CanPort(bus))
        over = threading.Event()

        def live() -> None:
            while not over.is_set() and cell.now_ns < 4_000_000_000:
                cell.act(cell.next_event_ns())
                time.sleep(0.002)

        thread = threading.Thread(target=live)
        thread.start()
        checks = check_arm(arm, 0.4)
        over.set()
        thread.join()
    fri.close()
    return {check.name: check for check in checks}


def arm(**changes) -> ArmCfg:
    return ArmCfg(own=("127.0.0.1", free_port()), cabinet=("127.0.0.1", free_port()), **changes)


def test_a_cabinet_that_is_as_configured_passes():
    checks = listen_to(CabinetCfg(), arm(operation_modes=("AUT",)))
    assert all(check.ok for check in checks.values()), [str(check) for check in checks.values() if not check.ok]
    assert len(checks) == 10


@pytest.mark.parametrize(
    ("cabinet", "changes", "faults", "name"),
    [
        ({"send_period_ms": 10}, {}, "", "cabinet: arm.send_period_ms"),
        ({"receive_multiplier": 2}, {}, "", "cabinet: receive multiplier"),
        ({"version": "2.7"}, {}, "", "cabinet: arm.version"),
        ({"version": "2.5"}, {}, "", "cabinet: arm.version"),
        ({}, {"version": "2.7"}, "", "cabinet: arm.version"),
        ({"operation_mode": "T2"}, {}, "", "cabinet: operation mode"),
        ({}, {}, "safety_stop=1@0", "cabinet: safety"),
        ({}, {}, "joint_count=6@0", "cabinet: number of joints"),
        ({}, {}, "drop=1.0@0", "cabinet"),
    ],
)
def test_each_setting_that_disagrees_is_named(cabinet, changes, faults, name):
    checks = listen_to(CabinetCfg(**cabinet), arm(**changes), faults)
    assert [check.name for check in checks.values() if not check.ok] == [name]
    assert checks[name].remedy


def test_a_port_that_is_taken_is_said():
    cfg = arm()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(cfg.own)
        (check,) = check_arm(cfg, 0.1)
    assert (check.name, check.ok) == ("FRI socket", False)


class Bus:
    """An emulated hand at the other end of a bus without time."""

    def __init__(self, cfg: EmulatedHand) -> None:
        from h2s2r_hw.emulators.faults import FaultPlan
        from h2s2r_hw.emulators.hand import Hand

        self.hand, self.frames, self.sent = Hand(cfg, IdealPlant(), FaultPlan([]), 0), [], []

    def send(self, frame) -> None:
        self.sent.append(frame)
        self.frames += self.hand.receive(frame, 0)

    def read(self, seconds):
        return self.frames.pop(0) if self.frames else None


@pytest.mark.parametrize(
    ("hand", "cfg", "wrong"),
    [
        (EmulatedHand(), HandCfg(), []),
        (EmulatedHand(side="left"), HandCfg(), ["hand: side"]),
        (EmulatedHand(version="v5"), HandCfg(), ["hand: version"]),
        (EmulatedHand(version="v5", answers_info=False), HandCfg(version="v5"), []),
        (EmulatedHand(version="v5", answers_info=False, side="left"), HandCfg(version="v5"), ["hand: side"]),
    ],
)
def test_a_hand_is_asked_who_it_is_and_nothing_else(hand, cfg, wrong):
    bus = Bus(hand)
    checks = check_hand(cfg, 0.02, bus)  # type: ignore[arg-type]
    assert [check.name for check in checks if not check.ok] == wrong
    assert all(frame.remote for frame in bus.sent)


def test_no_hand_and_no_bus_are_told_apart():
    class Silent:
        def send(self, frame) -> None: ...
        def read(self, seconds):
            return None

    assert [check.name for check in check_hand(HandCfg(), 0.02, Silent()) if not check.ok] == ["hand"]  # type: ignore[arg-type]
    (check,) = check_hand(HandCfg(can_interface="socketcan", can_channel="nothere0"), 0.02)
    assert (check.name, check.ok) == ("CAN bus", False)


def test_a_log_folder_that_is_missing_or_full_is_said(tmp_path):
    def log(cfg: LogCfg) -> Check:
        return next(check for check in check_machine(cfg) if check.name == "log folder")

    assert log(LogCfg(folder=str(tmp_path), reserve_bytes=0)).ok
    assert "cannot be written" in log(LogCfg(folder=str(tmp_path / "no"))).found
    assert not log(LogCfg(folder=str(tmp_path), reserve_bytes=2**60)).ok


def test_lateness_is_measured_and_judged_against_the_period():
    measured = measure(1000, 0.2)
    assert 1 <= measured.wakes <= 200 and 0.0 <= measured.p50_us <= measured.p999_us <= measured.max_us
    good = Lateness(200, 1000, 50.0, 80.0, 100.0, 300.0, 0)
    assert good.fit and good.check().ok
    for p999, most in ((1300.0, 1400.0), (100.0, 4100.0)):
        assert not Lateness(200, 1000, 50.0, 80.0, p999, most, 0).fit
    assert not Lateness(1000, 1000, 50.0, 80.0, 260.0, 300.0, 0).fit
