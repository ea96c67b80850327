"""The two hot loops: one answers the cabinet's datagrams, one the hand's position frames.

In:  datagrams or frames, slots.   Out: datagrams or frames, slots, a record of every tick.
Not here: processes and priorities (processes), clients (server).

In a tick there are no locks, no ZeroMQ, no logging and no files; what it says, it says in records.
"""

from h2s2r_hw.loops.arm import ArmLoop
from h2s2r_hw.loops.bus import LoopSlots
from h2s2r_hw.loops.hand import HandLoop

__all__ = ["ArmLoop", "HandLoop", "LoopSlots"]
