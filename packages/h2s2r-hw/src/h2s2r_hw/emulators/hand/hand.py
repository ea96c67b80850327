"""The emulated Allegro hand: what it makes of frames, and what it reports.

In:  frames, the plant's finger positions, time.   Out: frames, torques for the plant, events.
Not here: buses (ports), when its turn is (cell).

Not emulated: fingertip pressures, the inertial sensor's readings (it reports zeros), the firmware's own grasps and positions.
"""

from __future__ import annotations

import random
import struct

from h2s2r_hw.drivers.allegro import FINGERS, NEVER_SEND, V4, V5, VERSIONS, Frame, FrameError
from h2s2r_hw.drivers.allegro.frames import (
    ERROR,
    IMU,
    INFO,
    POSITION,
    SERIAL,
    SERVO_OFF,
    SERVO_ON,
    SET_PERIOD,
    SET_TORQUE,
    TEMPERATURE,
)
from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.hand.config import HandCfg
from h2s2r_hw.emulators.hand.encoders import Encoders
from h2s2r_hw.emulators.hand.motors import Motors
from h2s2r_hw.emulators.plant import Plant

_MS = 1_000_000
#: [ns] between looks at temperatures while nothing is reported.
_CARE_NS = 100 * _MS
#: [ns] within which temperatures do not change enough to be computed anew.
_WARM_NS = 10 * _MS
_THREE, _FOUR, _SIXTEEN = struct.Struct("<3h"), struct.Struct("<4h"), struct.Struct("<16h")
#: Which finger's torques a frame of this identifier sets.
_TORQUE_OF = {SET_TORQUE + 4 * finger: finger for finger in range(len(FINGERS))}
#: What python-can and SocketCAN call a bus that is off.
BUS_OFF_ERROR = Frame(0x40, bytes(8), error=True)


class Hand:
    """One hand.

    Args:
        cfg: which one.
        plant: its fingers.
        plan: faults.
        seed: decides which frames random faults hit.
    """

    def __init__(self, cfg: HandCfg, plant: Plant, plan: FaultPlan, seed: int) -> None:
        self.cfg, self._plant, self._plan = cfg, plant, plan
        self._rng = random.Random(f"can {seed}")
        self._encoders = Encoders(plant, plan)
        self.motors = Motors(cfg, VERSIONS[cfg.version])
        self._periods = [0, 0, 0]
        self._due: list[int | None] = [None, None, None]
        self._cared_ns = 0
        self._next_ns = _CARE_NS
        self._was_off = False
        self._was_hot = False
        self._complained: set[int] = set()
        self.protocol_errors: list[str] = []
        """What came that the hand has no use for, in words."""
        self.frames = 0
        """Valid frames received."""

    def next_event_ns(self) -> int:
        """[ns] when it wants to act next."""
        return self._next_ns

    def _plan_ahead(self) -> None:
        self._next_ns = min([self._cared_ns + _CARE_NS, *(due for due in self._due if due is not None)])

    def tick(self, now_ns: int) -> list[Frame]:
        """Report what is due, and look after the motors."""
        out: list[Frame] = []
        if now_ns - self._cared_ns >= _WARM_NS:
            forced = self._plan.active("over_temperature", now_ns)
            self.motors.heat((now_ns - self._cared_ns) * 1e-9, None if forced is None else forced.values[0])
            self._cared_ns = now_ns
        for kind, report in enumerate((self._positions, self._inertial, self._temperatures)):
            due = self._due[kind]
            if due is not None and due <= now_ns:
                self._due[kind] = due + self._periods[kind] * _MS
                out += report(now_ns)
        self._plan_ahead()
        out += self._complaints(now_ns)
        self._push()
        return self._onto_bus(out, now_ns)

    def receive(self, frame: Frame, now_ns: int) -> list[Frame]:
        """A frame has come; returns the answer."""
        if self._plan and (self._plan.active("bus_off", now_ns) or self._hit(now_ns)):
            return []
        try:
            answer = self._answer(frame, now_ns)
        except FrameError as error:
            self.protocol_errors.append(str(error))
            return []
        self.frames += 1
        self._push()
        return self._onto_bus(answer, now_ns)

    def _answer(self, frame: Frame, now_ns: int) -> list[Frame]:
        if frame.remote:
            return self._requested(frame.identifier, now_ns)
        finger = _TORQUE_OF.get(frame.identifier)
        if finger is not None:
            self.motors.set_finger(finger, self._unpack(_FOUR, frame))
        elif frame.identifier in (SERVO_ON, SERVO_OFF):
            self.motors.servo_on = frame.identifier == SERVO_ON and not self.motors.over_temperature
        elif frame.identifier == SET_PERIOD:
            self._set_periods(self._unpack(_THREE, frame), now_ns)
        elif frame.identifier in NEVER_SEND:
            what = NEVER_SEND[frame.identifier]
            raise FrameError(
                f"Frame {frame.identifier:#x} ({what}) must never be sent in operation; it is ignored here."
            )
        else:
            raise FrameError(f"Frame {frame.identifier:#x} means nothing to this hand.")
        return []

    def _requested(self, identifier: int, now_ns: int) -> list[Frame]:
        if identifier == INFO:
            return [self._info(now_ns)] if self.cfg.answers_info else []
        if identifier == SERIAL:
            return [Frame(SERIAL, self._identity(now_ns).serial.encode("ascii"))]
        finger, rest = divmod(identifier - POSITION, 4)
        if rest == 0 and 0 <= finger < len(FINGERS):
            return [each for each in self._positions(now_ns) if each.identifier == identifier]
        raise FrameError(f"Nothing answers a request for {identifier:#x}.")

    def _set_periods(self, periods: tuple[int, ...], now_ns: int) -> None:
        if min(periods) < 0:
            raise FrameError(f"Periods of {periods} ms.")
        self._periods = list(periods)
        self._due = [now_ns + period * _MS if period else None for period in periods]
        self._plan_ahead()

    def _identity(self, now_ns: int) -> HandCfg:
        """Who it says it is: another one under some faults."""
        if not self._plan:
            return self.cfg
        version, side = self.cfg.version, self.cfg.side
        if self._plan.active("wrong_version", now_ns):
            version = (V5 if version == "v4" else V4).name
        if self._plan.active("wrong_side", now_ns):
            side = "left" if side == "right" else "right"
        return HandCfg(version=version, side=side, kind=self.cfg.kind)

    def _info(self, now_ns: int) -> Frame:
        identity, motors = self._identity(now_ns), self.motors
        status = motors.servo_on | motors.over_temperature << 1
        hottest = min(255, max(0, round(max(motors.temperatures))))
        hardware, side = int(identity.version[1:]), int(identity.side == "left")
        return Frame(INFO, struct.pack("<HHBBB", hardware, self.cfg.firmware_version, side, hottest, status))

    def _positions(self, now_ns: int) -> list[Frame]:
        counts = self._encoders.counts(VERSIONS[self._identity(now_ns).version].position_unit, now_ns)
        silent = self._plan.value("silent_finger", now_ns, -1)
        data = _SIXTEEN.pack(*counts)
        frames = [Frame(POSITION + 4 * finger, data[8 * finger : 8 * finger + 8]) for finger in range(len(FINGERS))]
        return frames if silent < 0 else [frame for finger, frame in enumerate(frames) if finger != silent]

    def _inertial(self, now_ns: int) -> list[Frame]:
        return [Frame(IMU, bytes(6))]

    def _temperatures(self, now_ns: int) -> list[Frame]:
        out: list[Frame] = []
        for finger in range(len(FINGERS)):
            celsius = [min(255, max(0, round(each))) for each in self.motors.temperatures[4 * finger : 4 * finger + 4]]
            data = bytes(celsius) if self.cfg.version == "v5" else struct.pack("<i", max(celsius))
            out.append(Frame(TEMPERATURE + 4 * finger, data))
        return out

    def _complaints(self, now_ns: int) -> list[Frame]:
        """Error frames of version 5: once when it gets hot, and what the plan of faults says."""
        if not VERSIONS[self.cfg.version].sends_errors:
            return []
        out: list[Frame] = []
        if self.motors.over_temperature and not self._was_hot:
            out.append(Frame(ERROR, bytes((self.motors.temperatures.index(max(self.motors.temperatures)), 1 << 2))))
        self._was_hot = self.motors.over_temperature
        error = self._plan.active("motor_error", now_ns)
        if error is not None and error.start_ns not in self._complained:
            self._complained.add(error.start_ns)
            out.append(Frame(ERROR, bytes((int(error.values[0]), int(error.values[1]) & 0xFF))))
        return out

    def _onto_bus(self, frames: list[Frame], now_ns: int) -> list[Frame]:
        """What of it the host hears."""
        if not self._plan:
            return frames
        off = self._plan.active("bus_off", now_ns) is not None
        just_off, self._was_off = off and not self._was_off, off
        if off:
            return [BUS_OFF_ERROR] if just_off else []
        return [frame for frame in frames if not self._hit(now_ns)]

    def _push(self) -> None:
        self._plant.command_hand(self.motors.torques())

    def _hit(self, now_ns: int) -> bool:
        fault = self._plan.active("lost_frames", now_ns)
        return fault is not None and self._rng.random() < fault.values[0]

    @staticmethod
    def _unpack(layout: struct.Struct, frame: Frame) -> tuple[int, ...]:
        if len(frame.data) != layout.size:
            raise FrameError(f"Frame {frame.identifier:#x} has {len(frame.data)} bytes, not {layout.size}.")
        return layout.unpack(frame.data)
