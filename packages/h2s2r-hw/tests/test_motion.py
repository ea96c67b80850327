"""What is sent keeps the limits of position, velocity, acceleration and jerk, whatever the targets do; and the guard knows.

In:  random targets, requests that break limits.   Out: differences of what was sent.
Not here: the wire (test_loops), the correction (test_residual).
"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from h2s2r_hw.motion.guard import Guard
from h2s2r_hw.motion.limits import JointLimits, joint_limits
from h2s2r_hw.motion.upsample import Upsampler
from h2s2r_hw.robots import load_robot, robot_names
from h2s2r_schemas.errors import SchemaError

ARM = JointLimits(
    tuple("abcdefg"),
    [-2.97, -2.09, -2.97, -2.09, -2.97, -2.09, -3.05],
    [2.97, 2.09, 2.97, 2.09, 2.97, 2.09, 3.05],
    [1.48, 1.48, 1.745, 1.309, 2.269, 2.356, 2.356],
    [5.93, 5.93, 6.98, 5.24, 9.08, 9.42, 9.42],
    [118.7, 118.7, 139.6, 104.7, 181.5, 188.5, 188.5],
    [320.0] * 7,
    [0.0] * 7,
)
PERIOD = 0.005


def worst(sent: list[list[float]], limits: JointLimits, period: float) -> tuple[float, float, float, float]:
    """How many [rad] beyond the limits, and how many times the limits of velocity, acceleration and jerk."""
    positions = np.array(sent)
    rates = [np.diff(positions, n, axis=0) / period**n for n in (1, 2, 3)]
    beyond = max((np.array(limits.lower) - positions).max(), (positions - np.array(limits.upper)).max())
    ratios = [
        float((np.abs(rate) / limit).max())
        for rate, limit in zip(rates, (limits.velocity, limits.acceleration, limits.jerk), strict=True)
    ]
    return float(beyond), ratios[0], ratios[1], ratios[2]


class Wild:
    """Targets as no sane client sends them: random walks, jumps, limits, changes of speed, stops, all at random times."""

    def __init__(self, limits: JointLimits, seed: int) -> None:
        self.rng, self.limits = random.Random(seed), limits
        self.lower, self.upper = limits.soft(0.02)
        self.target = list(limits.home)
        self.kind, self.change_at, self.next_at = "walk", 0, 0

    def act(self, tick: int, upsampler: Upsampler) -> None:
        rng = self.rng
        if tick >= self.change_at:
            self.kind, self.change_at = (
                rng.choice(("walk", "jump", "edge", "brake", "slow", "resume")),
                tick + rng.randint(1, 300),
            )
            if self.kind == "slow":
                upsampler.limit_velocity(
                    [each * rng.choice((0.0, 0.05, 0.3, 1.0, 7.0)) for each in self.limits.velocity]
                )
            if self.kind == "brake":
                upsampler.brake()
        if tick >= self.next_at and self.kind != "brake":
            self.next_at = tick + rng.randint(1, 14)
            span = list(zip(self.lower, self.upper, strict=True))
            if self.kind == "jump":
                self.target = [rng.uniform(low, high) for low, high in span]
            elif self.kind == "edge":
                self.target = [rng.choice(each) for each in span]
            else:
                near = [q + rng.gauss(0.0, 0.05) for q in self.target]
                self.target = [min(max(q, low), high) for q, (low, high) in zip(near, span, strict=True)]
            upsampler.aim(list(self.target))


@pytest.mark.requirement("H26")
def test_no_limit_is_broken_whatever_the_targets_do():
    upsampler, guard, wild = Upsampler(ARM, PERIOD), Guard(ARM, PERIOD), Wild(ARM, 1)
    sent, wanted = [], []
    for tick in range(20_000):
        wild.act(tick, upsampler)
        wanted.append(upsampler.step())
        sent.append(guard.check(wanted[-1]))
        assert guard.held < 0
    assert sent == wanted and upsampler.failures == 0
    beyond, velocity, acceleration, jerk = worst(sent, ARM, PERIOD)
    assert beyond <= -0.0199
    # And the limits are used.
    assert 0.98 < velocity <= 1.0 and 0.98 < acceleration <= 1.0 and 0.98 < jerk <= 1.0


def test_it_arrives_and_stays():
    upsampler, target = Upsampler(ARM, PERIOD), [0.3, -0.2, 0.1, -1.0, 0.5, 0.7, -0.9]
    upsampler.begin(ARM.home)
    assert upsampler.at_rest and upsampler.step() == ARM.home
    upsampler.aim(target)
    for _ in range(600):
        upsampler.step()
    assert upsampler.at_rest
    assert np.allclose(upsampler.joint_pos, target, atol=1e-9)
    before = upsampler.step()
    assert upsampler.step() is before


def test_a_stop_takes_no_longer_than_the_limits_need():
    upsampler = Upsampler(ARM, PERIOD)
    upsampler.begin([0.0] * 7)
    upsampler.aim([1.5] * 7)
    for _ in range(120):
        upsampler.step()
    before = upsampler.joint_pos
    upsampler.brake()
    ticks = 0
    while not upsampler.at_rest:
        upsampler.step()
        ticks += 1
    # v/a and what the jerk limit adds at both ends.
    assert (
        ticks * PERIOD
        <= max(v / a + 2 * a / j for v, a, j in zip(ARM.velocity, ARM.acceleration, ARM.jerk, strict=True)) + PERIOD
    )
    assert all(after > start for after, start in zip(upsampler.joint_pos, before, strict=True))


def test_a_moving_start_comes_to_rest():
    """As at the end of COMMANDING_WAIT with a cabinet that moves."""
    upsampler, guard = Upsampler(ARM, PERIOD), Guard(ARM, PERIOD)
    speed = [0.2, 0.0, -0.2, 0.1, 0.0, 0.0, 0.3]
    upsampler.begin([0.1] * 7, speed)
    guard.begin([0.1] * 7, speed)
    for _ in range(200):
        guard.check(upsampler.step())
        assert guard.held < 0
    assert upsampler.at_rest


def test_slower_while_moving_keeps_the_limits():
    upsampler, guard = Upsampler(ARM, PERIOD), Guard(ARM, PERIOD)
    upsampler.aim([1.9] * 7)
    for tick in range(500):
        if tick == 100:
            upsampler.limit_velocity([0.1 * each for each in ARM.velocity])
        before = upsampler.joint_pos
        guard.check(upsampler.step())
        assert guard.held < 0
        if tick > 200:
            speeds = [abs(a - b) / PERIOD for a, b in zip(upsampler.joint_pos, before, strict=True)]
            assert all(speed <= 0.1 * limit for speed, limit in zip(speeds, ARM.velocity, strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_the_guard_sends_nothing_beyond_velocity_acceleration_or_position_whatever_is_asked(seed):
    rng, guard = random.Random(seed), Guard(ARM, PERIOD)
    guard.begin(ARM.home)
    sent, held = [list(ARM.home)] * 4, 0
    for _ in range(5000):
        size = rng.choice((1e-6, 1e-3, 0.1, 10.0, 1e300))
        wanted = [rng.gauss(0.0, size) for _ in ARM.names]
        if rng.random() < 0.05:
            wanted[rng.randrange(7)] = rng.choice((math.nan, math.inf, -math.inf))
        sent.append(guard.check(wanted))
        held += guard.held >= 0
    assert held > 4000 and np.isfinite(sent).all()
    beyond, velocity, _, _ = worst(sent, ARM, PERIOD)
    assert beyond <= 0.0 and velocity <= 1.0 + 1e-5


def test_the_guard_names_the_joint_and_the_excess():
    guard = Guard(ARM, PERIOD)
    guard.begin([0.0] * 7)
    wanted = [0.0] * 7
    wanted[3] = 1.0
    sent = guard.check(wanted)
    assert guard.held == 3 and guard.excess > 1e3
    assert 0.0 < sent[3] <= ARM.jerk[3] * PERIOD**3 * (1 + 1e-5)
    assert sent[:3] == [0.0] * 3


def test_after_the_guard_held_motion_goes_on_from_what_was_sent():
    guard, upsampler = Guard(ARM, PERIOD), Upsampler(ARM, PERIOD)
    guard.begin([0.0] * 7)
    for step in range(30):
        guard.check([1.0 if step < 20 else 0.0] * 7)
    upsampler.resume(guard.joint_pos, guard.joint_vel, guard.joint_acc)
    for _ in range(300):
        guard.check(upsampler.step())
    assert upsampler.at_rest and guard.held < 0


def test_limits_are_picked_by_name():
    spec = load_robot("iiwa14_allegro")
    names = spec.joint_names[::-1]
    limits = joint_limits(spec, names)
    assert limits.upper == [float(each) for each in spec.position_upper[::-1]]
    with pytest.raises(SchemaError, match="no joints nonsense"):
        joint_limits(spec, ("nonsense",))


def test_a_robot_is_found_by_name_or_file_or_missed_with_a_remedy():
    assert robot_names() == ("iiwa14_allegro",)
    assert load_robot("iiwa14_allegro").num_arm_joints == 7
    with pytest.raises(SchemaError, match="no robot 'nobody': name one of iiwa14_allegro"):
        load_robot("nobody")
