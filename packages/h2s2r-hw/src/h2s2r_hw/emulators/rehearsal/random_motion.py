"""A million ticks of the arm's loop with whatever can be asked of it, judged by the datagrams it sends.

In:  how many ticks, a seed.   Out: violations of position, velocity, acceleration and jerk.
Not here: single cases (cases). The loop, its motion and its codec are the server's; a cabinet that follows is played here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from h2s2r_hw.bus.records import ARM_LOG, ARM_STATUS, NUM_ARM, ORDERS, RESIDUAL, TARGET
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.config import MotionCfg, ServerCfg
from h2s2r_hw.drivers.fri import (
    JOINT_NAMES,
    ClientCommandMode,
    ControlMode,
    DriveState,
    FriVersion,
    MonitoringMessage,
    OperationMode,
    Overlay,
    Quality,
    SafetyState,
    SessionState,
    decode_command,
    encode_monitoring,
)
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.emulators.rehearsal.observe import WireLimits
from h2s2r_hw.loops import ArmLoop, LoopSlots
from h2s2r_hw.motion.limits import joint_limits
from h2s2r_hw.robots import load_robot
from h2s2r_hw.states import State

_PERIOD_NS = 5_000_000
_VERSION = FriVersion.V1_15
#: Ticks that are judged together.
_AT_ONCE = 1000


class _Cable(ArmLink):
    """Datagrams handed over in memory."""

    def __init__(self) -> None:  # pyright: ignore[reportMissingSuperCall] - there is no socket
        self.coming, self.answer = b"", b""

    def read(self, seconds: float) -> bytes | None:
        """What comes."""
        return self.coming

    def send(self, datagram: bytes) -> bool:
        """What is answered."""
        self.answer = datagram
        return True


class _Cabinet:
    """In COMMANDING_ACTIVE from the first message on; the arm is where it was commanded."""

    def __init__(self, joint_pos: tuple[float, ...]) -> None:
        self.joint_pos, self._sequence = joint_pos, 0
        self._message = MonitoringMessage(
            sequence=0,
            reflected_sequence=0,
            session_state=SessionState.COMMANDING_ACTIVE,
            quality=Quality.EXCELLENT,
            send_period_ms=5,
            receive_multiplier=1,
            num_joints=NUM_ARM,
            safety_state=SafetyState.NORMAL_OPERATION,
            operation_mode=OperationMode.AUT,
            control_mode=ControlMode.POSITION,
            drive_states=(DriveState.ACTIVE,) * NUM_ARM,
            measured_joint_pos=joint_pos,
            measured_torque=(0.0,) * NUM_ARM,
            commanded_joint_pos=joint_pos,
            commanded_torque=(0.0,) * NUM_ARM,
            external_torque=(0.0,) * NUM_ARM,
            time_ns=0,
            ipo_joint_pos=joint_pos,
            client_command_mode=ClientCommandMode.POSITION,
            overlay=Overlay.JOINT,
            tracking_performance=1.0,
        )

    def say(self, now_ns: int) -> bytes:
        """The next datagram."""
        self._sequence += 1
        message = self._message._replace(
            sequence=self._sequence,
            reflected_sequence=self._sequence - 1,
            measured_joint_pos=self.joint_pos,
            commanded_joint_pos=self.joint_pos,
            time_ns=now_ns,
        )
        return encode_monitoring(message, _VERSION)


class RandomMotion:
    """One arm's loop and somebody who asks anything of it.

    Args:
        seed: decides what.
    """

    def __init__(self, seed: int) -> None:
        self._rng, self._robot = np.random.default_rng(seed), load_robot("iiwa14_allegro")
        limits = joint_limits(self._robot, JOINT_NAMES)
        self._lower, self._upper = np.array(limits.lower), np.array(limits.upper)
        self._velocity = np.array(limits.velocity)
        self._target, self._orders, self._residual = Slot(TARGET), Slot(ORDERS), Slot(RESIDUAL)
        self._status = Slot(ARM_STATUS)
        self._log = Ring(ARM_LOG, 4)
        cfg = replace(ServerCfg(), motion=replace(MotionCfg(), speed_scale=1.0, start_tolerance=10.0))
        cfg = replace(cfg, arm=replace(cfg.arm, operation_modes=("AUT",)))
        self._cable = _Cable()
        slots = LoopSlots(self._target, self._orders, self._residual, None, self._status, self._log)
        self.loop = ArmLoop(cfg, self._robot, self._cable, slots)
        self._cabinet = _Cabinet(tuple(limits.home))
        self.judge = WireLimits(limits, _PERIOD_NS * 1e-9)
        """What was found."""
        self.judge.begin(tuple(limits.home))
        self._now_ns = 0
        self._silent_until = 0
        self._centre = np.array(limits.home)
        self.tracked = 0
        """Ticks in which it followed."""
        self._begin()

    def run(self, ticks: int) -> None:
        """So many more ticks."""
        for begin in range(0, ticks, _AT_ONCE):
            self.judge.judge_all(np.array([self._tick(tick) for tick in range(begin, min(ticks, begin + _AT_ONCE))]))

    def _tick(self, tick: int) -> tuple[float, ...]:
        """One more; (7) [rad] was sent."""
        self._now_ns += _PERIOD_NS
        if tick % 4 == 0:
            self._ask()
        if tick % 3 == 0:
            self._aim()
        if tick % 20 == 0:
            self._correct()
        self._cable.coming = self._cabinet.say(self._now_ns)
        self.loop.hear("fri", 1, self._now_ns)
        sent = decode_command(self._cable.answer, _VERSION).joint_pos or ()
        self._cabinet.joint_pos = sent
        self._log.skip(1)
        self.tracked += self.loop.part.state == State.TRACK
        return sent

    def _begin(self) -> None:
        orders = self._orders.record
        lower, upper = self._robot.position_lower, self._robot.position_upper
        orders["speed_scale"], orders["velocity_limit"] = 1.0, 100.0
        orders["position_lower"][:], orders["position_upper"][:] = lower.min(), upper.max()

    def _ask(self) -> None:
        """Arm wherever it is not, and now and then stop, go home, e-stop, disarm, or tighten limits."""
        orders, rng, state = self._orders.record, self._rng, self.loop.part.state
        orders["number"] += 1
        orders["time_ns"] = self._now_ns
        dice = rng.random()
        if state in (State.READY, State.FAULT, State.ESTOP):
            orders["estop"], orders["armed"] = 0, 1
            orders["arm_number"] += 1
            orders["arm_fault_acknowledged"] = self.loop.part.fault_number
        elif dice < 0.002:
            orders["stop_number"] += 1
        elif dice < 0.003:
            orders["home_number"] += 1
        elif dice < 0.004:
            orders["estop"] = 1
        elif dice < 0.005:
            orders["armed"] = 0
        elif dice < 0.008:
            orders["speed_scale"] = rng.uniform(0.05, 1.0)
        elif dice < 0.010:
            orders["velocity_limit"][:NUM_ARM] = self._velocity * rng.uniform(0.1, 1.2, NUM_ARM)
        elif dice < 0.012:
            middle, half = 0.5 * (self._lower + self._upper), 0.5 * (self._upper - self._lower)
            part = rng.uniform(0.2, 1.1, NUM_ARM)
            orders["position_lower"][:NUM_ARM] = middle - part * half
            orders["position_upper"][:NUM_ARM] = middle + part * half
        elif dice < 0.014:
            # Silence, short or long.
            self._silent_until = self._now_ns + int(10.0 ** rng.uniform(7.0, 9.5))
        self._orders.write()

    def _aim(self) -> None:
        """A new target: near, far, beyond the limits, at them, or as large as a number can be."""
        if self._now_ns < self._silent_until:
            return
        rng, record = self._rng, self._target.record
        dice = rng.random()
        if dice < 0.05:
            self._centre = rng.uniform(1.2 * self._lower, 1.2 * self._upper)
        asked = self._centre + rng.normal(size=NUM_ARM) * 10.0 ** rng.uniform(-4.0, 0.3)
        if dice > 0.995:
            asked = rng.choice([-1e300, -1e9, 1e9, 1e300, 5e-324], NUM_ARM)
        elif dice > 0.985:
            asked = np.where(rng.random(NUM_ARM) < 0.5, self._lower, self._upper)
        record["number"] += 1
        record["time_ns"] = record["made_ns"] = self._now_ns
        record["command_sequence"] += 1
        record["use_residual"] = rng.random() < 0.5
        record["joint_pos"][:NUM_ARM] = asked
        self._target.write()

    def _correct(self) -> None:
        """A correction: small, large, or no number; of another model now and then, as one that failed stays off."""
        rng, record = self._rng, self._residual.record
        record["number"] += 1
        record["time_ns"] = self._now_ns
        record["residual_number"] += record["residual_number"] == 0 or rng.random() < 0.05
        record["clamp_fraction"], record["gain"] = rng.uniform(0.0, 0.5), rng.uniform(0.5, 1.0)
        record["values"][:NUM_ARM] = rng.normal(size=NUM_ARM) * 10.0 ** rng.uniform(-5.0, 3.0)
        if rng.random() < 0.02:
            record["values"][rng.integers(NUM_ARM)] = rng.choice([np.nan, np.inf, -np.inf])
        self._residual.write()


def random_motion(ticks: int, seed: int) -> dict[str, float | int]:
    """Figures of so many random ticks."""
    motion = RandomMotion(seed)
    motion.run(ticks)
    judge, part = motion.judge, motion.loop.part
    return {
        "limit_ticks": judge.ticks,
        "limit_violations": judge.total,
        "limit_ticks_tracking": motion.tracked,
        "limit_guard_holds": part.guard_holds,
        **{f"limit_worst_{name}": value for name, value in judge.worst.items()},
    }
