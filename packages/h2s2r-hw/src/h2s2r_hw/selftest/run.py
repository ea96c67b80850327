"""The whole selftest, in order.

In:  settings, how long.   Out: checks as they are made.
Not here: single checks (machine, jitter, devices).
"""

from __future__ import annotations

from collections.abc import Iterator

from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.realtime import ask_for
from h2s2r_hw.selftest.check import Check
from h2s2r_hw.selftest.devices import check_arm, check_hand
from h2s2r_hw.selftest.jitter import RATES, measure
from h2s2r_hw.selftest.machine import check_machine


def run_selftest(cfg: ServerCfg, seconds: float = 10.0, devices: bool = True) -> Iterator[Check]:
    """Look at everything. This process gets the arm loop's priority and core meanwhile, and keeps them.

    Args:
        cfg: of the server that shall run here.
        seconds: of sleeping, for each rate.
        devices: whether to look at cabinet and hand too; not while a server runs.
    """
    yield from check_machine(cfg.log)
    if devices:
        yield from check_arm(cfg.arm)
        yield from check_hand(cfg.hand)
    wishes = cfg.realtime
    for granted in ask_for(wishes.arm_priority, wishes.arm_core, wishes.lock_memory):
        yield Check(granted.what, granted.ok, "granted" if granted.ok else "refused", granted.remedy)
    for rate in RATES:
        yield measure(rate, seconds).check()
