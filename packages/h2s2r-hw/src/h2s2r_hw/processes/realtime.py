"""Ask the operating system for what a loop needs to be on time, and say what it would not give.

In:  priority, core.   Out: one line per wish: granted or not, and what to change.
Not here: how late loops are (selftest).
"""

from __future__ import annotations

import ctypes
import gc
import os
from dataclasses import dataclass

from h2s2r_schemas.errors import SchemaError

#: Above it, interrupts would have to wait for us.
MAX_PRIORITY = 90
_MCL_CURRENT, _MCL_FUTURE = 1, 2


@dataclass(frozen=True)
class Granted:
    """What became of one wish."""

    what: str
    """E.g. ``SCHED_FIFO 80``."""
    ok: bool
    """Whether it was granted."""
    remedy: str = ""
    """What to change where it was not."""

    def __str__(self) -> str:
        return f"{self.what}: {'yes' if self.ok else 'NO. ' + self.remedy}"


def ask_for(priority: int, core: int | None, lock_memory: bool) -> list[Granted]:
    """Make this process a real-time one as far as it is permitted. Threads and children that it starts are not.

    Args:
        priority: of SCHED_FIFO, 1 to ``MAX_PRIORITY``; 0 for none.
        core: the only processor core to run on; none for any.
        lock_memory: whether to keep memory from being swapped.

    Raises:
        SchemaError: a priority that would starve interrupts.
    """
    if not 0 <= priority <= MAX_PRIORITY:
        raise SchemaError(f"Priority {priority}; 1 to {MAX_PRIORITY}, or 0 for none: above, interrupts would starve.")
    granted = [_affinity(core)] if core is not None else []
    if lock_memory:
        granted.append(_lock())
    # What exists now is never looked through again, and there is no collection in the middle of a tick.
    gc.collect()
    gc.freeze()
    gc.disable()
    if priority:
        granted.append(_fifo(priority))
    return granted


def _affinity(core: int) -> Granted:
    what = f"core {core}"
    try:
        os.sched_setaffinity(0, {core})
    except (OSError, ValueError):
        return Granted(what, False, f"This machine lets us run on {sorted(os.sched_getaffinity(0))}: choose of these.")
    return Granted(what, True)


def _lock() -> Granted:
    what = "locked memory"
    if ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE) != 0:
        reason = os.strerror(ctypes.get_errno())
        return Granted(what, False, f"{reason}: raise `memlock` in limits.conf, or LimitMEMLOCK=infinity in the unit.")
    return Granted(what, True)


def _fifo(priority: int) -> Granted:
    what = f"SCHED_FIFO {priority}"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return Granted(what, False, f"{error.strerror}: raise `rtprio` in limits.conf, or LimitRTPRIO=90 in the unit.")
    return Granted(what, True)


def die_with_parent(signal_number: int) -> None:
    """Get this signal when the process that started us ends, however it ends."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal_number, 0, 0, 0)
