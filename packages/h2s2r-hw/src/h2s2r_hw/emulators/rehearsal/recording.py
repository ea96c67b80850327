"""What a loop of a rehearsal met, tick by tick, so that the same loop can meet it again in a process of its own.

In:  a rehearsal.   Out: per event of a loop: the time, the slots that had changed, what came, what it answered.
Not here: playing it (tick_cost).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.drivers.socketcan import pack_frame
from h2s2r_hw.emulators.rehearsal.whole import Rehearsal

#: The slots that each loop reads, by their names in ``processes.runtime``.
READS = {
    "arm": ("target", "orders", "residual", "hand_status"),
    "hand": ("target", "orders", "residual", "arm_status"),
}


@dataclass(frozen=True)
class Event:
    """One turn of a loop."""

    now_ns: int
    """[ns] of virtual time."""
    slots: Mapping[str, bytes]
    """Whole buffers of the slots that changed since the event before."""
    messages: tuple[bytes, ...]
    """Datagrams, or frames as SocketCAN has them; none where it was time to act although nothing came."""
    answers: tuple[bytes, ...]
    """What it sent."""


class Recorder:
    """Listens at one loop from now on.

    Args:
        whole: whose.
        part: ``arm`` or ``hand``.
    """

    def __init__(self, whole: Rehearsal, part: str) -> None:
        self.events: list[Event] = []
        """All so far."""
        slots = whole.slots
        known = {
            "target": slots.target,
            "orders": slots.orders,
            "residual": whole.residual,
            "arm_status": slots.arm,
            "hand_status": slots.hand,
        }
        self._slots: dict[str, Slot] = {name: known[name] for name in READS[part]}
        self._counts = dict.fromkeys(self._slots, -1)
        self._messages: list[bytes] = []
        self._answers: list[bytes] = []
        loop = getattr(whole, part)
        port: Any = whole.link if part == "arm" else whole.hand_port
        port.read, port.send = self._reading(port.read), self._sending(port.send)
        self._act, self._hear = loop.act, loop.hear
        loop.act, loop.hear = self.act, self.hear

    def act(self, now_ns: int) -> Mapping[str, int]:
        """In the loop's place: by itself."""
        return self._note(now_ns, lambda: self._act(now_ns))

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """In the loop's place: something came."""
        return self._note(now_ns, lambda: self._hear(channel, count, now_ns))

    def _note(self, now_ns: int, turn: Callable[[], Mapping[str, int]]) -> Mapping[str, int]:
        changed = {name: bytes(slot.buffer) for name, slot in self._slots.items() if slot.count != self._counts[name]}
        self._counts = {name: slot.count for name, slot in self._slots.items()}
        self._messages, self._answers = [], []
        sent = turn()
        self.events.append(Event(now_ns, changed, tuple(self._messages), tuple(self._answers)))
        return sent

    def _reading(self, read: Callable[[float], Any]) -> Callable[[float], Any]:
        def heard(seconds: float) -> Any:
            message = read(seconds)
            if message is not None:
                self._messages.append(message if isinstance(message, bytes) else pack_frame(message))
            return message

        return heard

    def _sending(self, send: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def said(message: Any) -> Any:
            self._answers.append(message if isinstance(message, bytes) else pack_frame(message))
            return send(message)

        return said
