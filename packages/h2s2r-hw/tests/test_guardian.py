"""When the hand's loop falls silent, the hand is switched off within 50 ms of its last word, by somebody who survives it.

In:  a heartbeat that stops, a bus that may fail.   Out: frames.
Not here: the guardian's process (test_supervisor).
"""

from __future__ import annotations

import can
import numpy as np
import pytest

from h2s2r_hw.bus.records import HAND_STATUS
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.config import GuardianCfg
from h2s2r_hw.drivers.allegro import V4, Frame, encode_period, encode_torques, servo_on
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.hand import Hand, HandCfg
from h2s2r_hw.emulators.plant import IdealPlant
from h2s2r_hw.processes.guardian import GUARDIAN_STATUS, Guardian

MS = 1_000_000


class Rig:
    """A guardian, the hand that it guards, and a loop that only beats."""

    def __init__(self, port: CanPort | None = None) -> None:
        self.loop, self.status = Slot(HAND_STATUS), Slot(GUARDIAN_STATUS)
        self.sent: list[tuple[int, Frame]] = []
        self.ended = 0
        self.hand = Hand(HandCfg(), IdealPlant(), FaultPlan([]), 0)
        self.guardian = Guardian(
            GuardianCfg(), Slot(HAND_STATUS, self.loop.buffer), self.status, port or self, self.end
        )  # type: ignore[arg-type]
        for frame in (servo_on(), encode_period(3), *encode_torques((0.1,) * 16, V4)):
            self.hand.receive(frame, 0)
        self.now_ns = 0

    def end(self) -> None:
        self.ended += 1

    def send(self, frame: Frame) -> None:
        self.sent.append((self.now_ns, frame))
        self.hand.receive(frame, self.now_ns)

    def read(self, seconds: float) -> None:
        return None

    def live(self, until_ms: int, beats: bool) -> None:
        while self.now_ns < until_ms * MS:
            self.now_ns += MS
            if beats and self.now_ns % (3 * MS) == 0:
                self.loop.record["time_ns"] = self.now_ns
                self.loop.write()
            if self.guardian.next_event_ns() <= self.now_ns:
                self.guardian.act(self.now_ns)


def test_a_silent_loop_is_ended_and_its_hand_switched_off_three_times():
    rig = Rig()
    rig.live(300, beats=True)
    assert rig.hand.motors.servo_on and not rig.sent
    rig.live(600, beats=False)
    assert not rig.hand.motors.servo_on and not any(rig.hand.motors.commands)
    assert rig.ended == 1 and len(rig.sent) == 3 * 5
    first, last = rig.sent[0][0], rig.sent[-1][0]
    assert 330 * MS < first <= 337 * MS and last <= first + 12 * MS
    assert rig.guardian.tripped and int(rig.status.record["trips"]) == 1


def test_who_slept_itself_blames_nobody():
    """Where the whole machine stands still, both are late; the loop gets its time from then on."""
    rig = Rig()
    rig.live(300, beats=True)
    rig.now_ns += 200 * MS
    rig.guardian.act(rig.now_ns)
    rig.live(600, beats=True)
    assert not rig.sent and not rig.ended and rig.hand.motors.servo_on
    rig.now_ns += 200 * MS
    woke = rig.now_ns
    rig.live(900, beats=False)
    assert rig.ended == 1 and woke + 15 * MS <= rig.sent[0][0] <= woke + 35 * MS


def test_a_loop_that_never_lived_is_not_missed():
    rig = Rig()
    rig.live(300, beats=False)
    assert not rig.sent and not rig.ended


def test_it_stays_tripped_until_the_loop_lives_anew():
    rig = Rig()
    rig.live(100, beats=True)
    rig.live(1000, beats=False)
    assert rig.guardian.tripped
    rig.live(1100, beats=True)
    assert not rig.guardian.tripped
    rig.live(1300, beats=False)
    assert rig.ended == 2 and int(rig.status.record["trips"]) == 2


def test_a_bus_that_fails_is_tried_frame_by_frame():
    class Failing(Rig):
        def send(self, frame: Frame) -> None:
            if len(self.sent) % 2 == 0:
                self.sent.append((self.now_ns, frame))
                raise can.CanOperationError("no buffer space")
            super().send(frame)

        def read(self, seconds: float) -> None:
            raise can.CanOperationError("bus off")

    rig = Failing()
    rig.live(100, beats=True)
    rig.live(300, beats=False)
    assert not rig.hand.motors.servo_on
    assert int(rig.status.record["failed"]) > 7


@pytest.mark.requirement("H27")
def test_over_a_real_bus_too():
    here, there = (can.Bus(interface="virtual", channel="guardian") for _ in range(2))
    try:
        rig = Rig(CanPort(here))
        rig.live(100, beats=True)
        rig.live(200, beats=False)
        frames = [there.recv(0.0) for _ in range(15)]
        assert [frame.arbitration_id for frame in frames if frame] == [0x180, 0x184, 0x188, 0x18C, 0x104] * 3
        assert not np.any([list(frame.data) for frame in frames if frame and frame.arbitration_id != 0x104])
    finally:
        here.shutdown()
        there.shutdown()
