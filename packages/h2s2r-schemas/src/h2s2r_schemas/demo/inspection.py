"""What a recording is, in plain data.

In:  a folder.   Out: nested mappings; every picture is read and checked.
Not here: printing it (cli).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.codec.inspection import describe
from h2s2r_schemas.demo.folder import open_demo


def inspect_demo(folder: Path) -> dict[str, Any]:
    """What a recording is.

    Raises:
        SchemaError: it is not a valid recording, or one of its pictures is damaged.
    """
    demo = open_demo(folder)
    gaps = np.diff(demo.meta.time)
    rate = {"median_hz": 1.0 / float(np.median(gaps)), "longest_gap_s": float(gaps.max())} if len(gaps) else {}
    return {
        "what": "Demo",
        "frames": len(demo),
        "seconds": float(demo.meta.time[-1] - demo.meta.time[0]),
        **rate,
        "sha256": demo.hash(),
        "meta": describe(demo.meta),
    }
