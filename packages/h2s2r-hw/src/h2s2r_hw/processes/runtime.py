"""The memory that the processes of one server share, by name.

In:  a folder.   Out: slots and rings.
Not here: what is in them (bus.records), who writes which (loops, server).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus.log import LOG_MARK, LOG_STATUS
from h2s2r_hw.bus.records import ARM_LOG, ARM_STATUS, HAND_LOG, HAND_STATUS, HEARTBEAT, ORDERS, RESIDUAL, TARGET
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.guardian import GUARDIAN_STATUS
from h2s2r_schemas.errors import H2S2RError

#: Every process of a server but the supervisor, in the order in which they are started.
ROLES = ("logger", "guardian", "arm", "hand", "residual", "gateway")
_SLOTS: dict[str, np.dtype[Any]] = {
    "target": TARGET,
    "orders": ORDERS,
    "arm_status": ARM_STATUS,
    "hand_status": HAND_STATUS,
    "residual": RESIDUAL,
    "log_status": LOG_STATUS,
    "guardian_status": GUARDIAN_STATUS,
    "hand_process": HEARTBEAT,
}
_RINGS: dict[str, np.dtype[Any]] = {"arm_log": ARM_LOG, "hand_log": HAND_LOG, "log_marks": LOG_MARK}
#: Remarks that may wait for the logger.
_MARKS = 64


class Runtime:
    """One server's memory.

    Args:
        folder: in ``/dev/shm``, or anywhere else in tests.
        cfg: says how much must fit into the rings.
        create: whether to make it, as the supervisor does; the others attach.

    Raises:
        H2S2RError: it cannot be made, or is not there.
    """

    def __init__(self, folder: Path, cfg: ServerCfg, create: bool = False) -> None:
        self.folder = folder
        if create:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise H2S2RError(f"{folder} cannot be made: {error.strerror}.") from error
            if folder.stat().st_uid != os.getuid():
                raise H2S2RError(f"{folder} belongs to somebody else: choose another --runtime.")
        make_slot = Slot.create if create else Slot.attach
        make_ring = Ring.create if create else Ring.attach
        self.slots = {name: make_slot(folder / name, dtype) for name, dtype in _SLOTS.items()}
        waiting = {
            "arm_log": round(cfg.log.ring_seconds * 1e3 / cfg.arm.send_period_ms),
            "hand_log": round(cfg.log.ring_seconds * 1e3 / cfg.hand.period_ms),
            "log_marks": _MARKS,
        }
        self.rings = {name: make_ring(folder / name, dtype, waiting[name]) for name, dtype in _RINGS.items()}

    def remove(self) -> None:
        """Let the memory go, once nobody uses it."""
        for name in (*self.slots, *self.rings):
            (self.folder / name).unlink(missing_ok=True)


def default_folder(name: str = "server") -> Path:
    """Where a server of this user and name keeps it."""
    return Path("/dev/shm") / f"h2s2r-{os.getuid()}-{name}"
