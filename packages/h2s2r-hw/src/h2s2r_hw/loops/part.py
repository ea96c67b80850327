"""One armed part, arm or hand: its state, its faults, and whether a target may be followed.

In:  what the device is like at this tick, orders, targets.   Out: state, setpoint, correction.
Not here: the device (arm, hand), the table of states (states), records (report).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, le, ne

import numpy as np

from h2s2r_hw.config import MotionCfg, ResidualCfg
from h2s2r_hw.loops.bus import Ears
from h2s2r_hw.loops.stream import Stream
from h2s2r_hw.motion.guard import Guard
from h2s2r_hw.motion.limits import JointLimits
from h2s2r_hw.motion.residual import Correction
from h2s2r_hw.motion.upsample import Upsampler
from h2s2r_hw.states import MOVING, Action, Event, State, fault_number
from h2s2r_hw.states.table import STEPS

#: States of the other part in which this one may track, and may be armed.
_PEER_TRACKS = (State.HOLD, State.TRACK, State.SOFT_STOP)
# Looking a member up in its enumeration costs more than comparing it.
_READY, _ARMING, _TRACK, _HOMING = State.READY, State.ARMING, State.TRACK, State.HOMING
_GUARD_HELD, _ARMING_TIMEOUT = fault_number("guard_held"), fault_number("arming_timeout")


class Part:
    """What both loops have in common.

    Args:
        limits: of its joints.
        motion: how targets become setpoints.
        residual: bounds of the correction.
        ears: the slots it reads.
        period: [s] of a tick.
        start_tolerance: [rad] by which the first target of a motion may be away.
        residual_limit: (J) [N·m] that fractions of a correction are of, where it is a torque.
        has_peer: whether there is another part to be armed together with.
    """

    def __init__(
        self,
        limits: JointLimits,
        motion: MotionCfg,
        residual: ResidualCfg,
        ears: Ears,
        period: float,
        start_tolerance: float,
        residual_limit: Sequence[float],
        has_peer: bool,
    ) -> None:
        self.limits, self.cfg, self.ears = limits, motion, ears
        self.period, self._start_tolerance, self._has_peer = period, start_tolerance, has_peer
        self.upsampler, self.guard = Upsampler(limits, period), Guard(limits, period)
        position_limit = np.full(len(limits.names), residual.position_limit)
        self.corrections = (
            Correction(position_limit, residual, period),
            Correction(np.array(residual_limit), residual, period),
        )
        """Of targets [rad], and of torques [N·m]."""
        self._lower, self._upper = limits.soft(motion.soft_margin)
        self._goal: list[float] = list(limits.home)
        self.state = State.OFFLINE
        self.link = self.good = self.follows = False
        """What the device is like: it talks; it could be armed; it does what it is sent. Set before ``step``."""
        self.measured: list[float] = list(limits.home)
        """(J) [rad]."""
        self.fault_number = self.fault_code = self.fault_ns = 0
        self.fault_value, self.fault_joint, self.fault_state = 0.0, -1, State.OFFLINE
        self.fault_joint_pos = self.fault_joint_pos_target = [0.0] * len(limits.names)
        self.clamped = 0
        """Bit per joint: a limit changed its target in this tick."""
        self.residual_number = 0
        """Of the correction in this tick; 0 for none."""
        self.clamped_position = self.guard_holds = 0
        self.stale_targets = self.stops = self.far_targets = self.residual_total = 0
        self._gateway_ns, self._peer_ns = round(motion.gateway_timeout * 1e9), round(motion.peer_timeout * 1e9)
        self._arming_timeout_ns = round(motion.arming_timeout * 1e9)
        self._residual_age_ns = residual.max_age_ticks * period * 1e9
        self._now_ns = self._arming_ns = 0
        self._armed_by = self._homed_by = self._stopped_by = self._begun = 0
        self._new_target = False
        self._followed = 0
        self._stream = Stream(motion)
        self._holds: dict[Event, Callable[[], bool]] = self._events()
        self._steps = {
            state: [(self._holds[event], to, action, event) for event, to, action in steps]
            for state, steps in STEPS.items()
        }

    # ── state ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, now_ns: int) -> None:
        """Look at the slots."""
        self._now_ns = now_ns
        ears = self.ears
        first = not ears.wishes.seen
        self._new_target = ears.listen()
        if self._new_target:
            self._stream.hear(ears.target_made_ns)
        if first and ears.wishes.seen:
            # What was wanted before this loop began is not wanted of it.
            wishes = ears.wishes
            self._armed_by, self._homed_by, self._stopped_by = wishes.arm_number, wishes.home_number, wishes.stop_number
            self.fault_number = max(self.fault_number, wishes.acknowledged)
            self._begun = ears.target_number
        if ears.limits_changed:
            self._tighten()

    def fault(self, code: int, value: float = 0.0, joint: int = -1) -> None:
        """Latch a fault, unless one is latched; the first one is the cause."""
        if self.fault_code:
            return
        self.fault_number += 1
        self.fault_code, self.fault_value, self.fault_joint = code, value, joint
        self.fault_ns, self.fault_state = self._now_ns, self.state
        self.fault_joint_pos, self.fault_joint_pos_target = list(self.measured), list(self.upsampler.joint_pos)

    def step(self) -> Action:
        """One step of the table, if any; returns what is to be done."""
        wishes = self.ears.wishes
        if self.fault_code and wishes.acknowledged == self.fault_number:
            self.fault_code = 0
        if self.state == _ARMING and self._now_ns - self._arming_ns > self._arming_timeout_ns:
            self.fault(_ARMING_TIMEOUT, self.cfg.arming_timeout)
        done = Action.NONE
        for holds, to, action, event in self._steps[self.state]:
            if holds():
                done = self._go(to, action, event)
                break
        if self.state not in MOVING and self.state != _READY:
            self._armed_by = wishes.arm_number
        if self.state not in _PEER_TRACKS:
            self._homed_by = wishes.home_number
        self._stopped_by = wishes.stop_number
        return done

    def _go(self, to: State, action: Action, event: Event) -> Action:
        if event == Event.ARM:
            self._armed_by, self._arming_ns = self.ears.wishes.arm_number, self._now_ns
        if event == Event.HOME and to == State.HOMING:
            self._homed_by = self.ears.wishes.home_number
        if self.state == State.TRACK or action == Action.BEGIN:
            # Only a target that comes from now on begins a motion again.
            self._begun = self.ears.target_number
        self.stale_targets += event == Event.NO_TARGET
        if action == Action.BRAKE or (action == Action.TRIP and self.state in MOVING):
            self.stops += 1
        self.state = to
        if action in (Action.BRAKE, Action.TRIP, Action.RELEASE):
            self.upsampler.brake()
        elif action == Action.GO_HOME:
            self._limit_velocity(self.cfg.home_speed)
            self._goal = self._within(self.limits.home)
            self.upsampler.aim(self._goal)
        elif action == Action.FOLLOW:
            self._limit_velocity(1.0)
        return action

    def _events(self) -> dict[Event, Callable[[], bool]]:
        wishes = self.ears.wishes
        return {
            Event.ESTOP: lambda: wishes.estop,
            Event.ESTOP_RESET: lambda: not wishes.estop,
            Event.FAULT: lambda: self.fault_code != 0,
            Event.FAULT_CLEARED: lambda: self.fault_code == 0,
            Event.LINK_LOST: lambda: not self.link,
            Event.NOT_GOOD: lambda: not self.good,
            Event.DISARM: lambda: not wishes.armed,
            Event.STOP: self._must_stop,
            Event.NO_TARGET: lambda: not self._stream.fresh(self._now_ns),
            Event.ARM: lambda: wishes.armed and wishes.arm_number != self._armed_by,
            Event.HOME: lambda: wishes.home_number != self._homed_by,
            Event.AT_REST: lambda: self.upsampler.at_rest,
            Event.ACTIVE: lambda: self.follows and self._peer_in(MOVING),
            Event.TARGET: self._may_follow,
            Event.LINK: lambda: self.link,
            Event.GOOD: lambda: self.good,
        }

    def _must_stop(self) -> bool:
        """Somebody said so, or somebody is missing."""
        wishes = self.ears.wishes
        if wishes.stop_number != self._stopped_by or self._now_ns - wishes.time_ns > self._gateway_ns:
            return True
        return not self._peer_in(_PEER_TRACKS if self.state == _TRACK else MOVING)

    def _peer_in(self, states: tuple[State, ...]) -> bool:
        """Whether the other part is in one of these states, and alive."""
        if not self._has_peer:
            return True
        return self.ears.peer_state in states and self._now_ns - self.ears.peer_ns <= self._peer_ns

    # ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _may_follow(self) -> bool:
        """A target that came since motion last ended, fresh and near; both parts armed; nothing that stops."""
        ears = self.ears
        if ears.target_number == self._begun or not ears.wishes.armed or not self._stream.fresh(self._now_ns):
            return False
        if self._must_stop() or not self._peer_in(_PEER_TRACKS):
            return False
        goal = self._within(ears.joint_pos)
        near = all(abs(a - b) <= self._start_tolerance for a, b in zip(goal, self.upsampler.joint_pos, strict=True))
        if not near and self._new_target:
            self.far_targets += 1
        return near

    # ── motion ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, joint_pos: Sequence[float], joint_vel: Sequence[float] | None = None) -> None:
        """Setpoints begin at (J) [rad], at rest or with (J) [rad/s]."""
        self.upsampler.begin(joint_pos, joint_vel)
        self.guard.begin(joint_pos, joint_vel)

    def move(self, offset: list[float] | None) -> list[float]:
        """(J) [rad] the setpoint of this tick; ``offset`` (J) [rad] is added to the target, within its limits."""
        upsampler = self.upsampler
        if self.state == _TRACK:
            if self._new_target or offset is not None or self._followed != self.ears.target_number:
                self._aim(offset)
        else:
            self.clamped = 0
            if self.state != _HOMING and not upsampler.at_rest:
                upsampler.brake()
        wanted = upsampler.step()
        sent = self.guard.check(wanted)
        if self.guard.held >= 0:
            self.guard_holds += 1
            self.fault(_GUARD_HELD, self.guard.excess, self.guard.held)
            upsampler.resume(list(sent), list(self.guard.joint_vel), list(self.guard.joint_acc))
        return sent

    def _aim(self, offset: list[float] | None) -> None:
        asked = self.ears.joint_pos
        if offset is not None:
            asked = list(map(add, asked, offset))
        goal = self._within(asked)
        self.clamped = 0
        if goal is not asked and any(map(ne, asked, goal)):
            self.clamped = sum((a != b) << joint for joint, (a, b) in enumerate(zip(asked, goal, strict=True)))
            self.clamped_position += self.clamped.bit_count()
        self._followed = self.ears.target_number
        self._goal = goal
        self.upsampler.aim(goal)

    def correct(self) -> tuple[list[float] | None, list[float] | None]:
        """(J) [rad] and (J) [N·m] of the bounded correction of this tick; none where there is none."""
        ears = self.ears
        wanted = ears.use_residual and self.state == _TRACK and ears.residual_number > 0
        on_target, on_torque = self.corrections
        if not wanted and on_target.idle and on_torque.idle:
            self.residual_number = 0
            return None, None
        for output, correction in enumerate(self.corrections):
            if not wanted or output != ears.residual_output:
                correction.end()
                continue
            fresh = self._now_ns - ears.residual_ns <= self._residual_age_ns
            correction.advance(ears.residual, ears.residual_number, ears.residual_fraction, ears.residual_gain, fresh)
        self.residual_number = 0 if on_target.idle and on_torque.idle else max(1, ears.residual_number)
        return None if on_target.idle else on_target.values, None if on_torque.idle else on_torque.values

    def _within(self, joint_pos: Sequence[float]) -> list[float]:
        """(J) [rad] within the soft limits: the same list where it is within them."""
        # All of it in C, as nearly always nothing is to be cut.
        if all(map(le, self._lower, joint_pos)) and all(map(le, joint_pos, self._upper)):
            return joint_pos if isinstance(joint_pos, list) else list(joint_pos)
        triples = zip(joint_pos, self._lower, self._upper, strict=True)
        return [low if q < low else high if q > high else q for q, low, high in triples]

    def _tighten(self) -> None:
        """Limits in the orders changed. Narrower positions hold for targets from now on."""
        limits, self.ears.limits_changed = self.ears.limits, False
        if limits is None:
            return
        lower, upper = self.limits.soft(self.cfg.soft_margin)
        self._lower = [max(a, min(b, high)) for a, b, high in zip(lower, limits[0], upper, strict=True)]
        self._upper = [max(low, min(a, b)) for a, b, low in zip(upper, limits[1], self._lower, strict=True)]
        if self.state == State.TRACK:
            self._limit_velocity(1.0)

    def _limit_velocity(self, part: float) -> None:
        wishes, limits = self.ears.wishes, self.ears.limits
        tightened = self.limits.velocity if limits is None else limits[2]
        scale = part * min(max(wishes.speed_scale, 0.0), 1.0)
        self.upsampler.limit_velocity([scale * each for each in tightened])
