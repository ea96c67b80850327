"""Where a process takes its time from: the wall, or lock-step virtual time shared by several processes.

In:  until when to wait, and what may arrive before.   Out: the time [ns], and what arrived.
Not here: who decides that virtual time passes (emulators.lockstep), real-time priorities (server).

A loop that asks its ``Clock`` for the time, for rest and for messages runs unchanged in both. In lock-step nothing runs
while anybody else does, so a run is the same to the last byte, however busy the machine is; messages still go through the
real sockets, and the clock only knows how many were sent on a channel of which name. ``Inline`` is the same within one thread.
"""

from h2s2r_hw.clock.inline import Inline, InlineClock
from h2s2r_hw.clock.lockstep import LockstepClock, LockstepError
from h2s2r_hw.clock.real import Clock, RealClock

__all__ = ["Clock", "Inline", "InlineClock", "LockstepClock", "LockstepError", "RealClock"]
