"""The emulated cabinet's end of the cable, which can lose, double, swap, cut and delay datagrams.

In:  datagrams to send.   Out: the same, or what the plan of faults makes of them, and when.
Not here: faults of what a message says (cabinet), sockets (ports).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from h2s2r_hw.emulators.faults import Fault, FaultPlan

#: Puts a datagram on the wire at a time [ns].
Transmit = Callable[[bytes, int], None]


class FaultyLink:
    """One direction, cabinet to client.

    Args:
        plan: what goes wrong when.
        rng: decides which datagrams are hit.
        transmit: puts a datagram on the wire, now or later.
    """

    def __init__(self, plan: FaultPlan, rng: random.Random, transmit: Transmit) -> None:
        self._plan, self._rng, self._transmit = plan, rng, transmit
        self._held: bytes | None = None
        self._bursts: dict[Fault, int] = {}

    def send(self, datagram: bytes, now_ns: int) -> None:
        """Send one, or what becomes of it."""
        if not self._plan:
            self._transmit(datagram, now_ns)
            return
        if self._lost(now_ns):
            return
        cut = self._plan.active("truncate", now_ns)
        if cut is not None:
            datagram = datagram[: int(cut.values[0])]
        if self._held is not None:
            self._put(datagram, now_ns)
            datagram, self._held = self._held, None
        elif self._hit("reorder", now_ns):
            self._held = datagram
            return
        self._put(datagram, now_ns)
        if self._hit("duplicate", now_ns):
            self._put(datagram, now_ns)

    def _put(self, datagram: bytes, now_ns: int) -> None:
        delay = self._plan.active("delay", now_ns)
        if delay is None:
            self._transmit(datagram, now_ns)
            return
        late_ms = delay.values[0] + (self._rng.uniform(0.0, delay.values[1]) if len(delay.values) > 1 else 0.0)
        self._transmit(datagram, now_ns + round(late_ms * 1e6))

    def _hit(self, kind: str, now_ns: int) -> bool:
        fault = self._plan.active(kind, now_ns)
        return fault is not None and self._rng.random() < fault.values[0]

    def _lost(self, now_ns: int) -> bool:
        burst = self._plan.active("burst", now_ns)
        if burst is not None and self._bursts.get(burst, 0) < burst.values[0]:
            self._bursts[burst] = self._bursts.get(burst, 0) + 1
            return True
        return self._hit("drop", now_ns)
