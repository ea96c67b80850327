"""Which CPU cores are ours.

In:  nothing.   Out: their numbers.
Not here: what runs on them.
"""

from __future__ import annotations

import os


def usable_cores() -> list[int]:
    """Those that this process may use: it may have been given fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
