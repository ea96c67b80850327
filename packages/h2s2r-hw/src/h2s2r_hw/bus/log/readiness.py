"""Whether the log can be relied on, for those who refuse to move without it.

In:  slot of ``LOG_STATUS``, ring of ``LOG_MARK``.   Out: a sentence on what is wrong; remarks for the log.
Not here: what is refused (server).
"""

from __future__ import annotations

import os

from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot

#: [ns] without a word of the logger after which it counts as dead. It writes a status ten times a second.
SILENT_NS = 2_000_000_000


def log_trouble(status: Slot, now_ns: int) -> str:
    """Why the log cannot be relied on; empty where it can."""
    if status.read() <= 0:
        return "The logger has not started."
    silent = now_ns - int(status.record["time_ns"])
    if silent > SILENT_NS:
        return f"The logger has been silent for {silent * 1e-9:.1f} s."
    if not int(status.record["ok"]):
        reason = os.strerror(int(status.record["error"]))
        return f"The log cannot be written: {reason}; {int(status.record['free_bytes']) / 2**20:.0f} MiB are free."
    return ""


def mark_log(marks: Ring, text: str, now_ns: int) -> bool:
    """Leave a remark of at most 256 bytes for the logger; whether there was room."""
    marks.record["time_ns"], marks.record["text"] = now_ns, text.encode()[:256]
    return marks.append()
