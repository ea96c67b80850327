"""Our end of the hand's bus: what it said last, and what it may be sent.

In:  frames.   Out: positions [rad], identity, temperatures, complaints; frames.
Not here: which torques (control), when to switch it on or off (loops.hand).

No frame that changes the hand for good is ever sent. A bus that does not take frames is counted, not raised.
"""

from __future__ import annotations

import math
import struct

import can

from h2s2r_hw.config import HandCfg
from h2s2r_hw.drivers.allegro.frames import (
    ERROR,
    INFO,
    NEVER_SEND,
    POSITION,
    SERIAL,
    TEMPERATURE,
    Frame,
    FrameError,
    decode_error,
    decode_info,
    decode_serial,
    decode_temperatures,
    encode_period,
    request_info,
    request_serial,
    servo_off,
    servo_on,
    zero_torques,
)
from h2s2r_hw.drivers.allegro.versions import hand_version
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_schemas.errors import SchemaError

_ALL = 0b1111
_SIXTEEN = struct.Struct("<16h")
#: Which finger's positions a frame of this identifier holds.
_FINGER_OF = {POSITION + 4 * finger: finger for finger in range(4)}
#: Part of a period after which position frames belong to the next set.
_ONE_SET = 0.6


class HandLink:
    """One hand on one bus.

    Args:
        cfg: which hand it must be.
        port: the bus.
    """

    def __init__(self, cfg: HandCfg, port: CanPort) -> None:
        self.cfg, self.version, self._port = cfg, hand_version(cfg.version), port
        self._one_set_ns = round(_ONE_SET * cfg.period_ms * 1e6)
        self.joint_pos: list[float] = [0.0] * 16
        """(16) [rad] of the newest complete set."""
        self.positions_ns = 0
        """[ns] when it was complete; 0 before the first."""
        self.temperatures: list[float] = [math.nan] * 16
        """(16) [°C]; a new list with each report."""
        self.hardware_version, self.says_side, self.serial = -1, "", ""
        """What the hand says of itself; -1 and empty before it did."""
        self.hot = self.internal_fault = self.bus_off = self.servo_on = False
        """What it complains of; and whether it was switched on."""
        self.motor_error: tuple[int, int] | None = None
        """Motor and flags of its last complaint."""
        self.received = self.sent = self.undecodable = self.incomplete = self.cycles = 0
        self.send_failed = self.send_failed_in_a_row = self.bus_errors = self.servo_offs = 0
        self.incomplete_in_a_row = 0
        self._fresh, self._fresh_ns = 0, 0
        self._data = [bytes(8)] * 4
        self._unannounced = 0

    @property
    def identified(self) -> bool:
        """Whether it said who it is, and is who it must be."""
        return bool(self.says_side) and self._is_right()

    @property
    def mistaken(self) -> bool:
        """Whether it said who it is, and is another."""
        return bool(self.says_side) and not self._is_right()

    def _is_right(self) -> bool:
        expected = self.cfg.hardware_version
        version_fits = self.hardware_version in (-1, int(self.version.name[1:]) if expected is None else expected)
        # A version 4 must say its version; some firmware of version 5 never does, and is known by its serial number.
        return (
            version_fits
            and self.says_side == self.cfg.side
            and (self.hardware_version >= 0 or self.version.name == "v5")
        )

    # ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, frame: Frame, now_ns: int) -> bool:
        """A frame has come; whether it completes a set of positions."""
        self.received += 1
        identifier, data, remote, error = frame
        finger = _FINGER_OF.get(identifier)
        if finger is not None and len(data) == 8 and not remote and not error:
            return self._hear_positions(finger, data, now_ns)
        if error:
            self.bus_errors += 1
            # SocketCAN's class of errors that says so.
            self.bus_off = self.bus_off or bool(identifier & 0x40)
            return False
        try:
            if finger is not None:
                raise FrameError(f"Frame {identifier:#x} has {len(data)} bytes; 8 were expected.")
            self._hear_other(frame)
        except FrameError:
            self.undecodable += 1
        return False

    def _hear_positions(self, finger: int, data: bytes, now_ns: int) -> bool:
        self.bus_off = False
        bit, fresh = 1 << finger, self._fresh
        if fresh and (fresh & bit or now_ns - self._fresh_ns > self._one_set_ns):
            self.incomplete += 1
            self.incomplete_in_a_row += 1
            fresh = 0
        if not fresh:
            self._fresh_ns = now_ns
        self._fresh = fresh = fresh | bit
        self._data[finger] = data
        if fresh != _ALL:
            return False
        self._fresh, self.incomplete_in_a_row = 0, 0
        unit = self.version.position_unit
        self.joint_pos = [count * unit for count in _SIXTEEN.unpack(b"".join(self._data))]
        self.positions_ns = now_ns
        self.cycles += 1
        return True

    def _hear_other(self, frame: Frame) -> None:
        identifier = frame.identifier
        finger, rest = divmod(identifier - TEMPERATURE, 4)
        if rest == 0 and 0 <= finger < 4:
            celsius = decode_temperatures(frame)
            warmth = self.temperatures.copy()
            warmth[4 * finger : 4 * finger + 4] = [float(each) for each in (celsius * 4)[:4]]
            self.temperatures = warmth
            self.hot = any(each >= self.cfg.hot for each in self.temperatures)
        elif identifier == INFO:
            info = decode_info(frame)
            self.hardware_version, self.says_side = info.hardware_version, info.side
            self.hot, self.internal_fault = self.hot or info.over_temperature, info.communication_fault
        elif identifier == SERIAL:
            self.serial = decode_serial(frame)
            if self.version.name == "v5" and self.hardware_version < 0:
                self.says_side = {"R": "right", "L": "left"}.get(self.serial[3], "")
        elif identifier == ERROR:
            self.motor_error = (decode_error(frame)[0], frame.data[1])

    def forget(self) -> None:
        """Whoever is on the bus next must say who it is, and complaints are new ones."""
        self.hardware_version, self.says_side, self.serial = -1, "", ""
        self.hot = self.internal_fault = False
        self.motor_error, self._fresh, self.incomplete_in_a_row = None, 0, 0

    # ── what it is sent ─────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self) -> None:
        """Switched off; who are you; report from now on."""
        self.switch_off()
        self._send(request_info())
        self._send(request_serial())
        self._send(encode_period(self.cfg.period_ms, 0, self.cfg.temperature_ms))

    def switch_on(self) -> None:
        """No current, then servo on."""
        self.zero()
        self._send(servo_on())
        self.servo_on = True

    def switch_off(self) -> None:
        """No current, and servo off: the hand would go on pushing otherwise."""
        self.zero()
        self._send(servo_off())
        self.servo_offs += self.servo_on
        self.servo_on = False

    def zero(self) -> None:
        """No current."""
        for frame in zero_torques():
            self._send(frame)

    def push(self, frames: list[Frame]) -> None:
        """Frames that ``control`` made."""
        send = self._port.send
        for frame in frames:
            try:
                send(frame)
            except (can.CanError, OSError):
                self.send_failed += 1
                self.send_failed_in_a_row += 1
                continue
            self.send_failed_in_a_row = 0
            self.sent += 1
            self._unannounced += 1

    def unannounced(self) -> int:
        """Frames sent since this was last asked."""
        count, self._unannounced = self._unannounced, 0
        return count

    def _send(self, frame: Frame) -> None:
        if frame.identifier in NEVER_SEND:
            raise SchemaError(f"Frame {frame.identifier:#x} ({NEVER_SEND[frame.identifier]}) is never sent.")
        self.push([frame])
