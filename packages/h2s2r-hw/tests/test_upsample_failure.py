"""A tick for which Ruckig finds no way does not end the loop: motion is stopped on a way that there is.

In:  a library that fails, as it was seen to with another target in every command.   Out: setpoints within the limits.
Not here: motion in general (test_motion).
"""

from __future__ import annotations

import pytest
from ruckig import RuckigError

from h2s2r_hw.motion.guard import Guard
from h2s2r_hw.motion.limits import JointLimits
from h2s2r_hw.motion.upsample import Upsampler


class Failing:
    """Raises at some of its next updates."""

    def __init__(self, otg, fails):
        self.otg, self.fails = otg, list(fails)

    def update(self, given, out):
        if self.fails and self.fails.pop(0):
            raise RuckigError("error in step 1")
        return self.otg.update(given, out)

    def reset(self):
        self.otg.reset()


@pytest.mark.parametrize("fails", [(True,), (True, True), (True, False, True, True)])
def test_a_way_that_cannot_be_computed_becomes_a_stop(fails):
    limits = JointLimits(("a",), [-1.0], [1.0], [1.0], [10.0], [100.0], [1.0], [0.0])
    upsampler, guard = Upsampler(limits, 0.003), Guard(limits, 0.003)
    guard.begin([0.0])
    upsampler.aim([0.5])
    for _ in range(50):
        guard.check(upsampler.step())
    assert guard.held < 0
    moving = guard.joint_pos[0]
    upsampler._otg = Failing(upsampler._otg, fails)
    for _ in range(1000):
        sent = guard.check(upsampler.step())[0]
        if guard.held >= 0:
            # Where there was no way to stop either, the guard made one, and the loop goes on from there.
            upsampler.resume(list(guard.joint_pos), list(guard.joint_vel), list(guard.joint_acc))
    assert upsampler.failures >= 1 and upsampler.at_rest
    assert moving < sent < 0.5
