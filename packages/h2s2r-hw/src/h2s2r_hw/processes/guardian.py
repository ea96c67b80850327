"""The hand's guardian: when the hand's loop is silent, it ends the loop and switches the hand off.

In:  the loop's heartbeat, its own end of the bus.   Out: zero currents, servo off; that it did so.
Not here: its process (child). It shares nothing with the loop but a slot, and decides nothing else.

A hand whose host falls silent goes on pushing with its last currents, so somebody else must be there to stop it. The loop is
ended first: two that speak to one hand would be worse than none. Silence is counted while the guardian itself is awake: where
the whole machine stood still, the loop was not the one that fell silent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.config import GuardianCfg
from h2s2r_hw.drivers.allegro import servo_off, zero_torques
from h2s2r_hw.drivers.can_port import CanPort

#: Guardian -> gateway, supervisor.
GUARDIAN_STATUS: np.dtype[Any] = np.dtype(
    [
        ("number", "<i8"),
        ("time_ns", "<i8"),
        ("tripped", "<i8"),  # 1 from when it switched the hand off until the hand's loop was started anew
        ("trips", "<i8"),  # ever
        ("silence_ns", "<i8"),  # of the loop, when it tripped last
        ("frames", "<i8"),  # sent
        ("failed", "<i8"),  # frames that the bus did not take
    ]
)
#: number, time_ns: how its status and every heartbeat begin.
_STAMP = struct.Struct("<qq")
_LOOK_NS = 5_000_000
#: [ns] between the repetitions of what switches the hand off, so that one that is lost on the bus does not matter.
_AGAIN_NS = 5_000_000


class Guardian:
    """Looks every 5 ms.

    Args:
        cfg: how long silence may be.
        beat: heartbeat of the hand's loop: any record that begins with ``number`` and ``time_ns``.
        status: slot of ``GUARDIAN_STATUS``.
        port: its own end of the hand's bus.
        end_loop: makes sure that the hand's loop sends nothing any more.
    """

    def __init__(
        self,
        cfg: GuardianCfg,
        beat: Slot,
        status: Slot,
        port: CanPort,
        end_loop: Callable[[], None] = lambda: None,
    ) -> None:
        self._silence_ns, self._repeats = round(cfg.silence * 1e9), cfg.repeats
        self._beat, self._status, self._port, self._end_loop = beat, status, port, end_loop
        self._due_ns = self._left = 0
        self._looked_ns = self._beat_ns = self._silent_ns = self._looks = 0

    @property
    def tripped(self) -> bool:
        """Whether the hand was switched off by it, and its loop not started anew since."""
        return bool(self._status.record["tripped"])

    def next_event_ns(self) -> int:
        """[ns] when it wants to look next."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing that is sent concerns it; what is on the bus is thrown away."""
        if channel == "can":
            self._drain()
        return {}

    def act(self, now_ns: int) -> dict[str, int]:
        """Look, and do what must be done; returns how many frames were sent."""
        self._due_ns = now_ns + _LOOK_NS
        self._drain()
        sent = 0
        silent_ns = self._listen(now_ns)
        if self.tripped:
            if silent_ns <= self._silence_ns and not self._left:
                self._status.record["tripped"] = 0
        elif silent_ns > self._silence_ns:
            self.trip(silent_ns)
        if self._left:
            self._left -= 1
            sent = self._switch_off()
            self._due_ns = now_ns + _AGAIN_NS
        self._looks += 1
        _STAMP.pack_into(self._status.data, 0, self._looks, now_ns)
        self._status.write()
        return {"can": sent} if sent else {}

    def _listen(self, now_ns: int) -> int:
        """[ns] for which the loop has been silent. One that never lived has set nothing in motion."""
        since_ns, self._looked_ns = now_ns - self._looked_ns, now_ns
        if self._beat.read() <= 0:
            return 0
        _, beat_ns = _STAMP.unpack_from(self._beat.data)
        if beat_ns != self._beat_ns:
            self._beat_ns, self._silent_ns = beat_ns, min(now_ns - beat_ns, _LOOK_NS)
        else:
            self._silent_ns += min(since_ns, 2 * _LOOK_NS)
        return self._silent_ns

    def trip(self, silent_ns: int = 0) -> None:
        """Switch the hand off with the next looks, whatever its loop does."""
        record = self._status.record
        record["tripped"], record["silence_ns"] = 1, silent_ns
        record["trips"] += 1
        self._end_loop()
        self._left = self._repeats

    def _switch_off(self) -> int:
        """Zero currents, then servo off; one frame that fails keeps no other from being sent."""
        sent, record = 0, self._status.record
        for frame in (*zero_torques(), servo_off()):
            try:
                self._port.send(frame)
                sent += 1
            except Exception:  # noqa: BLE001 - whatever the driver of a broken bus raises
                record["failed"] += 1
        record["frames"] += sent
        return sent

    def _drain(self) -> None:
        """Keep the bus's buffer from filling with what nobody here reads."""
        try:
            for _ in range(64):
                if self._port.read(0.0) is None:
                    break
        except Exception:  # noqa: BLE001 - a bus that cannot be read may still be written to
            self._status.record["failed"] += 1
