"""The whole emulated cell: cabinet, hand and what moves behind them, as one thing that acts at moments.

In:  time, datagrams and frames.   Out: datagrams and frames on the ports, a digest of all that was on the wires.
Not here: whether moments come in lock-step (lockstep) or by the wall clock (realtime).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from h2s2r_hw.clock import LockstepError
from h2s2r_hw.drivers.allegro import Frame
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.emulators.cabinet import Cabinet, CabinetCfg
from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.hand import Hand, HandCfg
from h2s2r_hw.emulators.plant import Plant
from h2s2r_hw.emulators.ports import UdpPort

#: Names of the wires to those who share lock-step time.
FRI_CHANNEL, CAN_CHANNEL = "fri", "can"
#: Told of everything on a wire: time [ns], which wire and direction, bytes.
Tap = Callable[[int, str, bytes], None]


@dataclass(frozen=True)
class CellCfg:
    """One emulated cell."""

    cabinet: CabinetCfg = field(default_factory=CabinetCfg)
    """The arm's side."""
    hand: HandCfg = field(default_factory=HandCfg)
    """The hand's side."""
    faults: FaultPlan = field(default_factory=FaultPlan)
    """What goes wrong when."""
    seed: int = 0
    """Decides everything random."""


class Cell:
    """Cabinet and hand on real ports.

    Args:
        cfg: what is emulated.
        plant: what moves.
        fri: the cabinet's socket.
        bus: the hand's bus.
        tap: told of everything on the wires, in order.
        digest: whether all that was on the wires is hashed; it takes a tenth of the cell's time.
    """

    def __init__(
        self, cfg: CellCfg, plant: Plant, fri: UdpPort, bus: CanPort, tap: Tap | None = None, digest: bool = True
    ) -> None:
        self.cfg, self.plant, self._fri, self._bus, self._tap = cfg, plant, fri, bus, tap
        self.cabinet = Cabinet(cfg.cabinet, plant, cfg.faults, cfg.seed, self._transmit, self._forge)
        self.hand = Hand(cfg.hand, plant, cfg.faults, cfg.seed)
        self._period_ns = cfg.cabinet.send_period_ms * 1_000_000
        self._arm_due_ns = 0
        self._later: list[tuple[int, int, bytes]] = []
        self._order = 0
        self._sent: dict[str, int] = {}
        self._digest = hashlib.sha256() if digest else None
        self._heard = digest or tap is not None
        self.now_ns = 0
        """[ns] of the moment it acted in last."""

    def digest(self) -> str:
        """Hash of all that was on the wires so far, times included; empty where none is made."""
        return "" if self._digest is None else self._digest.hexdigest()

    def next_event_ns(self) -> int:
        """[ns] when it wants to act next."""
        later = self._later[0][0] if self._later else self._arm_due_ns
        return min(self._arm_due_ns, self.hand.next_event_ns(), later)

    def act(self, now_ns: int) -> dict[str, int]:
        """Do what is due; returns how much was sent on which wire."""
        self._pass_time(now_ns)
        while self._later and self._later[0][0] <= now_ns:
            self._put(heapq.heappop(self._later)[2])
        if self._arm_due_ns <= now_ns:
            self._arm_due_ns += self._period_ns
            self.cabinet.tick(now_ns)
        if self.hand.next_event_ns() <= now_ns:
            self._speak(self.hand.tick(now_ns))
        return self._sent_so_far()

    def hear(self, channel: str, count: int, now_ns: int) -> dict[str, int]:
        """Read so many messages from a wire; returns how much was sent in answer.

        Raises:
            LockstepError: fewer came.
        """
        self._pass_time(now_ns)
        reader = self.hear_fri if channel == FRI_CHANNEL else self.hear_can if channel == CAN_CHANNEL else None
        for _ in range(count if reader else 0):
            if reader is not None and not reader(10.0, now_ns):
                raise LockstepError(f"A message was sent on channel {channel!r} but did not reach the emulated cell.")
        return self._sent_so_far()

    def hear_fri(self, seconds: float, now_ns: int) -> bool:
        """Take one datagram, if one comes within so many seconds."""
        datagram = self._fri.read(seconds)
        if datagram is None:
            return False
        self._note(now_ns, "fri in", datagram)
        self.cabinet.receive(datagram, now_ns)
        return True

    def hear_can(self, seconds: float, now_ns: int) -> bool:
        """Take one frame, if one comes within so many seconds."""
        frame = self._bus.read(seconds)
        if frame is None:
            return False
        if self._heard:
            self._note(now_ns, "can in", _bytes(frame))
        self._speak(self.hand.receive(frame, now_ns))
        return True

    def _pass_time(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.plant.advance(now_ns)

    def _transmit(self, datagram: bytes, at_ns: int) -> None:
        if at_ns <= self.now_ns:
            self._put(datagram)
        else:
            self._order += 1
            heapq.heappush(self._later, (at_ns, self._order, datagram))

    def _put(self, datagram: bytes) -> None:
        self._note(self.now_ns, "fri out", datagram)
        self._fri.send(datagram)
        self._sent[FRI_CHANNEL] = self._sent.get(FRI_CHANNEL, 0) + 1

    def _forge(self, datagram: bytes, at_ns: int) -> None:
        # Not announced: a client that listens to its cabinet alone never sees it.
        self._note(at_ns, "fri forged", datagram)
        self._fri.forge(datagram)

    def _speak(self, frames: list[Frame]) -> None:
        for frame in frames:
            if self._heard:
                self._note(self.now_ns, "can error" if frame.error else "can out", _bytes(frame))
            self._bus.send(frame)
        if frames:
            self._sent[CAN_CHANNEL] = self._sent.get(CAN_CHANNEL, 0) + len(frames)

    def _note(self, now_ns: int, wire: str, data: bytes) -> None:
        if self._digest is not None:
            self._digest.update(b"%d %s %d " % (now_ns, wire.encode(), len(data)) + data)
        if self._tap is not None:
            self._tap(now_ns, wire, data)

    def _sent_so_far(self) -> dict[str, int]:
        sent, self._sent = self._sent, {}
        return sent


def _bytes(frame: Frame) -> bytes:
    """Identifier, kind and data of a frame in a row."""
    return frame.identifier.to_bytes(2, "big") + bytes((frame.remote,)) + frame.data
